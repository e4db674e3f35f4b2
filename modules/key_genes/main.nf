// The genes behind a sample's predictions, their tests, the network's attention, and enriched gene sets.
process KEY_GENES {
    tag "${meta.sample}"
    label 'process_medium'
    label 'process_gpu'
    ext code: Code.digest(projectDir, 'key_genes'), share: { Cores.of('run') }

    input:
    tuple val(meta), path(weights), path(config), path(cells)
    path gene_sets // empty when none were given
    val options

    output:
    tuple val(meta), path("${meta.sample}.key_genes.csv"), emit: genes
    tuple val(meta), path("${meta.sample}.key_genes/*"), emit: tables
    path 'versions.yml', emit: versions

    script:
    """
    : ${task.ext.code}
    key_genes.py ${Options.line([model: weights, target: cells, sample: meta.sample, gene_sets: gene_sets] + options)} --threads ${task.cpus}
    versions.py --process '${task.process}' torch scipy gseapy > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    echo 'gene,class,attribution,std,fdr,log_fold_change,is_deg' > ${meta.sample}.key_genes.csv
    mkdir ${meta.sample}.key_genes
    touch ${meta.sample}.key_genes/key_genes.json
    versions.py --process '${task.process}' > versions.yml
    """
}
