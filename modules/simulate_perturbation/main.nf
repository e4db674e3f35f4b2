// A table like that of the NeurIPS 2023 task, its values made up from keys and from moments of each cell type and gene.
process SIMULATE_PERTURBATION {
    tag "${Options.tag(train_keys.name)}"
    label 'process_low'
    ext code: Code.digest(projectDir, 'simulate_perturbation')

    input:
    path train_keys, stageAs: 'keys/*'
    path id_map, stageAs: 'test/*'
    path mean, stageAs: 'mean/*'
    path deviation, stageAs: 'std/*'
    val options

    output:
    path 'de_train.{parquet,h5ad}', emit: train // h5ad with second_layer
    path 'id_map.csv', emit: id_map
    path 'sample_submission.csv', emit: sample
    path '{de_test.parquet,de_test.h5ad,simulation.json}', emit: truth
    path 'versions.yml', emit: versions

    script:
    """
    : ${task.ext.code}
    simulate_perturbation.py ${Options.line([train_keys: train_keys, id_map: id_map, mean: mean, std: deviation] + options)} --threads ${task.cpus}
    versions.py --process '${task.process}' rdkit pyarrow > versions.yml
    """

    stub:
    def kind = options.second_layer ? 'h5ad' : 'parquet'
    """
    : ${task.ext.code}
    touch de_train.${kind} id_map.csv sample_submission.csv de_test.${kind} simulation.json
    versions.py --process '${task.process}' > versions.yml
    """
}
