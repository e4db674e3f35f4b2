// Scores, gains over the best baseline, figures and the report's part of all perturbation models. Once a run.
process KAGGLE_SUMMARY {
    tag "${scores.size()} files"
    label 'process_medium'
    ext code: Code.digest(projectDir, 'kaggle_summary'), input_bytes: { (scores + second_scores).collect { file -> InputFile.bytes(file) }.sum() ?: InputFile.bytes(de_train) }

    input:
    path de_train
    path genes, stageAs: 'genes/*' // an empty list where there is none
    path scores, stageAs: 'row_scores/*', arity: '0..*' // and one example row of each model; none where all trainings failed: the command says why
    path second_scores, stageAs: 'second_row_scores/*', arity: '0..*' // the same of second_layer; empty without it
    path history, stageAs: 'history/*', arity: '0..*'
    val options
    val missing // map: trainings that failed, by id, with the reason

    output:
    path '*.csv', emit: tables
    path 'figures', emit: figures
    path 'second_layer/{*.csv,figures}', optional: true, emit: second // tables and figures of second_layer
    path 'perturbation.sections', emit: sections
    path 'versions.yml', emit: versions

    script:
    def rows = [['training', 'reason']] + missing.collect { id, reason -> [id, reason] }
    def flag = options.drop_unparsable ? '--drop_unparsable' : ''
    def second = options.second_layer ? '--second_row_scores second_row_scores' : ''
    def losses = history ? '--history history' : ''
    """
    : ${task.ext.code}
    mkdir -p row_scores ${second ? 'second_row_scores' : ''}
    kaggle_summary.py ${Options.line([de_train: de_train, genes: genes])} --row_scores row_scores ${second} ${losses} ${Options.line(options.findAll { name, _value -> name != 'drop_unparsable' })} ${flag} --threads ${task.cpus}
    printf '%s\\n' ${rows.collect { row -> Options.csv(row) }.join(' ')} > missing.csv
    versions.py --process '${task.process}' pandas matplotlib > versions.yml
    """

    stub:
    def rows = [['training', 'reason']] + missing.collect { id, reason -> [id, reason] }
    """
    : ${task.ext.code}
    printf '%s\\n' ${rows.collect { row -> Options.csv(row) }.join(' ')} > missing.csv
    mkdir figures perturbation.sections
    ${options.second_layer ? 'mkdir -p second_layer/figures && touch second_layer/scores.csv' : ''}
    touch scores.csv per_cell_type.csv per_compound.csv gains.csv figures/kaggle_accuracy.png perturbation.sections/scores.json
    versions.py --process '${task.process}' > versions.yml
    """
}
