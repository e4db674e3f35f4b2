// Scores, gains over the best baseline, figures and the report's part of all perturbation models. Once a run.
process KAGGLE_SUMMARY {
    tag "${predictions.size()} files"
    label 'process_medium'
    ext code: Code.digest(projectDir, 'kaggle_summary')

    input:
    path de_train
    path predictions, stageAs: 'predictions/*', arity: '1..*'
    path history, stageAs: 'history/*', arity: '0..*'
    val options

    output:
    path '*.csv', emit: tables
    path 'figures', emit: figures
    path 'perturbation.mqc', emit: sections
    path 'versions.yml', emit: versions

    script:
    def flag = options.drop_unparsable ? '--drop_unparsable' : ''
    def losses = history ? '--history history' : ''
    """
    : ${task.ext.code}
    kaggle_summary.py --de_train ${de_train} --predictions predictions ${losses} ${Options.line(options.subMap('layer', 'seed', 'device'))} ${flag} --threads ${task.cpus}
    versions.py --process '${task.process}' pandas matplotlib > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    mkdir figures perturbation.mqc
    touch scores.csv per_cell_type.csv per_compound.csv gains.csv figures/kaggle_accuracy.png perturbation.mqc/scores_mqc.html
    versions.py --process '${task.process}' > versions.yml
    """
}
