import groovy.json.JsonSlurper

import java.nio.file.Files
import java.nio.file.Path

/** The last lines of a run: where the results are, and what was found. */
class Ending {

    private static final int MOST_NAMED = 20 // verdicts that the screen shows; the report has all
    private static final int BEST_NAMED = 3 // drugs of a panel

    /** Where the results are, one line each, and each sample's verdict below. */
    static List<String> lines(String outdir, String mode, Collection<String> verdicts) {
        final Path folder = Path.of(outdir)
        final Map<String, Path> places = [
            Report: folder.resolve('report/pharmacell_report.html'),
            Explorer: folder.resolve('report/explorer.html'),
            Predictions: folder.resolve('predictions'),
            Panel: folder.resolve('panel'),
            Tables: folder.resolve(mode),
        ].findAll { name, path -> Files.exists(path) && (mode == 'predict' || name in ['Report', 'Tables']) }
        final List<String> found = verdicts.findAll().sort()
        places.collect { name, path -> "${(name + ':').padRight(13)}${path}".toString() } + found.take(MOST_NAMED) +
            (found.size() > MOST_NAMED ? ["and ${found.size() - MOST_NAMED} more, in the report".toString()] : [])
    }

    /** The verdict on one drug; empty in a stub run. */
    static String verdict(Map<String, ?> meta, Path diagnostics) {
        final Map<String, ?> found = read(diagnostics)
        found.verdict
            ? "${DrugChoice.sampleOf(meta.sample as String)}, ${meta.drug}: ${found.verdict}, ${Math.round(100 * (found.share_sensitive as double))} % of the cells sensitive".toString()
            : ''
    }

    /** What the panel of one sample found; empty in a stub run. */
    static String panel(Map<String, ?> meta, Path folder) {
        final Map<String, ?> found = read(folder.resolve('panel.json'))
        final List<Map<String, ?>> best = (found.best_drugs ?: []) as List
        final String words = best.take(BEST_NAMED).collect { each -> "${each.drug} (${each.verdict})" }.join(', ')
        found ? "${meta.sample}, all drugs: ${best ? 'told apart best by ' + words : 'no drug tells the groups apart'}".toString() : ''
    }

    private static Map<String, ?> read(Path file) {
        Files.exists(file) && Files.size(file) > 0 ? new JsonSlurper().parse(file) as Map : [:]
    }
}
