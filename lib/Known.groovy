import java.nio.file.Path
import java.nio.file.Paths
import nextflow.splitter.CsvSplitter

/** Names that a sheet may use, from the tables beside the package's modules. */
class Known {

    /** What drugs act on, and the pathways that belongs to. */
    final Set<String> targets = new LinkedHashSet<>()
    final Set<String> pathways = new LinkedHashSet<>()
    /** Tissues of the built-in bulk lines. */
    final Set<String> tissues = new LinkedHashSet<>()
    /** More exact origins of these lines, such as melanoma, all of whose lines are of one tissue. */
    final Set<String> origins = new LinkedHashSet<>()

    Known(Object projectDir) {
        final Path data = Paths.get(projectDir.toString(), 'bin', 'pharmacell', 'data')
        rows(data.resolve('drug_table.csv')).each { row ->
            row.target.split(/[,;]/)*.trim().findAll().each { target ->
                targets << target
                targets.addAll(target.findAll(/^(.*?)\s*\((.*)\)$/) { _all, before, inside -> [before, inside] }.flatten() as List<String>)
            }
            pathways << row.pathway
        }
        final List<Map<String, String>> lines = rows(data.resolve('line_table.csv'))
        tissues.addAll(lines*.tissue)
        origins.addAll(lines.groupBy { line -> line.tissue_detail }.findAll { _origin, own -> own*.tissue.unique().size() == 1 }.keySet())
        [targets, pathways, tissues, origins].each { names -> names.remove('') }
    }

    /** The name that is meant, whatever its case and punctuation, or null. */
    static String named(String text, Collection<String> names) {
        names.find { name -> key(name) == key(text) }
    }

    private static String key(String name) {
        name.toUpperCase().replaceAll(/[^\p{L}\p{N}]/, '')
    }

    private static List<Map<String, String>> rows(Path table) {
        new CsvSplitter().options(header: true, quote: '"').target(table).list() as List<Map<String, String>>
    }
}
