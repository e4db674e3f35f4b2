#!/usr/bin/env nextflow
// PharmaCell: how single cells respond to a drug, by transfer from bulk cell lines whose response is known.
include { BENCHMARK        } from './workflows/benchmark'
include { PERTURBATION     } from './workflows/perturbation'
include { PREDICT_RESPONSE } from './workflows/predict'

workflow {
    def plan = null
    try {
        plan = params.mode == 'perturbation'
            ? new PerturbationPlan(new Schema(projectDir), params, workflow.launchDir)
            : new Plan(new Schema(projectDir), params, workflow.launchDir)
    } catch (IllegalArgumentException problem) {
        error(problem.message)
    }
    def ch_versions = channel.empty()
    if (params.mode == 'perturbation') {
        PERTURBATION(plan.inputs.collectEntries { name, path -> [name, path ? file(path) : []] }, plan.trainings, plan.options)
        ch_versions = PERTURBATION.out.versions
    } else {
        def samples = plan.samples.collect { meta -> [meta.findAll { key, _value -> key != 'path' }, file(meta.path)] }
        def tables = plan.tables.collect { table -> table ? file(table) : [] }
        if (params.mode == 'benchmark') {
            BENCHMARK(samples, plan.simulated, tables, plan.options)
            ch_versions = BENCHMARK.out.versions
        } else {
            PREDICT_RESPONSE(samples, plan.simulated, tables, plan.options)
            ch_versions = PREDICT_RESPONSE.out.versions
        }
    }
    ch_versions
        .map { file -> file.text }
        .unique()
        .collectFile(name: 'versions.yml', storeDir: "${params.outdir}/pipeline_info", sort: true)

    def run = workflow // inside the handler the name means something else on 24.10
    workflow.onError {
        def line = Failure.line(run.errorReport)
        if (line) {
            log.error(line)
        }
    }
}
