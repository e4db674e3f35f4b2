import java.nio.charset.StandardCharsets
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.Paths
import nextflow.util.MemoryUnit

/** What a run is asked to do, read from the params and the sample sheet and checked before any task starts. */
class Plan {

    // Where and on what a run computes says nothing about its results.
    private static final List<String> NOT_SHOWN = ['outdir', 'cache_dir', 'device', 'max_cpus', 'max_memory', 'max_time', 'help', 'version']
    private static final String PANEL_MODEL = 'panel_model'
    private static final MemoryUnit LEAST_MEMORY = new MemoryUnit('2 GB')

    /** predict or benchmark. */
    final String mode
    /** One map for each sample that can be used: the columns of the sheet, 'runs' and 'panel' ({@link DrugChoice}). */
    final List<Map<String, Object>> samples
    /** With --skip_bad_samples: why a row of the sheet is left out, by the name of its sample. */
    final Map<String, String> skipped
    /** The sample that is simulated instead, with 'runs' and 'panel' too, or null. */
    final Map<String, Object> simulated
    /** Expression and response tables of the user's bulk data, or two nulls. */
    final List<String> tables
    /** File of gene sets, or null. */
    final String geneSets
    /** Folder of published bulk stages that are reused, or null. */
    final String published
    /** What is odd and does not stop the run, one line each. */
    final List<String> warnings
    /** Options of the commands, by group of the schema; seed and device are in every one. 'report': what the page shows. */
    final Map<String, Map<String, Object>> options

    /**
     * @param params as the schema's check returned them
     * @throws IllegalArgumentException with one clear line about the first thing that is wrong
     */
    Plan(Schema schema, Map<String, ?> params, Object launchDir) {
        if ((params.input == null) == (params.simulate == null)) {
            fail(params.input == null
                ? '--input: no sample sheet given; give --input samples.csv (columns sample,path,drug), or --simulate DRUG to try without one'
                : '--input and --simulate exclude each other; give one of them')
        }
        tables = ['bulk_expression', 'bulk_response'].collect { name -> table(name, params[name], launchDir) }
        if ((tables[0] == null) != (tables[1] == null)) {
            fail("--${tables[0] ? 'bulk_response' : 'bulk_expression'}: missing; give both tables of your own bulk data, or neither")
        }
        mode = params.mode
        geneSets = geneSetFile(params.gene_sets, launchDir)
        if ((params.binarise == 'threshold') != (params.sensitive_threshold != null)) {
            fail('--sensitive_threshold and --binarise threshold belong together; give both')
        }
        simulated = params.simulate == null ? null : withDrugs(SampleSheet.COLUMNS.collectEntries { column -> [column, null] } + [
            sample: 'simulated', drug: params.simulate.toString(), label_key: 'response', group_key: 'line',
        ])
        if (simulated?.panel) {
            fail("--simulate: '${params.simulate}' given; give the name of one drug, whose most and least sensitive lines become cells")
        }
        final SampleSheet sheet = simulated ? null : new SampleSheet(params.input, launchDir, schema.known, tables[0] != null)
        if (sheet?.bad && (!params.skip_bad_samples || !sheet.rows)) {
            fail(sheet.complaint())
        }
        samples = sheet ? sheet.rows.collect { row -> withDrugs(row) } : []
        skipped = sheet ? sheet.bad.collectEntries { number, problem -> [sheet.badSamples[number], problem] } : [:]
        warnings = (sheet?.bad ? ["--skip_bad_samples: goes on without ${sheet.complaint()}".toString()] : []) +
            (sheet ? sheet.unread().collect { column -> "${params.input}: column '${column}' is read by the panel alone, and its rows name one drug each".toString() } : [])
        if (mode == 'benchmark') {
            checkBenchmark(params, simulated ? [simulated] : samples)
        }
        final Map<String, Object> shared = schema.values('run', params)
        final String cache = folder('cache_dir', params.cache_dir, launchDir)
        options = ['bulk', 'simulation', 'quality_control', 'network', 'training', 'transfer', 'prediction', 'panel', 'benchmark', 'tuning', 'stacks', 'explanation', 'trajectory', 'run'].collectEntries { group ->
            [group, schema.values(group, params + [cache_dir: cache]) + shared]
        } + [
            bulk_stage: [shared: params.bulk_stage == 'shared'],
            explanation_inputs: [explain: !params.skip_explain],
            samples: [skip_bad: params.skip_bad_samples, skipped: skipped],
            summary: shared + [main_heads: params.heads, main_sampling: params.sampling, simulated: simulated?.sample],
            kept: [cache_dir: cache],
            report: params.findAll { name, value -> value != null && schema.reads(params.mode as String, name) && !(name in NOT_SHOWN) },
        ]
        published = publishedStages(params, launchDir)
        checkLimits(params)
        checkOutdir(params.outdir.toString(), launchDir)
    }

