// What the panel of all drugs needs of the bulk lines alone. Once a run, or less often: the result is kept between runs.
process PRETRAIN_PANEL {
    tag 'all drugs'
    label 'process_high'
    label 'process_gpu'
    ext code: Code.digest(projectDir, 'pretrain_panel'), input_bytes: { InputFile.bytes(bulk) }

    input:
    path bulk
    path response
    path published, stageAs: 'published/*' // folder of bulk stages that an earlier run published, to reuse; or an empty list
    val options

    output:
    path 'panel_model', emit: model
    path 'reused.warning', optional: true, emit: warning
    path 'versions.yml', emit: versions

    script:
    def files = [bulk: bulk, response: response, model: published ? "${published}/panel_model" : null]
    """
    : ${task.ext.code}
    pretrain_panel.py ${Options.line(files + options)} --code ${task.ext.code} --threads ${task.cpus} --outdir panel_model
    versions.py --process '${task.process}' scikit-learn pandas > versions.yml
    """

    stub:
    """
    : ${task.ext.code}
    mkdir panel_model
    touch panel_model/card.json panel_model/drugs.csv
    versions.py --process '${task.process}' > versions.yml
    """
}
