// From differential expression of known (cell type, compound) pairs to a comparison of the models that predict it.
include { SIMULATE_PERTURBATION } from '../modules/simulate_perturbation/main'
include { KAGGLE_TRAIN          } from '../modules/kaggle_train/main'
include { KAGGLE_SUMMARY        } from '../modules/kaggle_summary/main'
include { REPORT                } from '../modules/report/main'

workflow PERTURBATION {
    take:
    inputs     // map: file of each input by the name of its param; an empty list where it was not given
    trainings  // list of maps: id, models, encoding, protocol; one for each task
    options    // map: options of training, simulation and report

    main:
    // ch_table: [de_train, id_map, sample_submission]
    def ch_table = channel.of([inputs.de_train, inputs.id_map, inputs.sample_submission])
    def ch_versions = channel.empty()
    if (inputs.train_keys) {
        SIMULATE_PERTURBATION(inputs.train_keys, inputs.id_map, inputs.cell_type_mean, inputs.cell_type_std, options.simulation)
        ch_table = SIMULATE_PERTURBATION.out.train
            .combine(SIMULATE_PERTURBATION.out.id_map)
            .combine(SIMULATE_PERTURBATION.out.sample)
        ch_versions = SIMULATE_PERTURBATION.out.versions
    }

    KAGGLE_TRAIN(
        channel.fromList(trainings).combine(ch_table).map { meta, train, keys, sample ->
            [meta, train, keys, sample, meta.encoding == 'embedding' ? inputs.compound_embedding : []]
        },
        options.training,
    )
    KAGGLE_SUMMARY(
        ch_table.map { train, _keys, _sample -> train },
        KAGGLE_TRAIN.out.predictions.collect(),
        KAGGLE_TRAIN.out.history.collect().ifEmpty([]),
        options.training,
    )
    REPORT(KAGGLE_SUMMARY.out.sections.collect(), options.report)

    emit:
    report = REPORT.out.html
    versions = ch_versions.mix(KAGGLE_TRAIN.out.versions, KAGGLE_SUMMARY.out.versions, REPORT.out.versions)
}
