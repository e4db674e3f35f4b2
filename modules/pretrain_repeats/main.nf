// Train the source models of all repeats as one stack, once for each drug, set of genes, number of heads and sampling:
// bulk lines know nothing of the folds of the cells.
process PRETRAIN_REPEATS {
    tag "${Options.tag(meta.id)}"
    label 'process_high'
    label 'process_gpu'
    ext code: Code.digest(projectDir, 'pretrain_bulk')

    input:
    tuple val(meta), path(cells), path(bulk, stageAs: 'bulk/*'), path(response), path(autoencoder)
    val options

    output:
    tuple val(meta), path('bulk.pretrained.*'), emit: model // safetensors and json
    path 'versions.yml', emit: versions

    script:
    def files = [bulk: bulk, response: response, target: cells, autoencoder: autoencoder]
    def row = meta.subMap('drug', 'heads', 'sampling')
    """
    : ${task.ext.code}
    pretrain_bulk.py --sample bulk ${Options.line(files + options + row)} --threads ${task.cpus}
    versions.py --process '${task.process}' torch scikit-learn imbalanced-learn > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    touch bulk.pretrained.safetensors bulk.pretrained.json
    versions.py --process '${task.process}' > versions.yml
    """
}
