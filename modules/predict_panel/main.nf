// All drugs, or those of a target or pathway, for the groups and cells of one sample.
process PREDICT_PANEL {
    tag "${meta.sample}"
    label 'process_high'
    label 'process_gpu'
    ext code: Code.digest(projectDir, 'predict_panel'), share: { Cores.of('sample') }, input_bytes: { InputFile.bytes(cells) + InputFile.bytes(bulk) }

    input:
    tuple val(meta), path(cells), path(bulk, stageAs: 'bulk/*'), path(response), path(model)
    val options

    output:
    tuple val(meta), path("${meta.sample}.panel"), emit: panel
    path 'versions.yml', emit: versions

    script:
    def files = [model: model, bulk: bulk, response: response, sample: cells]
    def row = [drug: meta.panel] + meta.subMap('label_key', 'group_key', 'normal_key', 'tissue', 'mutations')
    """
    : ${task.ext.code}
    predict_panel.py ${Options.line(files + options + row)} --threads ${task.cpus} --outdir ${meta.sample}.panel
    versions.py --process '${task.process}' anndata scikit-learn pyarrow > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    mkdir ${meta.sample}.panel
    touch ${meta.sample}.panel/panel.csv ${meta.sample}.panel/panel.json
    versions.py --process '${task.process}' > versions.yml
    """
}
