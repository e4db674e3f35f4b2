// Repeated cross-validation of many models on the same folds: datasets x models x heads x samplings x repeats x folds.
include { PLAN_FOLDS           } from '../modules/plan_folds/main'
include { PRETRAIN_AUTOENCODER } from '../modules/pretrain_autoencoder/main'
include { PRETRAIN_REPEATS     } from '../modules/pretrain_repeats/main'
include { TUNE                 } from '../modules/tune/main'
include { CROSS_VALIDATE       } from '../modules/cross_validate/main'
include { CROSS_VALIDATE as CROSS_VALIDATE_CPU } from '../modules/cross_validate/main'
include { BENCHMARK_SUMMARY    } from '../modules/benchmark_summary/main'
include { REPORT               } from '../modules/report/main'

workflow BENCHMARK {
    take:
    ready   // [meta, cells, bulk.h5ad, response.parquet]
    skipped    // map from the name of a sample that is left out to the reason
    options    // map: the options of each step, by the group of nextflow_schema.json

    main:
    def ch_ready = ready
    PLAN_FOLDS(
        ch_ready,
        Comparison.planned(options),
    )

    // No training before all samples are planned: the count arrives when the last plan has been made.
    // ch_slices: [slice, cells, bulk.h5ad, response.parquet, folds]; one element for each task of CROSS_VALIDATE
    def ch_planned = ch_ready.join(PLAN_FOLDS.out.plan)
    def ch_slices = ch_planned.combine(ch_planned.count()).flatMap { _meta, cells, bulk, response, folds, slices, _n ->
        slices.splitCsv(header: true, quote: '"').collect { row ->
            def slice = row.subMap('id', 'drug', 'model', 'heads', 'sampling', 'first', 'last') + [sample: row.dataset]
            def source = row.pretrained == '1' ? row.subMap('drug', 'gene_set', 'heads', 'sampling') : [:]
            [slice, source, cells, bulk, response, folds]
        }
    }
    // A search for better settings, which the fits of this run then have. The shared bulk stage was not trained with them, so each slice trains its own.
    // ch_tuned: [meta, cells, bulk.h5ad, response.parquet, model]; one element for each sample and model
    def ch_tuned = options.tuning.tune ? ch_planned.flatMap { meta, cells, bulk, response, _folds, slices ->
        slices.splitCsv(header: true, quote: '"').collect { row -> row.model }.unique().collect { model -> [meta, cells, bulk, response, model] }
    } : channel.empty()
    TUNE(
        ch_tuned,
        options.training.subMap('validation', 'epochs', 'seed', 'device') + [trials: options.tuning.tune],
    )

    def ch_kinds = ch_slices.branch { _slice, source, _cells, _bulk, _response, _folds ->
        tuned: options.tuning.tune
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
    // ch_fits: [slice, cells, bulk.h5ad, response.parquet, folds, files of the bulk stage or of TUNE], and the options that its model reads:
    // others would make -resume fit again what they do not change.
    def ch_models = PRETRAIN_REPEATS.out.model.map { meta, files -> [meta.subMap('drug', 'gene_set', 'heads', 'sampling'), files] }
    def ch_fits = ch_kinds.alone
        .map { slice, _source, cells, bulk, response, folds -> [slice, cells, bulk, response, folds, []] }
        .mix(
            ch_kinds.pretrained
                .map { slice, source, cells, bulk, response, folds -> [source, slice, cells, bulk, response, folds] }
                .combine(ch_models, by: 0)
                .map { _source, slice, cells, bulk, response, folds, files -> [slice, cells, bulk, response, folds, files] },
            ch_kinds.tuned
                .map { slice, _source, cells, bulk, response, folds -> [slice.sample, slice.model, slice, cells, bulk, response, folds] }
                .combine(TUNE.out.params, by: [0, 1])
                .map { _sample, _model, slice, cells, bulk, response, folds, params -> [slice, cells, bulk, response, folds, [params]] }
        )
        .branch { fit ->
            network: Comparison.isNetwork(fit[0].model)
            simple: true
        }
    def ch_networks = ch_fits.network.multiMap { fit ->
        files: fit
        options: Comparison.options(options, fit[0])
    }
    def ch_simple = ch_fits.simple.multiMap { fit ->
        files: fit
        options: Comparison.options(options, fit[0])
    }
    CROSS_VALIDATE(ch_networks.files, ch_networks.options)
    CROSS_VALIDATE_CPU(ch_simple.files, ch_simple.options)
    def ch_predictions = CROSS_VALIDATE.out.predictions.mix(CROSS_VALIDATE_CPU.out.predictions)
    def ch_fit_tables = CROSS_VALIDATE.out.fits.mix(CROSS_VALIDATE_CPU.out.fits)

    BENCHMARK_SUMMARY(
        ch_predictions.collect().ifEmpty([]),
        ch_fit_tables.collect().ifEmpty([]),
        PLAN_FOLDS.out.expected.collect(sort: true), // the order of the tables
        PLAN_FOLDS.out.plan.map { _meta, folds, _slices -> folds }.collect(),
        options.summary,
    )
    REPORT(BENCHMARK_SUMMARY.out.sections, options.report, skipped)

    emit:
    report = REPORT.out.html
    versions = PLAN_FOLDS.out.versions.mix(
        PRETRAIN_AUTOENCODER.out.versions, PRETRAIN_REPEATS.out.versions,
        TUNE.out.versions, CROSS_VALIDATE.out.versions, CROSS_VALIDATE_CPU.out.versions, BENCHMARK_SUMMARY.out.versions, REPORT.out.versions,
    )
}
