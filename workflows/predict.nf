// From bulk lines and samples to a sensitivity for every cell.
include { PREPARE        } from './prepare'
include { PRETRAIN_BULK  } from '../modules/pretrain_bulk/main'
include { FINETUNE_SC    } from '../modules/finetune_sc/main'
include { PREDICT        } from '../modules/predict/main'
include { FIGURES        } from '../modules/figures/main'
include { REPORT         } from '../modules/report/main'

workflow PREDICT_RESPONSE {
    take:
    samples    // list of [meta, cells]: one for each row of the sheet; empty when cells are simulated
    simulated  // meta of the simulated sample, or null
    tables     // [expression, response]: the user's bulk tables, or two empty lists
    options    // map: the options of each step, by the group of nextflow_schema.json

    main:
    PREPARE(samples, simulated, tables, options)

    // ch_ready: [meta, cells, bulk.h5ad, response.parquet]; ch_cells: [meta, cells]
    def ch_ready = PREPARE.out.ready
    def ch_cells = PREPARE.out.cells
    PRETRAIN_BULK(ch_ready, options.network + options.training)
    FINETUNE_SC(PRETRAIN_BULK.out.model.join(ch_ready), options.training + options.transfer)
    PREDICT(FINETUNE_SC.out.model.join(ch_cells), options.prediction)
    FIGURES(
        PREPARE.out.tables.join(PRETRAIN_BULK.out.tables).join(FINETUNE_SC.out.history)
            .join(PREDICT.out.cells).join(PREDICT.out.tables),
        options.run,
    )

    REPORT(FIGURES.out.sections.collect(), options.report)

    emit:
    report = REPORT.out.html
    versions = PREPARE.out.versions.mix(
        PRETRAIN_BULK.out.versions, FINETUNE_SC.out.versions, PREDICT.out.versions,
        FIGURES.out.versions, REPORT.out.versions,
    )
}
