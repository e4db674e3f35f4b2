import groovy.json.JsonSlurper

/** The params as nextflow_schema.json describes them; a problem is an IllegalArgumentException with one clear line. */
class Schema {

    /** Params that every mode reads, and the groups of nextflow_schema.json that each mode reads beside them. */
    static final List<String> EVERY_MODE = ['mode', 'outdir']
    static final List<String> EVERY_MODE_GROUPS = ['run', 'limits', 'switches']
    private static final List<String> OF_CELLS = [
        'input_output', 'bulk', 'bulk_tables', 'simulation', 'quality_control', 'network', 'training', 'transfer', 'prediction', 'trajectory',
    ]
    static final Map<String, List<String>> GROUPS = [
        predict: OF_CELLS + ['bulk_stage', 'reused_stage', 'panel', 'explanation', 'explanation_inputs'],
        benchmark: OF_CELLS + ['benchmark', 'tuning', 'stacks'],
        perturbation: [
            'perturbation_inputs', 'perturbation_comparison', 'perturbation', 'perturbation_moments', 'perturbation_simulation',
        ],
    ]
    /** Single params that a mode reads of a group that is not its own, or does not read of one that is. */
    static final Map<String, List<String>> ALSO = [perturbation: PerturbationPlan.TRAINING]
    static final Map<String, List<String>> NOT = [benchmark: ['supervision']]
    /** Where one mode allows less than the schema, which holds for all: least value by mode and param. */
    static final Map<String, Map<String, Integer>> LEAST = [predict: [patience: 1, batch_size: 2], benchmark: [patience: 1, batch_size: 2]]
    /** Where one mode takes other values of a param than another: those of each mode. */
    static final Map<String, Map<String, List<String>>> CHOICES = [
        predict: [config: ['default', 'published']], benchmark: [config: ['default', 'published']], perturbation: [config: ['default', 'study']],
    ]
    private static final Map<String, String> INSTEAD = [
        supervision: '; a benchmark takes --protocol labels, transfer, few_shot:N, leave_group_out or leave_line_out',
    ]

    /** The groups of the schema by name. */
    final Map<String, Map> groups
    /** What is odd about the params and does not stop the run, one line each. */
    final List<String> warnings = []
    /** Names that the sample sheet may use. */
    final Known known

    Schema(Object projectDir) {
        known = new Known(projectDir)
        final Map schema = new JsonSlurper().parse(new File(projectDir.toString(), 'nextflow_schema.json')) as Map
        groups = schema['$defs'] as Map<String, Map>
    }

    /** Params of a group that have a value, or a default of their own in this mode: what the group's commands receive. */
    Map<String, Object> values(String group, Map<String, ?> params) {
        groups[group].properties.collectEntries { name, rule ->
            [name, params[name] == null ? rule.default_in_mode?.get(params.mode) : params[name]]
        }.findAll { _name, value -> value != null }
    }

    /**
     * The known params with their types, once names, types and ranges are checked.
     *
     * @param given text of the params that the user gave for this run, by name ({@link CommandLine}). Among them an
     *     unknown one, or one of another mode, is a mistake; a configuration may serve other modes and other pipelines.
     */
    Map<String, Object> check(Map<String, ?> params, Map<String, String> given) {
        final Map<String, Map> known = groups.values().collectEntries { group -> group.properties as Map }
        given.keySet().each { name ->
            if (!known.containsKey(name)) {
                fail("--${name}: no such parameter${Nearest.hint(name, known.keySet(), '--')} (--help lists them)")
            }
        }
        final Map<String, Object> typed = known.collectEntries { name, rule -> [name, typed(name, params[name], rule, given[name])] }
        given.keySet().findAll { name -> known.containsKey(name) && !reads(typed.mode as String, name) }.each { name ->
            final List<String> modes = GROUPS.keySet().findAll { mode -> reads(mode, name) } as List
            fail("--${name}: not used by --mode ${typed.mode}${INSTEAD[name] ?: ''}; leave it out, or give --mode ${modes.join(' or ')}")
        }
        LEAST[typed.mode].each { name, least ->
            if (typed[name] != null && typed[name] < least) {
                fail("--${name}: ${typed[name]} is out of range; with --mode ${typed.mode} give ${article(known[name].type as String)} at least ${least}")
            }
        }
        CHOICES[typed.mode].each { name, choices ->
            if (typed[name] != null && !(typed[name] in choices)) {
                fail("--${name}: '${typed[name]}' is no choice of --mode ${typed.mode}; choose ${choices.join(' or ')}")
            }
        }
        final List<String> foreign = params.keySet().findAll { name -> !known.containsKey(name) } as List
        if (foreign) {
            warnings << "ignored, because PharmaCell has no such parameter: ${foreign.sort().join(', ')}".toString()
        }
        typed
    }

