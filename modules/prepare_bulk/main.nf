// Bulk expression and response in the project's form, with the lines of each drug labelled. Once a run.
process PREPARE_BULK {
    tag "${drugs.contains('all') ? 'all' : drugs.size()} drugs"
    label 'process_medium'
    ext code: Code.digest(projectDir, 'prepare_bulk')

    input:
    path expression, stageAs: 'expression/*' // empty list: the built-in bulk data
    path response, stageAs: 'response/*'
    val drugs
    val options

    output:
    path 'bulk.h5ad', emit: bulk
    path 'response.parquet', emit: response
    path 'drug_summary.csv', emit: summary
    path 'versions.yml', emit: versions

    script:
    def tables = [bulk_expression: expression, bulk_response: response] // empty lists: the built-in bulk data
    """
    : ${task.ext.code}
    prepare_bulk.py ${Options.line(tables + [drug: drugs] + options)} --threads ${task.cpus}
    versions.py --process '${task.process}' anndata pandas pyarrow > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    touch bulk.h5ad response.parquet drug_summary.csv
    versions.py --process '${task.process}' > versions.yml
    """
}
