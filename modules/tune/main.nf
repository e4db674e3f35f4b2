// Search the settings of one model on the bulk lines of a sample's drug; of the sample only the gene names are read.
process TUNE {
    tag "${Options.tag("${meta.sample}.${model}")}"
    label 'process_high'
    label 'process_gpu'
    ext code: Code.digest(projectDir, 'tune')

    input:
    tuple val(meta), path(cells), path(bulk, stageAs: 'bulk/*'), path(response), val(model)
    val options

    output:
    tuple val(meta.sample), val(model), path("${meta.sample}.${model}.params.json"), emit: params
    path "${meta.sample}.${model}.trials.csv", emit: trials
    path 'versions.yml', emit: versions

    script:
    def files = [bulk: bulk, response: response, target: cells]
    def row = meta.subMap('sample', 'drug') + [model: model]
    """
    : ${task.ext.code}
    tune.py ${Options.line(files + options + row)} --threads ${task.cpus}
    versions.py --process '${task.process}' torch optuna > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    echo '{}' > ${meta.sample}.${Options.quote(model)}.params.json
    touch ${meta.sample}.${Options.quote(model)}.trials.csv
    versions.py --process '${task.process}' > versions.yml
    """
}
