#!/usr/bin/env nextflow
// PharmaCell: how single cells respond to a drug, by transfer from bulk cell lines whose response is known.
include { PREDICT_RESPONSE } from './workflows/predict'

workflow {
    def plan = null
    try {
        plan = new Plan(new Schema(projectDir), params, workflow.launchDir)
    } catch (IllegalArgumentException problem) {
        error(problem.message)
    }
    PREDICT_RESPONSE(
        plan.samples.collect { meta -> [meta.findAll { key, _value -> key != 'path' }, file(meta.path)] },
        plan.simulated,
        plan.tables.collect { table -> table ? file(table) : [] },
        plan.options,
    )
    PREDICT_RESPONSE.out.versions
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
