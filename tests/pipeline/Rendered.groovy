import groovy.json.JsonSlurper
import java.nio.file.Paths

/** What a process would run: its tag, script and stub, filled in by Groovy without an engine. */
class Rendered {

    private static final List<String> LISTS = ['pretrained', 'predictions', 'scores', 'sections']

    /** For each text, with it in every column, text param and file name that reaches the process. */
    static List<Map<String, String>> process(String project, String module, List<String> texts) {
        final String source = new File(project, "modules/${module}/main.nf").getText('UTF-8')
        final GroovyShell shell = new GroovyShell(Rendered.classLoader)
        final Map<String, Script> parts = [
            tag: /(?m)^    tag (.+)$/, script: /(?s)\n    script:\n(.+?)\n    stub:/, stub: /(?s)\n    stub:\n(.+)\n\}/,
        ].collectEntries { part, place -> [part, shell.parse((source =~ place)[0][1] as String)] }
        texts.collect { text ->
            final Map<String, Object> inputs = inputsOf(source, filled(project, text), text)
            final Binding binding = new Binding(inputs + [task: [ext: [code: 'digest'], cpus: 1, attempt: 1, process: 'A:B']])
            parts.collectEntries { part, script ->
                script.binding = binding
                [part, script.run().toString()]
            }
        }
    }

    /** Every param with a value of its type; texts, choices too, are the given one. */
    private static Map<String, Object> filled(String project, String text) {
        final Map groups = new JsonSlurper().parse(new File(project, 'nextflow_schema.json'))['$defs'] as Map
        groups.values().collectEntries { group -> group.properties as Map }.collectEntries { name, rule ->
            [name, rule.type == 'string' ? text : rule.type == 'boolean' ? true : 1]
        }
    }

    private static Map<String, Object> inputsOf(String source, Map<String, Object> params, String text) {
        final String declared = (source =~ /(?s)\n    input:\n(.+?)\n    output:/)[0][1]
        final Map<String, Object> row = [
            sample: 'a', drug: text, label_key: text, group_key: text, treatment_key: text, drug_label_key: text, normal_key: text, species: text, scale: text, sampling: text,
            panel: [text, text], tissue: text, mutations: text, id: text, model: text, models: [text], encoding: text, protocol: null, heads: text, first: 0, last: 1,
        ]
        final Map<String, Object> found = [:]
        (declared =~ /\b(val|path)[ (]\s*(\w+)/).each { _match, kind, name ->
            final Object file = Paths.get(text.replace('/', '_'))
            found[name] = kind == 'path' ? (name in LISTS ? [file] : file)
                : name in ['options', 'parameters', 'left_out', 'missing'] ? params
                : name in ['meta', 'slice'] ? row
                : name == 'drugs' ? [text, text] : text
        }
        found
    }
}
