// From prepared bulk lines and samples to a sensitivity for every cell.
include { PRETRAIN_BULK  } from '../modules/pretrain_bulk/main'
include { FINETUNE_SC    } from '../modules/finetune_sc/main'
include { PREDICT        } from '../modules/predict/main'
include { KEY_GENES      } from '../modules/key_genes/main'
include { TRAJECTORY     } from '../modules/trajectory/main'
include { PRETRAIN_PANEL } from '../modules/pretrain_panel/main'
include { PREDICT_PANEL  } from '../modules/predict_panel/main'
include { FIGURES        } from '../modules/figures/main'
include { PANEL_FIGURES  } from '../modules/panel_figures/main'
include { EXPLORER       } from '../modules/explorer/main'
include { REPORT         } from '../modules/report/main'

workflow PREDICT_RESPONSE {
    take:
    ready   // [meta, cells, bulk.h5ad, response.parquet]: one element for each drug of a sample
    tables  // [meta, tables of quality control], the same
    panels  // [meta, cells, bulk.h5ad, response.parquet]: one element for each sample with a panel
    skipped    // map from the name of a sample that is left out to the reason
    gene_sets  // gmt file, or an empty list
    published  // folder of bulk stages that an earlier run published, or an empty list
    options    // map: the options of each step, by the group of nextflow_schema.json

    main:
    def ch_ready = ready
    def ch_cells = ready.map { meta, cells, _bulk, _response -> [meta, cells] }
    def ch_tables = tables
    // One bulk stage for each drug and resampling, on all bulk genes; or one for each sample, on its genes.
    // ch_runs: [stage, meta, cells, bulk.h5ad, response.parquet], where a stage is a sample's meta or stands in its place
    def shared = options.bulk_stage.shared
    def ch_runs = ch_ready.map { run -> [shared ? DrugChoice.bulkStage(run[0]) : run[0]] + run }
    PRETRAIN_BULK(
        ch_runs.map { stage, _meta, cells, bulk, response -> [stage, shared ? [] : cells, bulk, response] }.unique(),
        shared ? published : [],
        options.network + options.training + options.kept,
    )
    FINETUNE_SC(
        PRETRAIN_BULK.out.model.combine(ch_runs, by: 0).map { _stage, weights, config, split, meta, cells, bulk, response ->
            [meta, weights, config, split, cells, bulk, response]
        },
        options.training + options.transfer,
    )
    // ch_source: [meta, scores on held-out lines, losses of the bulk stage]; a shared stage leaves the scores to the sample
    def ch_source = PRETRAIN_BULK.out.tables.combine(ch_runs.map { stage, meta, _cells, _bulk, _response -> [stage, meta] }, by: 0)
        .map { _stage, metrics, history, meta -> shared ? [meta, history] : [meta, metrics, history] }
    if (shared) {
        ch_source = FINETUNE_SC.out.source_metrics.join(ch_source)
    }
    PREDICT(FINETUNE_SC.out.model.join(ch_cells), options.prediction)

    // ch_explained: [meta, key_genes.csv, files beside it, folder of the trajectory]; empty lists where nothing is explained
    def ch_models = FINETUNE_SC.out.model
        .map { meta, weights, config, _permuted -> [meta, weights, config] }
        .branch { meta, _weights, _config ->
            explained: meta.explain && options.explanation_inputs.explain
            alone: true
        }
    KEY_GENES(ch_models.explained.join(PREDICT.out.cells), gene_sets, options.explanation)
    TRAJECTORY(PREDICT.out.cells.join(KEY_GENES.out.genes), options.trajectory)
    def ch_explained = KEY_GENES.out.genes.join(KEY_GENES.out.tables).join(TRAJECTORY.out.folder)
        .mix(ch_models.alone.map { meta, _weights, _config -> [meta, [], [], []] })
    // The bulk stage of the panel is that of all samples: it is done once.
    def ch_bulk = panels.map { _meta, _cells, bulk, response -> [bulk, response] }.first()
    PRETRAIN_PANEL(
        ch_bulk.map { bulk, _response -> bulk },
        ch_bulk.map { _bulk, response -> response },
        published,
        options.panel + options.kept,
    )
    PRETRAIN_PANEL.out.warning.mix(PRETRAIN_BULK.out.warning).subscribe { file -> file.text.readLines().each { line -> log.warn(line) } }
    PREDICT_PANEL(panels.combine(PRETRAIN_PANEL.out.model), options.run)

    FIGURES(
        ch_tables.join(ch_source).join(FINETUNE_SC.out.history)
            .join(PREDICT.out.cells).join(PREDICT.out.tables).join(ch_explained),
        options.run,
    )

    PANEL_FIGURES(PREDICT_PANEL.out.panel, options.run)

    // ch_shown: [meta, predicted cells of each drug, key genes of each, folder of a trajectory, folder of the panel];
    // empty lists for what there is none of. Sorted: lists that change their order would run EXPLORER again.
    def ch_drugs = PREDICT.out.cells.join(ch_explained)
        .map { meta, cells, genes, _tables, trajectory -> [DrugChoice.sampleOf(meta.sample), [cells: cells, genes: genes, trajectory: trajectory]] }
        .groupTuple()
    def ch_shown = ch_drugs
        .join(PREDICT_PANEL.out.panel.map { meta, folder -> [meta.sample, folder] }, remainder: true)
        .map { sample, drugs, folder ->
            def own = (drugs ?: []).sort { drug -> drug.cells.name }
            def trajectory = own.collect { drug -> drug.trajectory }.find { path -> path } ?: []
            [[sample: sample], own.collect { drug -> drug.cells }, own.collect { drug -> drug.genes }.flatten(), trajectory, folder ?: []]
        }
    EXPLORER(ch_shown, options.run)

    REPORT(
        FIGURES.out.sections.mix(PANEL_FIGURES.out.sections, EXPLORER.out.page).collect(),
        options.report,
        skipped,
    )

    emit:
    report = REPORT.out.html
    verdicts = PREDICT.out.tables
        .map { meta, _predictions, _baselines, diagnostics, _metrics, _significance, _treatment -> Ending.verdict(meta, diagnostics) }
        .mix(PREDICT_PANEL.out.panel.map { meta, folder -> Ending.panel(meta, folder) })
    versions = PRETRAIN_BULK.out.versions.mix(
        FINETUNE_SC.out.versions, PREDICT.out.versions,
        KEY_GENES.out.versions, TRAJECTORY.out.versions,
        PRETRAIN_PANEL.out.versions, PREDICT_PANEL.out.versions,
        FIGURES.out.versions, PANEL_FIGURES.out.versions, EXPLORER.out.versions, REPORT.out.versions,
    )
}
