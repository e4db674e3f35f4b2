// The pictures of one sample's panel of drugs, and its sections of the report.
process PANEL_FIGURES {
    tag "${meta.sample}"
    label 'process_low'
    ext code: Code.digest(projectDir, 'panel_figures')

    input:
    tuple val(meta), path(panel)
    val options

    output:
    tuple val(meta), path("${meta.sample}.panel_figures"), emit: figures
    path "${meta.sample}.panel_sections", emit: sections
    path 'versions.yml', emit: versions

    script:
    """
    : ${task.ext.code}
    panel_figures.py ${Options.line([sample: meta.sample, panel: panel] + options)} --threads ${task.cpus}
    versions.py --process '${task.process}' matplotlib > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    mkdir ${meta.sample}.panel_figures ${meta.sample}.panel_sections
    touch ${meta.sample}.panel_figures/panel_maps.png ${meta.sample}.panel_sections/answer.json
    versions.py --process '${task.process}' > versions.yml
    """
}
