#!/usr/bin/env nextflow
// PharmaCell: how single cells respond to a drug, by transfer from bulk cell lines whose response is known.
include { BENCHMARK        } from './workflows/benchmark'
include { PERTURBATION     } from './workflows/perturbation'
include { PREDICT_RESPONSE } from './workflows/predict'
include { PREPARE          } from './workflows/prepare'

workflow {
    def given = CommandLine.given(workflow.commandLine, workflow.launchDir)
    def schema = new Schema(projectDir)
    if (given.containsKey('help')) {
        println(Help.text(schema, workflow.manifest.version))
        return
    }
    if (given.containsKey('version')) {
        println("PharmaCell ${workflow.manifest.version}")
        return
    }
    def plan = null
    try {
        def checked = schema.check(params, given)
        plan = checked.mode == 'perturbation'
            ? new PerturbationPlan(schema, checked, workflow.launchDir)
            : new Plan(schema, checked, workflow.launchDir)
    } catch (IllegalArgumentException problem) {
        error(problem.message)
    }
    (schema.warnings + plan.warnings).each { line -> log.warn(line) }
    def image = Versions.image(workflow)
    if (image) {
        log.info(image)
    }

    def verdicts = Collections.synchronizedList([]) // one line for each prediction, said when the run ends
    def plan_mode = plan instanceof PerturbationPlan ? 'perturbation' : plan.mode
    def plan_outdir = params.outdir.toString()
    def ch_versions = channel.of(Versions.ofRun(workflow))
    if (plan instanceof PerturbationPlan) {
        PERTURBATION(plan.inputs.collectEntries { name, path -> [name, InputFile.of(path, workflow.workDir)] }, plan.trainings, plan.options)
        ch_versions = ch_versions.mix(PERTURBATION.out.versions.map { file -> file.text })
    } else {
        def samples = plan.samples.collect { meta -> [meta.findAll { key, _value -> key != 'path' }, InputFile.of(meta.path, workflow.workDir)] }
        def tables = plan.tables.collect { table -> InputFile.of(table, workflow.workDir) }
        Cores.divide(params.max_cpus, plan.counts)
        PREPARE(samples, plan.simulated, tables, plan.options)
        def ch_files = PREPARE.out.versions
        if (plan.mode == 'benchmark') {
            BENCHMARK(PREPARE.out.ready, PREPARE.out.skipped, plan.options)
            ch_files = ch_files.mix(BENCHMARK.out.versions)
        } else {
            def gene_sets = InputFile.of(plan.geneSets, workflow.workDir)
            def published = InputFile.of(plan.published, workflow.workDir)
            PREDICT_RESPONSE(PREPARE.out.ready, PREPARE.out.tables, PREPARE.out.panels, PREPARE.out.skipped, gene_sets, published, plan.options)
            PREDICT_RESPONSE.out.verdicts.subscribe { line -> verdicts << line }
            ch_files = ch_files.mix(PREDICT_RESPONSE.out.versions)
        }
        ch_versions = ch_versions.mix(ch_files.map { file -> file.text })
    }
    ch_versions
        .unique()
        .collectFile(name: 'versions.yml', storeDir: "${params.outdir}/pipeline_info", sort: true)

    def run = workflow // inside the handler the name means something else on 24.10
    workflow.onComplete {
        if (run.success) {
            Ending.lines(plan_outdir, plan_mode, verdicts).each { line -> log.info(line) }
        }
    }
    workflow.onError {
        def line = Failure.lastLine(run.errorReport)
        if (line) {
            log.error(line)
        }
    }
}
