// Train the autoencoders of all repeats on bulk lines, once for each set of genes: every drug and every number of heads
// begins with them.
process PRETRAIN_AUTOENCODER {
    tag "${Options.tag(gene_set)}"
    label 'process_high'
    label 'process_gpu'
    ext code: Code.digest(projectDir, 'pretrain_autoencoder')

    input:
    tuple val(gene_set), path(cells), path(bulk, stageAs: 'bulk/*')
    val options

    output:
    tuple val(gene_set), path('autoencoder.safetensors'), emit: weights
    path 'versions.yml', emit: versions

    script:
    """
    : ${task.ext.code}
    pretrain_autoencoder.py ${Options.line([bulk: bulk, target: cells] + options)} --threads ${task.cpus}
    versions.py --process '${task.process}' torch > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    touch autoencoder.safetensors
    versions.py --process '${task.process}' > versions.yml
    """
}