    /** Whether a mode reads a param. */
    boolean reads(String mode, String name) {
        name in EVERY_MODE || name in ALSO[mode] || !(name in NOT[mode]) &&
            (EVERY_MODE_GROUPS + GROUPS[mode]).any { group -> groups[group]?.properties?.containsKey(name) }
    }

    /** A value with the type of its rule. From a command line newer engines hand on text, older ones numbers. */
    private static Object typed(String name, Object value, Map rule, String text) {
        if (value == null) {
            return null
        }
        final Object read = value instanceof CharSequence ? value.toString() : value instanceof Collection ? value.join(',') : value
        if (read instanceof Map) {
            fail("--${name}: holds names and values; give ${article(rule.type as String)}")
        }
        if (read.toString() =~ /\p{Cntrl}/) {
            fail("--${name}: holds a control character, such as a line break; remove it")
        }
        final Object found
        switch (rule.type) {
            case 'integer': found = whole(read); break
            case 'number': found = number(read); break
            case 'boolean': found = read in ['true', 'false'] ? read == 'true' : read instanceof Boolean ? read : null; break
            default: found = read instanceof Boolean || read in ['true', ''] ? null : read instanceof Number && text ? text : read
        }
        if (found == null) {
            fail("--${name}: ${read in [true, 'true', ''] ? 'no value' : "'${read}'"} given; give ${article(rule.type as String)}")
        }
        checkValue(name, found, rule)
        found
    }

    private static Number number(Object value) {
        if (value instanceof Number) {
            return value
        }
        final String plain = value.toString().replaceAll(/(?<=\d)_(?=\d)/, '')
        plain ==~ /[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?/ ? (plain ==~ /[+-]?\d{1,18}/ ? plain.toLong() : plain.toDouble()) : null
    }

    private static Number whole(Object value) {
        final Number read = number(value)
        read == null || read.doubleValue() % 1 != 0 ? null : read.longValue() as int == read.longValue() ? read.intValue() : read.longValue()
    }

    private static void checkValue(String name, Object value, Map rule) {
        if (rule.enum && !(rule.enum as List).contains(value.toString())) {
            fail("--${name}: '${value}' is not one of ${(rule.enum as List).join(', ')}" +
                Nearest.hint(value.toString(), rule.enum as List<String>))
        }
        if (rule.pattern && !(value.toString() ==~ rule.pattern)) {
            fail("--${name}: '${value}' cannot be read; ${rule.errorMessage}")
        }
        final List<List> bounds = [
            ['at least', rule.minimum, value >= rule.minimum], ['above', rule.exclusiveMinimum, value > rule.exclusiveMinimum],
            ['at most', rule.maximum, value <= rule.maximum], ['below', rule.exclusiveMaximum, value < rule.exclusiveMaximum],
        ].findAll { _words, bound, _holds -> bound != null }
        if (!bounds.every { _words, _bound, holds -> holds }) {
            final String range = bounds.collect { words, bound, _holds -> "${words} ${bound}" }.join(' and ')
            fail("--${name}: ${value} is out of range; give ${article(rule.type as String)} ${range}")
        }
    }

    private static String article(String type) {
        [integer: 'a whole number', number: 'a number', boolean: 'true or false'][type] ?: 'a value'
    }

    private static void fail(String message) {
        throw new IllegalArgumentException(message)
    }
}
