import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.Paths
import nextflow.util.MemoryUnit

/** What a run is asked to do, read from the params and the sample sheet and checked before any task starts. */
class Plan {

    private static final MemoryUnit LEAST_MEMORY = new MemoryUnit('2 GB')

    /** One map for each sample: the columns of the sheet. */
    final List<Map<String, String>> samples
    /** The sample that is simulated instead, or null. */
    final Map<String, String> simulated
    /** Expression and response tables of the user's bulk data, or two nulls. */
    final List<String> tables
    /** Options of the commands, by group of the schema; seed and device are in every one. 'report': what the page shows. */
    final Map<String, Map<String, Object>> options

    /** @throws IllegalArgumentException with one clear line about the first thing that is wrong */
    Plan(Schema schema, Map<String, ?> params, Object launchDir) {
        schema.check(params)
        if ((params.input == null) == (params.simulate == null)) {
            fail(params.input == null
                ? '--input: no sample sheet given; give --input samples.csv (columns sample,path,drug), or --simulate DRUG to try without one'
                : '--input and --simulate exclude each other; give one of them')
        }
        tables = ['bulk_expression', 'bulk_response'].collect { name -> table(name, params[name], launchDir) }
        if ((tables[0] == null) != (tables[1] == null)) {
            fail("--${tables[0] ? 'bulk_response' : 'bulk_expression'}: missing; give both tables of your own bulk data, or neither")
        }
        if ((params.binarise == 'threshold') != (params.sensitive_threshold != null)) {
            fail('--sensitive_threshold and --binarise threshold belong together; give both')
        }
        simulated = params.simulate == null ? null : SampleSheet.COLUMNS.collectEntries { column -> [column, null] } + [
            sample: 'simulated', drug: params.simulate.toString(), label_key: 'response', group_key: 'line',
        ]
        samples = simulated ? [] : SampleSheet.read(params.input, launchDir)
        final Map<String, Object> shared = schema.values('run', params)
        options = ['bulk', 'simulation', 'quality_control', 'network', 'training', 'transfer', 'prediction', 'run'].collectEntries { group ->
            [group, schema.values(group, params) + shared]
        } + [report: params.findAll { name, value -> value != null && !(name in ['outdir', 'cache_dir', 'device', 'max_cpus', 'max_memory', 'max_time']) }]
        checkLimits(params)
        checkOutdir(params.outdir.toString(), launchDir)
    }

    private static void checkLimits(Map<String, ?> params) {
        if (params.max_memory != null && new MemoryUnit(params.max_memory.toString()) < LEAST_MEMORY) {
            fail("--max_memory: ${params.max_memory} is less than the ${LEAST_MEMORY} that the smallest step needs; " +
                'give more, or leave it out to use what the machine has')
        }
    }

    private static String table(String name, Object value, Object launchDir) {
        if (value == null || value.toString() ==~ /[a-z0-9]+:\/\/.*/) {
            return value
        }
        final Path file = Paths.get(launchDir.toString()).resolve(value.toString())
        if (!Files.isRegularFile(file)) {
            fail("--${name}: ${value} does not exist; give the path of a table (csv, tsv, parquet or h5ad)")
        }
        if (Files.size(file) == 0) {
            fail("--${name}: ${value} is empty; copy it again")
        }
        file.toString()
    }

    private static void checkOutdir(String outdir, Object launchDir) {
        if (outdir ==~ /[a-z0-9]+:\/\/.*/) {
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
