// One page with the cells of a sample, for all of its drugs.
process EXPLORER {
    tag "${meta.sample}"
    label 'process_low'
    ext code: Code.digest(projectDir, 'explorer')

    input:
    // lists with a file for each drug that was predicted by itself, and the panel; empty lists for what there is none of
    tuple val(meta), path(cells, stageAs: 'cells/*'), path(key_genes, stageAs: 'key_genes/*'), path(trajectory), path(panel)
    val options

    output:
    path "${meta.sample}.explorer", emit: page
    path 'versions.yml', emit: versions

    script:
    def files = [target: [cells].flatten(), key_genes: [key_genes].flatten(), trajectory: trajectory, panel: panel]
    """
    : ${task.ext.code}
    explorer.py ${Options.line([sample: meta.sample] + files + options)} --threads ${task.cpus}
    versions.py --process '${task.process}' jinja2 > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    mkdir ${meta.sample}.explorer
    touch ${meta.sample}.explorer/explorer_${meta.sample}.html
    versions.py --process '${task.process}' > versions.yml
    """
}
