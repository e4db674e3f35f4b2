// Read one sample, map its genes to human symbols, filter cells and genes, normalise.
process QC {
    tag "${meta.sample}"
    label 'process_medium'
    ext code: Code.digest(projectDir, 'qc')

    input:
    tuple val(meta), path(cells, stageAs: 'input/*')
    val options

    output:
    tuple val(meta), path("${meta.sample}.h5ad"), emit: cells
    tuple val(meta), path("${meta.sample}.qc_metrics.csv"), path("${meta.sample}.qc_summary.json"), emit: tables
    path 'versions.yml', emit: versions

    script:
    def columns = meta.subMap('sample', 'label_key', 'group_key', 'species', 'scale')
    """
    : ${task.ext.code}
    qc.py --input ${cells} ${Options.line(columns + options)} --threads ${task.cpus}
    versions.py --process '${task.process}' anndata scikit-learn igraph > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    touch ${meta.sample}.h5ad ${meta.sample}.qc_metrics.csv ${meta.sample}.qc_summary.json
    versions.py --process '${task.process}' > versions.yml
    """
}
