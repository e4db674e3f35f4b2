// One page over all samples, from any number of folders with sections of it, and the explorers beside it.
process REPORT {
    tag 'all samples'
    label 'process_low'
    ext code: Code.digest(projectDir, 'report')

    input:
    path sections, arity: '1..*'
    val parameters
    val left_out // map: what the page would have shown and does not, with the reason

    output:
    path 'pharmacell_report.html', emit: html
    path 'pharmacell_report_figures', optional: true, emit: figures // where they are too large to stand in the page
    path 'explorer*.html', optional: true, emit: explorers
    path 'versions.yml', emit: versions

    script:
    """
    : ${task.ext.code}
    echo ${Options.json(parameters)} > parameters.json
    echo ${Options.json(left_out)} > left_out.json
    report.py ${sections.collect { folder -> Options.quote(folder) }.join(' ')} --parameters parameters.json --left_out left_out.json --threads ${task.cpus}
    versions.py --process '${task.process}' jinja2 > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    echo ${Options.json([left_out: left_out])} > pharmacell_report.html
    touch explorer.html
    versions.py --process '${task.process}' > versions.yml
    """
}
