// Single cells made from bulk lines that the reduced bulk table no longer holds: a sample whose truth is known.
process SIMULATE_CELLS {
    tag "${Options.tag(drug)}"
    label 'process_low'
    ext code: Code.digest(projectDir, 'simulate_cells')

    input:
    path bulk
    path response
    val drug
    val options

    output:
    path 'simulated.h5ad', emit: cells
    path 'bulk_reduced.h5ad', emit: bulk
    path 'versions.yml', emit: versions

    script:
    """
    : ${task.ext.code}
    simulate_cells.py ${Options.line([bulk: bulk, response: response, drug: drug] + options)} --threads ${task.cpus}
    versions.py --process '${task.process}' anndata > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    touch simulated.h5ad bulk_reduced.h5ad
    versions.py --process '${task.process}' > versions.yml
    """
}
