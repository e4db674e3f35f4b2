// Scores, tests, tables and figures over all fits of a benchmark, and its sections of the report.
process BENCHMARK_SUMMARY {
    tag 'all models'
    label 'process_medium'
    ext code: Code.digest(projectDir, 'benchmark_summary')

    input:
    path predictions, stageAs: 'predictions/*', arity: '0..*' // a slice that failed for good has none
    path fits, stageAs: 'fits/*', arity: '0..*'
    path expected, stageAs: 'expected/*', arity: '1..*' // every fit of the table, one file for each sample
    path plans, stageAs: 'plans/*', arity: '1..*'
    val options

    output:
    path '*.{csv,tex}', emit: tables
    path 'predictions.parquet', emit: predictions
    path 'figures', emit: figures
    path 'benchmark.sections', emit: sections
    path 'versions.yml', emit: versions

    script:
    """
    : ${task.ext.code}
    mkdir -p predictions fits
    awk 'FNR > 1 || NR == 1' expected/* > expected.csv
    benchmark_summary.py --expected expected.csv --plans plans --predictions predictions --fits fits ${Options.line(options)} --threads ${task.cpus}
    versions.py --process '${task.process}' scikit-posthocs scipy matplotlib pyarrow > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    mkdir figures benchmark.sections
    touch scores.csv missing.csv table1.csv table3.csv table4.csv table1.tex table3.tex table4.tex
    touch predictions.parquet figures/fig2_bars.png benchmark.sections/benchmark.json
    versions.py --process '${task.process}' > versions.yml
    """
}
