// Adapt the source model to the cells of one sample.
process FINETUNE_SC {
    tag "${meta.sample}"
    label 'process_high'
    label 'process_gpu'
    ext code: Code.digest(projectDir, 'finetune_sc'), share: { Cores.of('run') },
        input_bytes: { 2 * (options.n_replicas ?: 5) * InputFile.bytes(bulk) + InputFile.bytes(cells) } // bulk once for each network of the stack

    input:
    tuple val(meta), path(weights), path(config), path(split), path(cells), path(bulk, stageAs: 'bulk/*'), path(response)
    val options

    output:
    tuple val(meta), path("${meta.sample}.model.safetensors"), path("${meta.sample}.model.json"),
        path("${meta.sample}.null.safetensors", arity: '0..*'), emit: model
    tuple val(meta), path("${meta.sample}.history.csv"), emit: history
    // of a bulk stage on all genes, on the sample's
    tuple val(meta), path("${meta.sample}.source_metrics.csv"), optional: true, emit: source_metrics
    path "${meta.sample}.transfer.json", emit: diagnostics
    path 'versions.yml', emit: versions

    script:
    def files = [pretrained: weights, split: split, bulk: bulk, response: response, target: cells]
    def row = meta.subMap('sample', 'drug', 'sampling')
    """
    : ${task.ext.code}
    finetune_sc.py ${Options.line(files + options + row)} --threads ${task.cpus} --attempt ${task.attempt}
    versions.py --process '${task.process}' torch igraph leidenalg > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    touch ${meta.sample}.model.safetensors ${meta.sample}.model.json ${meta.sample}.history.csv ${meta.sample}.transfer.json ${meta.sample}.null.safetensors
    touch ${meta.sample}.source_metrics.csv
    versions.py --process '${task.process}' > versions.yml
    """
}
