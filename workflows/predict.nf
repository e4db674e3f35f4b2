// From prepared bulk lines and samples to a sensitivity for every cell.
include { PRETRAIN_BULK  } from '../modules/pretrain_bulk/main'
include { FINETUNE_SC    } from '../modules/finetune_sc/main'
include { PREDICT        } from '../modules/predict/main'
include { KEY_GENES      } from '../modules/key_genes/main'
include { TRAJECTORY     } from '../modules/trajectory/main'
include { FIGURES        } from '../modules/figures/main'
include { REPORT         } from '../modules/report/main'

workflow PREDICT_RESPONSE {
    take:
    ready   // [meta, cells, bulk.h5ad, response.parquet]
    cells   // [meta, cells]
    tables  // [meta, tables of quality control]
    skipped    // map from the name of a sample that is left out to the reason
    gene_sets  // gmt file, or an empty list
    options    // map: the options of each step, by the group of nextflow_schema.json

    main:
    def ch_ready = ready
    def ch_cells = cells
    def ch_tables = tables
    PRETRAIN_BULK(ch_ready, options.network + options.training)
    FINETUNE_SC(PRETRAIN_BULK.out.model.join(ch_ready), options.training + options.transfer)
    PREDICT(FINETUNE_SC.out.model.join(ch_cells), options.prediction)

    // ch_explained: [meta, key_genes.csv, files beside it, folder of the trajectory]; empty lists when nothing is explained
    def ch_explained = ch_cells.map { meta, _cells -> [meta, [], [], []] }
    def ch_explain_versions = channel.empty()
    if (options.explanation_inputs.explain) {
        KEY_GENES(
            FINETUNE_SC.out.model.map { meta, weights, config, _permuted -> [meta, weights, config] }.join(PREDICT.out.cells),
            gene_sets,
            options.explanation,
        )
        TRAJECTORY(PREDICT.out.cells.join(KEY_GENES.out.genes), options.trajectory)
        ch_explained = KEY_GENES.out.genes.join(KEY_GENES.out.tables).join(TRAJECTORY.out.folder)
        ch_explain_versions = KEY_GENES.out.versions.mix(TRAJECTORY.out.versions)
    }
    FIGURES(
        ch_tables.join(PRETRAIN_BULK.out.tables).join(FINETUNE_SC.out.history)
            .join(PREDICT.out.cells).join(PREDICT.out.tables).join(ch_explained),
        options.run,
    )

    REPORT(FIGURES.out.sections.collect(), options.report, skipped)

    emit:
    report = REPORT.out.html
    versions = PRETRAIN_BULK.out.versions.mix(
        FINETUNE_SC.out.versions, PREDICT.out.versions,
        ch_explain_versions, FIGURES.out.versions, REPORT.out.versions,
    )
}
