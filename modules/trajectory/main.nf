// The cells of one sample in the order of a pseudotime, and how predictions and key genes change along it.
process TRAJECTORY {
    tag "${meta.sample}"
    label 'process_medium'
    ext code: Code.digest(projectDir, 'trajectory'), share: { Cores.of('run') }

    input:
    tuple val(meta), path(cells), path(key_genes)
    val options

    output:
    tuple val(meta), path("${meta.sample}.trajectory"), emit: folder
    path 'versions.yml', emit: versions

    script:
    """
    : ${task.ext.code}
    trajectory.py ${Options.line([target: cells, key_genes: key_genes, sample: meta.sample] + options)} --threads ${task.cpus}
    versions.py --process '${task.process}' scikit-learn igraph > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    mkdir ${meta.sample}.trajectory
    touch ${meta.sample}.trajectory/pseudotime.csv
    versions.py --process '${task.process}' > versions.yml
    """
}
