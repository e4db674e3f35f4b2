// From differential expression of known (cell type, compound) pairs to a comparison of the models that predict it.
include { SIMULATE_PERTURBATION } from '../modules/simulate_perturbation/main'
include { KAGGLE_TRAIN          } from '../modules/kaggle_train/main'
include { KAGGLE_TRAIN as KAGGLE_TRAIN_CPU } from '../modules/kaggle_train/main'
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

    def trained = trainings.collectEntries { training -> [training.id, training.trained] }
    // ch_trainings: [training, de_train, genes, id_map, sample_submission, compound_embedding]
    def ch_trainings = channel.fromList(trainings).combine(ch_table)
        .map { meta, train, keys, sample ->
            [meta.subMap('id', 'models', 'encoding', 'protocol'), train, inputs.genes, keys, sample, meta.vectors ? inputs.compound_embedding : []]
        }
        .branch { training ->
            network: trained[training[0].id]
            simple: true
        }
    KAGGLE_TRAIN(ch_trainings.network, options.training)
    KAGGLE_TRAIN_CPU(ch_trainings.simple, options.simple)
    KAGGLE_TRAIN.out.notes.mix(KAGGLE_TRAIN_CPU.out.notes)
        .flatMap { file -> file.text.readLines() }
        .unique() // all trainings read the same table
        .subscribe { line -> log.warn(line) }
    def ch_trained = KAGGLE_TRAIN.out.model.mix(KAGGLE_TRAIN_CPU.out.model)

    // A training that failed for good leaves a hole in the comparison, which the report names. Where the input is to blame
    // for every one that is compared, the run ends with what is wrong with it.
    def ch_problems = KAGGLE_TRAIN.out.problem.mix(KAGGLE_TRAIN_CPU.out.problem)
        .map { meta, file -> [meta.id, Failure.taken(file)] }
        .toSortedList()
        .map { found -> [found.collectEntries()] }
    def ch_missing = ch_trained
        .map { meta, _weights, _tests, _submissions -> meta.id }
        .toList()
        .map { done -> [done] }
        .combine(ch_problems)
        .map { done, problems ->
            if (trainings.every { training -> problems[training.id] || !training.protocol }) {
                error(problems.values().toSet().join('; '))
            }
            problems.each { id, problem -> log.warn("${id} is missing: ${problem}") }
            trainings.findAll { training -> problems[training.id] || !(training.id in done) }
                .collectEntries { training -> [training.id, problems[training.id] ?: 'its training failed'] }
        }
    KAGGLE_SUMMARY(
        ch_table.map { train, _keys, _sample -> train },
        inputs.genes,
        KAGGLE_TRAIN.out.scores.mix(KAGGLE_TRAIN_CPU.out.scores).collect().ifEmpty([]),
        KAGGLE_TRAIN.out.second_scores.mix(KAGGLE_TRAIN_CPU.out.second_scores).collect().ifEmpty([]),
        KAGGLE_TRAIN.out.history.collect().ifEmpty([]),
        options.summary,
        ch_missing,
    )
    REPORT(KAGGLE_SUMMARY.out.sections.collect(), options.report, ch_missing)

    emit:
    report = REPORT.out.html
    versions = ch_versions.mix(KAGGLE_TRAIN.out.versions, KAGGLE_TRAIN_CPU.out.versions, KAGGLE_SUMMARY.out.versions, REPORT.out.versions)
}
