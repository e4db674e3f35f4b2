// Calls the classes of lib/ once for each case of a json list and prints what each answered, one list and one answer a
// line, until the input ends: no engine start per case, one Java start for all tests.
import ch.qos.logback.classic.Level
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import java.nio.file.Paths
import nextflow.Global
import nextflow.Session
import nextflow.cli.CliOptions
import nextflow.config.ConfigBuilder
import nextflow.config.ConfigParser
import nextflow.processor.TaskConfig
import nextflow.util.ConfigHelper
import org.slf4j.LoggerFactory

def params = { item ->
    def schema = new Schema(item.project)
    def checked = schema.check(item.params, item.given ?: item.params.collectEntries { name, _value -> [name, null] })
    [schema, checked]
}
// What the engine hands on for a command line: the defaults of the schema below what the words say.
def command = { item ->
    def schema = new Schema(item.project)
    def given = CommandLine.read(item.words, null, item.launch_dir)
    def defaults = schema.groups.values().collectEntries { group -> group.properties.collectEntries { name, rule -> [name, rule.default] } }
    def checked = schema.check(defaults + given.findAll { _name, text -> text != null }, given)
    checked.mode == 'perturbation' ? new PerturbationPlan(schema, checked, item.launch_dir) : new Plan(schema, checked, item.launch_dir)
    checked.mode
}
def sheet = { item ->
    def read = new SampleSheet(item.sheet, item.launch_dir, new Schema(item.project).known, item.own_bulk ?: false)
    if (read.bad) {
        throw new IllegalArgumentException(read.complaint())
    }
    read
}
LoggerFactory.getLogger('ROOT').level = Level.OFF // the engine's classes would log among the answers
// What the engine would ask a scheduler for, of a site's configuration below one of our profiles' (conf/NAME.config).
def asked = { item ->
    def parse = { text -> new ConfigParser().setBinding([params: [device: item.device], launchDir: Paths.get('.'), projectDir: item.project]).parse(text) }
    def site = parse(item.site)
    def ours = parse("includeConfig '${item.project}/conf/${item.profile}.config'").process
    Global.session = new Session([process: site.process])
    def label = new TaskConfig(ours.'withLabel:process_gpu'.subMap('clusterOptions'))
    new TaskConfig([ext: ours.ext, process: item.process, attempt: 1] + label).with {
        context = [params: [device: item.device]]
        clusterOptions?.toString()
    }
}
// What `nextflow config -flat -profile PROFILES` prints.
def config = { item ->
    def builder = new ConfigBuilder().setShowClosures(true).showMissingVariables(true).setOptions(new CliOptions())
    ConfigHelper.toFlattenString(builder.setBaseDir(Paths.get(item.project)).setProfile(item.profiles).buildConfigObject())
}
def answer = { item ->
    try {
        switch (item.call) {
            case 'command': return [answer: command(item)]
            case 'config': return [answer: config(item)]
            case 'files': return [answer: Code.files(item.project, item.command)]
            case 'digest': return [answer: Code.digest(item.project, item.command)]
            case 'params': return [answer: params(item)[1].findAll { _name, value -> value != null }]
            case 'warnings': return [answer: params(item)[0].warnings]
            case 'given': return [answer: CommandLine.read(item.words, item.params_file, item.launch_dir)]
            case 'help': return [answer: Help.text(new Schema(item.project), '1.2.3')]
            case 'sheet': return [answer: sheet(item).rows]
            case 'drugs': return [answer: item.cells.collect { cell -> new DrugChoice(cell).with { [panel, runs([sample: 's', drug: cell])] } }]
            case 'columns': return [answer: [COLUMNS: SampleSheet.COLUMNS, REQUIRED: SampleSheet.REQUIRED, CHOICES: SampleSheet.CHOICES]]
            case 'options': return [answer: Options.line(item.options)]
            case 'render': return [answer: Rendered.process(item.project, item.module, item.texts)]
            case 'evaluate': return [answer: Eval.xy(item.params, Paths.get(item.launch_dir), "def params = x, launchDir = y; ${item.code}").toString()]
            case 'bytes': return [answer: InputFile.bytes(Paths.get(item.path))]
            case 'staged': return [answer: InputFile.staged(item.path, Paths.get(item.work_dir))]
            case 'slice options': return [answer: Comparison.options(item.options, item.slice)]
            case 'networks': return [answer: item.models.findAll { model -> Comparison.isNetwork(model) }]
            case 'plan': return [answer: new Plan(params(item)[0], params(item)[1], item.launch_dir).properties.subMap('samples', 'skipped', 'warnings', 'tables', 'geneSets', 'options', 'counts')]
            case 'perturbation': return [answer: new PerturbationPlan(params(item)[0], params(item)[1], item.launch_dir).properties.subMap('trainings', 'options')]
            case 'perturbation_models': return [answer: ['NETWORKS', 'BASELINES', 'CLASSICAL'].collectEntries { name -> [name, PerturbationPlan[name]] }]
            case 'cluster options': return [answer: asked(item)]
            case 'cores':
                Cores.divide(item.allowed, item.counts)
                return [answer: ['sample', 'run'].collect { kind -> Cores.of(kind) }]
            case 'failure': return [answer: Failure.line(item.report)]
            case 'last line': return [answer: Failure.lastLine(item.report)]
            case 'ending': return [answer: Ending.lines(item.outdir, item.mode, item.verdicts)]
            case 'verdict': return [answer: Ending.verdict(item.meta, Paths.get(item.path))]
            case 'panel verdict': return [answer: Ending.panel(item.meta, Paths.get(item.path))]
        }
    } catch (IllegalArgumentException problem) {
        return [error: problem.message]
    }
}
System.in.newReader('UTF-8').eachLine { line ->
    System.out.write((JsonOutput.toJson(new JsonSlurper().parseText(line).collect { item -> answer(item) }) + '\n').getBytes('UTF-8'))
    System.out.flush()
}
