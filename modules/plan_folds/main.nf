// Fix the folds of one sample, check that each can be trained and scored, and cut the fits of all models into slices.
process PLAN_FOLDS {
    tag "${meta.sample}"
    label 'process_low'
    ext code: Code.digest(projectDir, 'plan_folds')

    input:
    tuple val(meta), path(cells), path(bulk, stageAs: 'bulk/*'), path(response)
    val options

    output:
    tuple val(meta), path("${meta.sample}.folds.csv"), path("${meta.sample}.slices.csv"), emit: plan
    path "${meta.sample}.expected.csv", emit: expected
    path 'versions.yml', emit: versions

    script:
    def files = [bulk: bulk, response: response, target: cells]
    def row = meta.subMap('sample', 'drug') + (meta.sampling ? [sampling: meta.sampling] : [:])
    """
    : ${task.ext.code}
    plan_folds.py ${Options.line(files + options + row)} --threads ${task.cpus}
    versions.py --process '${task.process}' scikit-learn pandas > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    echo dataset,protocol,repeat,fold,cell_id > ${meta.sample}.folds.csv
    echo id,dataset,drug,model,heads,sampling,protocol,first,last,gene_set,pretrained > ${meta.sample}.slices.csv
    echo ${Options.csv(["${meta.sample}.atsdp.8.none.0-1", meta.sample, meta.drug, 'atsdp', 8, 'none', 'labels', 0, 1, 'genes', 1])} >> ${meta.sample}.slices.csv
    echo ${Options.csv(["${meta.sample}.prevalence.0-1", meta.sample, meta.drug, 'prevalence', '', 'none', 'labels', 0, 1, 'genes', 0])} >> ${meta.sample}.slices.csv
    echo dataset,drug,model,heads,sampling,protocol,repeat,fold > ${meta.sample}.expected.csv
    versions.py --process '${task.process}' > versions.yml
    """
}