    /** What a benchmark needs of every sample: truth to score by unless bulk lines are scored, and groups where folds are groups. */
    private static void checkBenchmark(Map<String, ?> params, List<Map<String, Object>> samples) {
        samples.eachWithIndex { row, index ->
            if (row.panel) {
                fail("${params.input}: row ${index + 1}: drug '${row.drug}'; a benchmark compares models on one drug a row, so give each a row")
            }
            final String column = !row.label_key && params.protocol != 'leave_line_out' ? 'label_key' :
                params.protocol == 'leave_group_out' && !row.group_key ? 'group_key' : null
            if (column) {
                fail("${params.input}: row ${index + 1}: '${column}' is empty; a benchmark " +
                    (column == 'label_key' ? 'scores cells by their labels' : 'with --protocol leave_group_out leaves out groups') +
                    ', so name their column')
            }
        }
    }

    /** How many samples there are, and how many drugs of samples (runs): the names that modules give {@link Cores#of}. */
    Map<String, Integer> getCounts() {
        final List<Map> rows = simulated ? [simulated] : samples
        [sample: rows.size(), run: rows.sum { row -> row.runs.size() }]
    }

    private static Map<String, Object> withDrugs(Map<String, String> row) {
        final DrugChoice choice = new DrugChoice(row.drug)
        row + [runs: choice.runs(row.findAll { column, _value -> column != 'path' }), panel: choice.panel]
    }

    static void checkLimits(Map<String, ?> params) {
        if (params.max_memory != null && new MemoryUnit(params.max_memory.toString()) < LEAST_MEMORY) {
            fail("--max_memory: ${params.max_memory} is less than the ${LEAST_MEMORY} that the smallest step needs; " +
                'give more, or leave it out to use what the machine has')
        }
    }

    private static String table(String name, Object value, Object launchDir) {
        existing(name, value, launchDir, 'a table (csv, tsv, parquet or h5ad)')
    }

    private static String geneSetFile(Object value, Object launchDir) {
        final String path = existing('gene_sets', value, launchDir, 'a file of gene sets (gmt)')
        if (path != null && !path.endsWith('.gmt')) {
            fail("--gene_sets: ${value} is no gmt file; give gene sets in gmt format (name, description and genes, separated by tabs)")
        }
        if (path != null && !InputFile.isAddress(path)) {
            Files.readAllLines(Paths.get(path), StandardCharsets.ISO_8859_1).eachWithIndex { line, index ->
                if (line.trim() && line.split('\t').size() < 3) {
                    fail("--gene_sets: ${value}, line ${index + 1} is no gene set; give name, description and genes, separated by tabs")
                }
            }
        }
        path
    }

    /** An input's path from the folder of the launch, checked; an address such as s3://... is passed on unread. */
    static String existing(String name, Object value, Object launchDir, String kind) {
        if (value == null || InputFile.isAddress(value.toString())) {
            return value
        }
        final Path file = InputFile.find(value.toString(), [Paths.get(launchDir.toString())])
        if (file == null || !Files.isRegularFile(file)) {
            fail("--${name}: ${value} does not exist; give the path of ${kind}")
        }
        if (Files.size(file) == 0) {
            fail("--${name}: ${value} is empty; copy it again")
        }
        file.toString()
    }

    /** The folder of published bulk stages, where it holds all that this run needs; an address is passed on unread. */
    private String publishedStages(Map<String, ?> params, Object launchDir) {
        final Object value = params.model
        if (value == null || InputFile.isAddress(value.toString())) {
            return value
        }
        final Path found = InputFile.find(value.toString(), [Paths.get(launchDir.toString())])
        final List<Map> rows = simulated ? [simulated] : samples
        final List<Map> runs = options.bulk_stage.shared ? rows.collectMany { row -> row.runs } : []
        final List<String> needed = runs.collect { run -> DrugChoice.stageFolder(DrugChoice.bulkStage(run).sample as String) }.unique() +
            (rows.any { row -> row.panel } ? [PANEL_MODEL] : [])
        if (!needed) {
            fail('--model: nothing of it would be used: no row asks for a panel, and each sample has a bulk stage of its own; leave it out, or give --bulk_stage shared')
        }
        final String missing = needed.find { name -> found == null || !Files.isDirectory(found.resolve(name)) }
        if (missing) {
            fail("--model: ${value} holds no folder ${missing}; give the folder models/bulk that a run with the same drugs published")
        }
        found.toString()
    }

    /** A folder's whole path; it is made, because a container's engine would make it as root. */
    private static String folder(String name, Object value, Object launchDir) {
        if (value == null) {
            return null
        }
        final Path found = Paths.get(launchDir.toString()).resolve(value.toString())
        try {
            Files.createDirectories(found)
        } catch (IOException problem) {
            fail("--${name}: ${value} cannot be made (${problem.class.simpleName}); choose another folder")
        }
        found.toString()
    }

    static void checkOutdir(String outdir, Object launchDir) {
        if (InputFile.isAddress(outdir)) {
            return
        }
        final Path folder = Paths.get(launchDir.toString()).resolve(outdir)
        try {
            Files.createDirectories(folder)
            Files.delete(Files.createTempFile(folder, '.writable', ''))
        } catch (IOException problem) {
            fail("--outdir: ${outdir} cannot be written to (${problem.class.simpleName}); choose another folder")
        }
    }

    private static void fail(String message) {
        throw new IllegalArgumentException(message)
    }
}
