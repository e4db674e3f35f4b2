// Train perturbation models under one protocol, fold by fold, or on all rows; the seeds of a network as one stack.
process KAGGLE_TRAIN {
    tag "${Options.tag(meta.id)}"
    label 'process_high'
    label 'process_gpu'
    ext code: Code.digest(projectDir, 'kaggle_train')

    input:
    tuple val(meta), path(de_train), path(genes, stageAs: 'genes/*'), path(id_map, stageAs: 'keys/*'), path(sample_submission, stageAs: 'sample/*'),
        path(compound_embedding, stageAs: 'embedding/*') // the last four: empty lists where there are none
    val options

    output:
    path "${meta.id}.{row_scores,examples}.parquet", optional: true, emit: scores // not of a training on all rows
    path "${meta.id}.second_layer.{row_scores,examples}.parquet", optional: true, emit: second_scores // with second_layer
    path "${meta.id}.oof.parquet", optional: true, emit: predictions // with keep_predictions
    path "${meta.id}.second_layer.oof.parquet", optional: true, emit: second_predictions
    path "${meta.id}.history.csv", optional: true, emit: history // of networks
    tuple val(meta), path("models/${meta.id}/*.{safetensors,json}", arity: '0..*'),
        path("models/${meta.id}/*.test.parquet", arity: '0..*'), path("models/${meta.id}/*.submission.csv", arity: '0..*'), emit: model
    path "models/${meta.id}/second_layer/*.{test.parquet,submission.csv}", optional: true, emit: second_model
    tuple val(meta), path("${meta.id}.problem"), optional: true, emit: problem // one line that says why nothing was trained
    path "${meta.id}.notes", optional: true, emit: notes // what reading the table left out or found odd, one a line
    path 'versions.yml', emit: versions

    script:
    def files = [de_train: de_train, genes: genes, id_map: id_map, sample_submission: sample_submission, compound_embedding: compound_embedding]
    def folder = Options.quote("models/${meta.id}")
    def chosen = [model: meta.models, encoding: meta.encoding, protocol: meta.protocol, outdir: "models/${meta.id}"]
    def given = ['drop_unparsable', 'keep_predictions', 'pseudolabels']
    def flags = ([meta.protocol ? '--no_final' : ''] + given.findAll { name -> options[name] }.collect { name -> "--${name}" }).join(' ')
    """
    : ${task.ext.code}
    set -o pipefail
    kaggle_train.py ${Options.line(files + chosen + options.findAll { name, _value -> !(name in given) })} ${flags} --threads ${task.cpus} 2>&1 | tee said >&2 || code=\$?
    if [ \${code:-0} -eq 1 ] && grep '^error: ' said | tail -n 1 | cut -c 8- > problem && [ -s problem ]; then
        mv problem ${Options.quote("${meta.id}.problem")}
    else
        test \${code:-0} -eq 0 || exit \$code
    fi
    grep -F -- ${Options.quote("${de_train.name}: ")} said | grep -v '^error: ' > notes || true
    test ! -s notes || mv notes ${Options.quote("${meta.id}.notes")}
    for table in row_scores.parquet examples.parquet oof.parquet history.csv; do
        test ! -e ${folder}/\$table || mv ${folder}/\$table ${Options.quote(meta.id)}.\$table
        test ! -e ${folder}/second_layer/\$table || mv ${folder}/second_layer/\$table ${Options.quote(meta.id)}.second_layer.\$table
    done
    versions.py --process '${task.process}' torch scikit-learn lightgbm rdkit > versions.yml
    """

    stub:
    def folder = Options.quote("models/${meta.id}")
    def id = Options.quote(meta.id)
    def model = Options.quote(meta.models[0])
    """
    : ${task.ext.code}
    mkdir -p ${folder}
    touch ${meta.protocol ? "${id}.row_scores.parquet ${id}.examples.parquet ${id}.history.csv" : "${folder}/${model}.safetensors ${folder}/${model}.json"}
    ${options.second_layer && meta.protocol ? "touch ${id}.second_layer.row_scores.parquet ${id}.second_layer.examples.parquet" : ''}
    versions.py --process '${task.process}' > versions.yml
    """
}
