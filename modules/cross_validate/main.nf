// Fit one model on a slice of the fold plan, its folds as one stack where the model can, and predict their test cells.
process CROSS_VALIDATE {
    tag "${Options.tag(slice.id)}"
    label 'process_high'
    label 'process_gpu'
    ext code: Code.digest(projectDir, 'cross_validate')

    input:
    tuple val(slice), path(cells), path(bulk, stageAs: 'bulk/*'), path(response), path(folds), path(earlier, stageAs: 'earlier/*')
    val options

    output:
    path "${slice.id}.predictions.parquet", emit: predictions
    path "${slice.id}.fits.csv", emit: fits
    path 'versions.yml', emit: versions

    script:
    def row = slice.subMap('sample', 'drug', 'model', 'heads', 'sampling') + [slice: "${slice.first}:${slice.last}", name: slice.id]
    def given = earlier instanceof List ? earlier : [earlier] // a single file is a path, whose parts `find` would walk
    def files = [bulk: bulk, response: response, target: cells, folds: folds] +
        [pretrained: given.find { file -> file.name.endsWith('.safetensors') }, tuned: given.find { file -> file.name.endsWith('.params.json') }]
    """
    : ${task.ext.code}
    cross_validate.py ${Options.line(files + options + row)} --threads ${task.cpus}
    versions.py --process '${task.process}' torch scikit-learn > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    touch ${Options.quote(slice.id)}.predictions.parquet ${Options.quote(slice.id)}.fits.csv
    versions.py --process '${task.process}' > versions.yml
    """
}
