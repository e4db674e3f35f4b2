/** What a run of --mode perturbation is asked to do, read from the params and checked before any task starts. */
class PerturbationPlan {

    static final List<String> NETWORKS = ['gru', 'lstm', 'gru3', 'gru3_attn', 'transformer', 'autoencoder', 'cnn']
    static final List<String> BASELINES = ['zeros', 'gene_mean', 'median', 'mean_per_cell_type', 'mean_per_compound', 'additive']
    static final List<String> CLASSICAL = ['scaled_additive', 'knn', 'ridge', 'extra_trees', 'gradient_boosting', 'blend']
    static final List<String> MOMENTS = ['cell_type_mean', 'cell_type_std']
    /** The encodings that read a table of compound vectors; the second needs none. */
    static final List<String> WITH_VECTORS = ['embedding', 'joint']
    static final List<String> TRAINING = ['config', 'epochs', 'batch_size', 'learning_rate', 'patience', 'precision']

    /** Path of each input by the name of its param, null where it was not given. */
    final Map<String, String> inputs
    /**
     * One map for each task: id, models, encoding (null: none of the models has one), protocol (null: all rows), trained
     * (whether the options of networks concern it), vectors (whether it reads the compound vectors).
     */
    final List<Map<String, Object>> trainings
    /** What is odd and does not stop the run, one line each: nothing yet. */
    final List<String> warnings = []
    /** Options of the commands: training, simulation, report. */
    final Map<String, Map<String, Object>> options

    /**
     * @param params as the schema's check returned them
     * @throws IllegalArgumentException with one clear line about the first thing that is wrong
     */
    PerturbationPlan(Schema schema, Map<String, ?> params, Object launchDir) {
        inputs = (['de_train', 'genes', 'id_map', 'sample_submission', 'compound_embedding', 'train_keys'] + MOMENTS).collectEntries { name ->
            [name, Plan.existing(name, params[name], launchDir, 'a file')]
        }
        checkInputs()
        final String usual = params.config == 'study' ? 'ordinal' : 'joint'
        final List<String> encodings = names(params.encodings) ?: [usual]
        if (encodings.contains('embedding') && inputs.compound_embedding == null) {
            fail('--compound_embedding and --encodings embedding belong together; give both or neither')
        }
        if (inputs.compound_embedding && !encodings.any { name -> name in WITH_VECTORS }) {
            fail("--compound_embedding: only --encodings ${WITH_VECTORS.join(' and ')} read it; leave it out, or choose one of them")
        }
        trainings = plan(names(params.perturbation_models) ?: NETWORKS + CLASSICAL, encodings, names(params.perturbation_protocols), usual)
        final Map<String, Object> shared = schema.values('run', params)
        final Map<String, Object> chosen = params.subMap(TRAINING).findAll { _name, value -> value != null } as Map<String, Object>
        final Map<String, Object> training = schema.values('perturbation', params) + chosen + shared
        options = [
            training: training + params.subMap('drop_unparsable', 'keep_predictions'),
            // what models without a network read
            simple: training.subMap('layer', 'second_layer', 'seed', 'device') + params.subMap('drop_unparsable', 'keep_predictions'),
            summary: training.subMap('layer', 'second_layer', 'seed', 'device') + params.subMap('drop_unparsable'),
            simulation: schema.values('perturbation_simulation', params) + training.subMap('second_layer') + shared,
            report: [mode: params.mode] + schema.values('perturbation_comparison', params) + training.findAll { name, _value -> name != 'device' },
        ]
        Plan.checkLimits(params)
        Plan.checkOutdir(params.outdir.toString(), launchDir)
    }

    private void checkInputs() {
        if ((inputs.de_train == null) == (inputs.train_keys == null)) {
            fail(inputs.de_train == null
                ? '--de_train: no table given; give --de_train de_train.parquet, or simulate one from --train_keys, --id_map, --cell_type_mean and --cell_type_std'
                : '--de_train and --train_keys exclude each other; give one of them')
        }
        final List<String> needed = MOMENTS + ['id_map']
        if (inputs.train_keys && needed.any { name -> inputs[name] == null }) {
            fail("--${needed.find { name -> inputs[name] == null }}: missing; a table is simulated from --train_keys, --id_map, --cell_type_mean and --cell_type_std")
        }
        if (inputs.train_keys == null && MOMENTS.any { name -> inputs[name] }) {
            fail("--train_keys: missing; --${MOMENTS.find { name -> inputs[name] }} serves to simulate a table from keys")
        }
        if (inputs.genes && inputs.train_keys) {
            fail('--genes and --train_keys exclude each other; a simulated table has nothing but genes')
        }
        if (inputs.sample_submission && (inputs.train_keys || !inputs.id_map)) {
            fail(inputs.train_keys
                ? '--sample_submission and --train_keys exclude each other; a simulated table has a sample of its own'
                : '--id_map: missing; --sample_submission needs the keys of its rows')
        }
    }

    /** The baselines run always, with the classical models in one task: they take seconds, and so does each start of Python. */
    private List<Map<String, Object>> plan(List<String> models, List<String> encodings, List<String> protocols, String usual) {
        final List<String> simple = BASELINES + models.findAll { name -> !(name in NETWORKS + BASELINES + ['blend']) }
        // the blend trains networks of its own, with the usual encoding
        final List<Map<String, Object>> kinds = [[id: 'simple', models: simple, encoding: null, trained: false, vectors: false]] +
            models.findAll { name -> name == 'blend' }.collect { name ->
                [id: name, models: [name], encoding: null, trained: true, vectors: usual in WITH_VECTORS]
            } +
            [models.findAll { name -> name in NETWORKS }, encodings].combinations().collect { model, encoding ->
                [id: "${model}_${encoding}".toString(), models: [model], encoding: encoding, trained: true, vectors: encoding in WITH_VECTORS]
            }
        final List<Map<String, Object>> tested = [protocols, kinds].combinations().collect { protocol, kind ->
            kind + [id: "${kind.id}_${protocol}".toString(), protocol: protocol]
        }
        // Trained on all rows: networks for their weights, simple models only where there is something to predict.
        tested + kinds.findAll { kind -> kind.encoding || inputs.id_map }.collect { kind -> kind + [protocol: null] }
    }

    private static List<String> names(Object value) {
        value == null ? [] : value.toString().tokenize(',')*.trim().unique()
    }

    private static void fail(String message) {
        throw new IllegalArgumentException(message)
    }
}
