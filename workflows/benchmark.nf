// Repeated cross-validation of many models on the same folds: datasets x models x heads x samplings x repeats x folds.
include { PREPARE              } from './prepare'
include { PLAN_FOLDS           } from '../modules/plan_folds/main'
include { PRETRAIN_AUTOENCODER } from '../modules/pretrain_autoencoder/main'
include { PRETRAIN_REPEATS     } from '../modules/pretrain_repeats/main'
include { TUNE                 } from '../modules/tune/main'
include { CROSS_VALIDATE       } from '../modules/cross_validate/main'
include { BENCHMARK_SUMMARY    } from '../modules/benchmark_summary/main'
include { REPORT               } from '../modules/report/main'

workflow BENCHMARK {
    take:
    samples    // list of [meta, cells]: one for each row of the sheet; empty when cells are simulated
    simulated  // meta of the simulated sample, or null
    tables     // [expression, response]: the user's bulk tables, or two empty lists
    options    // map: the options of each step, by the group of nextflow_schema.json

    main:
    PREPARE(samples, simulated, tables, options)
    PLAN_FOLDS(
        PREPARE.out.ready,
        options.network.findAll { name, _value -> name != 'n_replicas' } + options.training + options.benchmark,
    )

    // No training before all samples are planned: the count arrives when the last plan has been made.
    // ch_slices: [slice, cells, bulk.h5ad, response.parquet, folds]; one element for each task of CROSS_VALIDATE
    def ch_planned = PREPARE.out.ready.join(PLAN_FOLDS.out.plan)
    def ch_slices = ch_planned.combine(ch_planned.count()).flatMap { _meta, cells, bulk, response, folds, slices, _n ->
        slices.splitCsv(header: true).collect { row ->
            def slice = row.subMap('id', 'drug', 'model', 'heads', 'sampling', 'first', 'last') + [sample: row.dataset]
            def source = row.pretrained == '1' ? row.subMap('drug', 'gene_set', 'heads', 'sampling') : [:]
            [slice, source, cells, bulk, response, folds]
        }
    }
    def ch_kinds = ch_slices.branch { _slice, source, _cells, _bulk, _response, _folds ->
        pretrained: source
        alone: true
    }

    // Which bulk stages are needed, and a sample with the genes of each: the first by name, so that -resume finds it.
    // ch_sources: [source, cells, bulk.h5ad, response.parquet]
    def ch_sources = ch_kinds.pretrained
        .map { slice, source, cells, bulk, response, _folds -> [source, [sample: slice.sample, files: [cells, bulk, response]]] }
        .groupTuple()
        .map { source, users -> [source] + users.min { user -> user.sample }.files }
    def ch_gene_sets = ch_sources
        .map { source, cells, bulk, _response -> [source.gene_set, [cells, bulk]] }
        .groupTuple()
        .map { gene_set, files -> [gene_set] + files.min { pair -> pair[0].name } }

    def replicas = [n_replicas: options.benchmark.repeats * options.network.n_replicas]
    def bulk_options = options.network + options.training + replicas
    PRETRAIN_AUTOENCODER(ch_gene_sets, bulk_options)
    PRETRAIN_REPEATS(
        ch_sources.map { source, cells, bulk, response -> [source.gene_set, source, cells, bulk, response] }
            .combine(PRETRAIN_AUTOENCODER.out.weights, by: 0)
            .map { _gene_set, source, cells, bulk, response, weights ->
                [source + [id: "${source.drug}.${source.heads}.${source.sampling}".toString()], cells, bulk, response, weights]
            },
        bulk_options,
    )
    // A slice whose bulk stage failed for good has nothing to begin with; the summary names it.
    def ch_models = PRETRAIN_REPEATS.out.model.map { meta, files -> [meta.subMap('drug', 'gene_set', 'heads', 'sampling'), files] }
    CROSS_VALIDATE(
        ch_kinds.alone.map { slice, _source, cells, bulk, response, folds -> [slice, cells, bulk, response, folds, []] }.mix(
            ch_kinds.pretrained.map { slice, source, cells, bulk, response, folds -> [source, slice, cells, bulk, response, folds] }
                .combine(ch_models, by: 0)
                .map { _source, slice, cells, bulk, response, folds, files -> [slice, cells, bulk, response, folds, files] }
        ),
        options.network + options.training + options.transfer.findAll { name, _value -> name != 'supervision' }
            + options.prediction + options.stacks + options.benchmark.subMap('model_settings'),
    )

    // A search for better settings; this run's table keeps those that it was given.
    // ch_tuned: [meta, cells, bulk.h5ad, response.parquet, model]; one element for each sample and model
    def ch_tuned = options.tuning.tune ? ch_planned.flatMap { meta, cells, bulk, response, _folds, slices ->
        slices.splitCsv(header: true).collect { row -> row.model }.unique().collect { model -> [meta, cells, bulk, response, model] }
    } : channel.empty()
    TUNE(
        ch_tuned,
        options.training.subMap('validation', 'epochs', 'seed', 'device') + [trials: options.tuning.tune],
    )

    BENCHMARK_SUMMARY(
        CROSS_VALIDATE.out.predictions.collect().ifEmpty([]),
        CROSS_VALIDATE.out.fits.collect().ifEmpty([]),
        PLAN_FOLDS.out.expected.collect(sort: true), // the order of the tables
        PLAN_FOLDS.out.plan.map { _meta, folds, _slices -> folds }.collect(),
        options.summary,
    )
    REPORT(BENCHMARK_SUMMARY.out.sections, options.report)

    emit:
    report = REPORT.out.html
    versions = PREPARE.out.versions.mix(
        PLAN_FOLDS.out.versions, PRETRAIN_AUTOENCODER.out.versions, PRETRAIN_REPEATS.out.versions,
        TUNE.out.versions, CROSS_VALIDATE.out.versions, BENCHMARK_SUMMARY.out.versions, REPORT.out.versions,
    )
}
