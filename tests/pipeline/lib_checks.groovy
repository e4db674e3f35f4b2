// Calls the classes of lib/ once for each case in a json file and prints what each answered: no engine start per case.
import groovy.json.JsonOutput
import groovy.json.JsonSlurper

def cases = new JsonSlurper().parse(new File(args[0]))
def answers = cases.collect { item ->
    try {
        switch (item.call) {
            case 'files': return [answer: Code.files(item.project, item.command)]
            case 'digest': return [answer: Code.digest(item.project, item.command)]
            case 'params': new Schema(item.project).check(item.params); return [answer: null]
            case 'sheet': return [answer: SampleSheet.read(item.sheet, item.launch_dir)]
            case 'options': return [answer: Options.line(item.options)]
            case 'perturbation': return [answer: new PerturbationPlan(new Schema(item.project), item.params, item.launch_dir).properties.subMap('trainings', 'options')]
            case 'perturbation_models': return [answer: ['NETWORKS', 'BASELINES', 'CLASSICAL'].collectEntries { name -> [name, PerturbationPlan[name]] }]
            case 'failure': return [answer: Failure.line(item.report)]
        }
    } catch (IllegalArgumentException problem) {
        return [error: problem.message]
    }
}
println JsonOutput.toJson(answers)
