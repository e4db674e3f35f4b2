// Train the source model on bulk lines, on the genes that the sample has too or, without cells, on all; score it on held-out lines.
process PRETRAIN_BULK {
    tag "${meta.sample}"
    label 'process_high'
    label 'process_gpu'
    ext code: Code.digest(projectDir, 'pretrain_bulk'), share: { cells ? Cores.of('run') : null }, // no sample: kept between runs, whose sheets may not matter
        input_bytes: { 2 * (options.n_replicas ?: 5) * InputFile.bytes(bulk) + (cells ? InputFile.bytes(cells) : 0) } // bulk once for each network of the stack

    input:
    tuple val(meta), path(cells), path(bulk, stageAs: 'bulk/*'), path(response)
    path published, stageAs: 'published/*' // folder of bulk stages that an earlier run published, to reuse; or an empty list
    val options

    output:
    tuple val(meta), path("${meta.sample}.pretrained.safetensors"), path("${meta.sample}.pretrained.json"),
        path("${meta.sample}.split.csv"), emit: model
    tuple val(meta), path("${meta.sample}.source_metrics.csv"), path("${meta.sample}.source_history.csv"), emit: tables
    path "${meta.sample}.made_from.json", optional: true, emit: facts // without cells: kept between runs
    path 'reused.warning', optional: true, emit: warning
    path 'versions.yml', emit: versions

    script:
    def files = [bulk: bulk, response: response, target: cells, model: published ? "${published}/${DrugChoice.stageFolder(meta.sample)}" : null]
    def row = meta.subMap('sample', 'drug', 'sampling')
    """
    : ${task.ext.code}
    pretrain_bulk.py ${Options.line(files + options + row)} --code ${task.ext.code} --threads ${task.cpus} --attempt ${task.attempt}
    versions.py --process '${task.process}' torch scikit-learn imbalanced-learn > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    touch ${meta.sample}.pretrained.safetensors ${meta.sample}.pretrained.json ${meta.sample}.split.csv
    touch ${meta.sample}.source_metrics.csv ${meta.sample}.source_history.csv
    versions.py --process '${task.process}' > versions.yml
    """
}
