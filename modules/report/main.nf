// One self-contained page over all samples.
process REPORT {
    tag 'all samples'
    label 'process_low'
    ext code: Code.digest(projectDir, 'report')

    input:
    path sections
    path versions, stageAs: 'versions/?/*'

    output:
    path 'pharmacell_report.html', emit: html
    path 'versions.yml', emit: versions

    script:
    """
    : ${task.ext.code}
    versions.py --process '${task.process}' multiqc > versions.yml
    mkdir all_versions
    sort --unique versions.yml versions/*/versions.yml > all_versions/pharmacell_mqc_versions.yml
    report.py ${sections} all_versions
    """

    stub:
    """
    : ${task.ext.code}
    versions.py --process '${task.process}' > versions.yml
    touch pharmacell_report.html
    """
}
