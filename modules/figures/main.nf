// Every picture of one sample, and its sections of the report. The only process of a sample that draws.
process FIGURES {
    tag "${meta.sample}"
    label 'process_medium'
    ext code: Code.digest(projectDir, 'figures'), share: { Cores.of('run') }

    input:
    tuple val(meta), path(qc_metrics), path(qc_summary), path(source_metrics), path(source_history), path(history),
        path(cells), path(predictions), path(baselines), path(diagnostics), path(model_metrics),
        path(significance), path(treatment), path(key_genes), path(beside_key_genes, stageAs: 'key_genes/*'), path(trajectory)
    val options

    output:
    tuple val(meta), path("${meta.sample}.figures"), emit: figures
    path "${meta.sample}.sections", emit: sections
    path 'versions.yml', emit: versions

    script:
    def files = [
        qc_metrics: qc_metrics, qc_summary: qc_summary, source_metrics: source_metrics, source_history: source_history,
        history: history, target: cells, predictions: predictions, baselines: baselines, diagnostics: diagnostics,
        model_metrics: model_metrics, // empty without truth
        significance: significance, // empty when the network stands alone
        treatment: treatment, // empty when it is not known which cells were treated
        // empty when nothing is explained
        key_genes: key_genes, key_genes_folder: beside_key_genes ? 'key_genes' : null, trajectory: trajectory,
    ]
    """
    : ${task.ext.code}
    figures.py ${Options.line([sample: meta.sample] + files + options)} --threads ${task.cpus}
    versions.py --process '${task.process}' matplotlib > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    mkdir ${meta.sample}.figures ${meta.sample}.sections
    touch ${meta.sample}.figures/umap.png ${meta.sample}.sections/summary.json
    versions.py --process '${task.process}' > versions.yml
    """
}
