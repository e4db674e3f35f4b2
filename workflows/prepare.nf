// Bulk lines and samples, ready for training: read, checked and on disk in the project's form.
include { PREPARE_BULK   } from '../modules/prepare_bulk/main'
include { SIMULATE_CELLS } from '../modules/simulate_cells/main'
include { QC             } from '../modules/qc/main'

workflow PREPARE {
    take:
    samples    // list of [meta, cells]: one for each row of the sheet; empty when cells are simulated
    simulated  // meta of the simulated sample, or null
    tables     // [expression, response]: the user's bulk tables, or two empty lists
    options    // map: the options of each step, by the group of nextflow_schema.json

    main:
    def drugs = simulated ? [simulated.drug] : samples.collect { meta, _cells -> meta.drug }.unique().sort()
    PREPARE_BULK(tables[0], tables[1], drugs, options.bulk)

    // ch_bulk: [bulk.h5ad, response.parquet]; ch_samples: [meta, cells]
    def ch_bulk = PREPARE_BULK.out.bulk.combine(PREPARE_BULK.out.response)
    def ch_versions = PREPARE_BULK.out.versions
    def ch_samples = channel.fromList(samples)
    if (simulated) {
        SIMULATE_CELLS(PREPARE_BULK.out.bulk, PREPARE_BULK.out.response, simulated.drug, options.simulation)
        ch_samples = SIMULATE_CELLS.out.cells.map { cells -> [simulated, cells] }
        ch_bulk = SIMULATE_CELLS.out.bulk.combine(PREPARE_BULK.out.response)
        ch_versions = ch_versions.mix(SIMULATE_CELLS.out.versions)
    }

    QC(ch_samples, options.quality_control + options.trajectory)

    // Nothing goes on before all samples are checked: ch_skipped has one element, once the last of them is. Bad samples
    // end the run, all named; with --skip_bad_samples it goes on without them.
    def ch_checked = QC.out.cells.branch { _meta, file ->
        bad: file.name.endsWith('.problem')
        usable: true
    }
    def n_samples = simulated ? 1 : samples.size()
    def ch_skipped = ch_checked.bad
        .map { meta, file -> [meta.sample, Failure.taken(file)] }
        .toSortedList()
        .map { found ->
            if (found && (!options.samples.skip_bad || found.size() == n_samples)) {
                error(Failure.ofSamples(found))
            }
            [options.samples.skipped + found.collectEntries()]
        }
    // ch_skipped: map from the name of a sample that is left out to the reason; ch_cells: [meta, cells]
    def ch_cells = ch_checked.usable.combine(ch_skipped).map { meta, cells, _skipped -> [meta, cells] }
    def ch_ready = ch_cells.combine(ch_bulk)

    emit:
    skipped = ch_skipped.map { found -> found[0] }
    ready = ch_ready      // [meta, cells, bulk.h5ad, response.parquet]
    cells = ch_cells      // [meta, cells]
    tables = QC.out.tables
    versions = ch_versions.mix(QC.out.versions)
}
