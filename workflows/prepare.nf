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
    def rows = simulated ? [simulated] : samples*.first()
    def drugs = rows.collectMany { meta -> meta.runs*.drug + meta.panel }.unique().sort()
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

    // Once for each sample, whatever drugs it is asked about: another one in its row reads no sample again.
    QC(
        ch_samples.map { meta, cells ->
            def labels = [(meta.panel ? 'drug_label_key' : 'label_key'): meta.label_key]
            [meta.subMap('sample', 'group_key', 'normal_key', 'mutations', 'treatment_key', 'species', 'scale') + labels, cells]
        },
        options.quality_control + options.trajectory,
    )
    def ch_rows = ch_samples.map { meta, _cells -> [meta.sample, meta] } // [sample, meta]

    // Nothing goes on before all samples are checked: ch_skipped has one element, once the last of them is. Bad samples
    // end the run, all named; with --skip_bad_samples it goes on without them.
    def ch_checked = QC.out.cells.branch { _meta, file ->
        bad: file.name.endsWith('.problem')
        usable: true
    }
    def n_samples = rows.size()
    def ch_skipped = ch_checked.bad
        .map { meta, file -> [meta.sample, Failure.taken(file)] }
        .toSortedList()
        .map { found ->
            if (found && (!options.samples.skip_bad || found.size() == n_samples)) {
                error(Failure.ofSamples(found))
            }
            [options.samples.skipped + found.collectEntries()]
        }
    // ch_skipped: map from the name of a sample that is left out to the reason; ch_ready: [meta, cells, bulk.h5ad, response.parquet]
    def ch_ready = ch_checked.usable.combine(ch_skipped)
        .map { meta, cells, _skipped -> [meta.sample, cells] }
        .join(ch_rows)
        .map { _sample, cells, meta -> [meta, cells] }
        .combine(ch_bulk)
    def ch_tables = QC.out.tables
        .map { meta, metrics, summary -> [meta.sample, metrics, summary] }
        .join(ch_rows)

    emit:
    skipped = ch_skipped.map { found -> found[0] }
    // One element for each drug of a sample: [run, cells, bulk.h5ad, response.parquet], [run, metrics, summary]
    ready = ch_ready.flatMap { meta, cells, bulk, response -> meta.runs.collect { run -> [run, cells, bulk, response] } }
    tables = ch_tables.flatMap { _sample, metrics, summary, meta -> meta.runs.collect { run -> [run, metrics, summary] } }
    // One element for each sample with a panel: [meta, cells, bulk.h5ad, response.parquet]
    panels = ch_ready
        .filter { meta, _cells, _bulk, _response -> meta.panel }
        .map { meta, cells, bulk, response -> [meta.findAll { key, _value -> key != 'runs' }, cells, bulk, response] }
    versions = ch_versions.mix(QC.out.versions)
}
