// Read one sample, map its genes to human symbols, filter cells and genes, normalise.
process QC {
    tag "${meta.sample}"
    label 'process_medium'
    ext code: Code.digest(projectDir, 'qc'), share: { Cores.of('sample') }, input_bytes: { InputFile.bytes(cells) }

    input:
    tuple val(meta), path(cells, stageAs: 'input/*')
    val options

    output:
    tuple val(meta), path("${meta.sample}.{h5ad,problem}"), emit: cells // problem: one line that says why there is no h5ad
    tuple val(meta), path("${meta.sample}.qc_metrics.csv"), path("${meta.sample}.qc_summary.json"), optional: true, emit: tables
    path 'versions.yml', emit: versions

    script:
    def columns = meta.subMap('sample', 'label_key', 'drug_label_key', 'group_key', 'normal_key', 'mutations', 'treatment_key', 'species', 'scale')
    """
    : ${task.ext.code}
    set -o pipefail
    qc.py ${Options.line([input: cells] + columns + options)} --threads ${task.cpus} 2>&1 | tee said >&2 || code=\$?
    if [ \${code:-0} -eq 1 ] && grep '^error: ' said | tail -n 1 | cut -c 8- > problem && [ -s problem ]; then
        mv problem ${meta.sample}.problem
    else
        test \${code:-0} -eq 0 || exit \$code
    fi
    versions.py --process '${task.process}' anndata scikit-learn igraph > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    touch ${meta.sample}.h5ad ${meta.sample}.qc_metrics.csv ${meta.sample}.qc_summary.json
    versions.py --process '${task.process}' > versions.yml
    """
}
