// Sensitivity of every cell, from all replicas, beside the simple models' predictions.
process PREDICT {
    tag "${meta.sample}"
    label 'process_medium'
    label 'process_gpu'
    ext code: Code.digest(projectDir, 'predict'), share: { Cores.of('run') }, input_bytes: { InputFile.bytes(cells) }

    input:
    tuple val(meta), path(weights), path(config), path(permuted), path(cells)
    val options

    output:
    tuple val(meta), path("${meta.sample}.predicted.h5ad"), emit: cells
    tuple val(meta), path("${meta.sample}.predictions.csv"), path("${meta.sample}.baselines.csv"),
        path("${meta.sample}.diagnostics.json"), path("${meta.sample}.model_metrics.csv", arity: '0..*'),
        path("${meta.sample}.significance.csv", arity: '0..*'), path("${meta.sample}.treatment.csv", arity: '0..*'), emit: tables
    path "${meta.sample}.metrics.csv", optional: true, emit: metrics
    path 'versions.yml', emit: versions

    script:
    """
    : ${task.ext.code}
    predict.py ${Options.line([model: weights, target: cells, sample: meta.sample, 'null': permuted] + options)} --threads ${task.cpus}
    versions.py --process '${task.process}' torch anndata scikit-learn > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    touch ${meta.sample}.predicted.h5ad ${meta.sample}.predictions.csv ${meta.sample}.baselines.csv ${meta.sample}.diagnostics.json
    versions.py --process '${task.process}' > versions.yml
    """
}
