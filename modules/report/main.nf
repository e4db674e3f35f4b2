// One self-contained page over all samples, from any number of folders with sections of it.
process REPORT {
    tag 'all samples'
    label 'process_low'
    ext code: Code.digest(projectDir, 'report')

    input:
    path sections, arity: '1..*'
    val parameters

    output:
    path 'pharmacell_report.html', emit: html
    path 'versions.yml', emit: versions

    script:
    """
    : ${task.ext.code}
    echo ${Options.json(parameters)} > parameters.json
    report.py ${sections} --parameters parameters.json --threads ${task.cpus}
    versions.py --process '${task.process}' multiqc > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    touch pharmacell_report.html
    versions.py --process '${task.process}' > versions.yml
    """
}
