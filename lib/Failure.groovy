import java.nio.file.Path

/** What a failed task said. */
class Failure {

    private static final int MOST_NAMED = 10 // samples that one line names

    // What container engines and schedulers say, as one line of ours; %s is what the pattern caught.
    private static final Map<String, String> KNOWN = [
        /(Cannot connect to the Docker daemon at \S+)\. / : '-profile docker: docker is not running (%s); start it, or choose another profile',
        /(docker|podman|singularity|apptainer|ch-run): (?:command )?not found/ : '-profile %s: not found on this machine; install it, or choose another profile',
        /could not select device driver.*(gpu)/ : '-profile %s: docker finds no NVIDIA GPU; install the driver and the NVIDIA container toolkit, or leave the profile out',
        /(?:unresolvable CDI devices |stat )(nvidia\.com\/gpu\S*)/ : '-profile gpu: podman knows no device %s; install the NVIDIA container toolkit and make its CDI list, or leave the profile out',
        /Cannot run program "(\w+)"/ : '%s: not found; start the run on a machine with the commands of your scheduler, or choose another profile',
    ]
    private static final List<String> NO_IMAGE = [
        'Unable to find image', 'pull access denied', 'initializing source', 'image not known', 'could not open image', 'manifest unknown',
    ]

    /** The last line of a failed run: step and sample, the reason with what to do, and the file with the whole message. */
    static String lastLine(String report) {
        final String reason = line(report)
        final found = (report ?: '') =~ /Error executing process > '([^']+)'/
        if (!found) {
            return reason
        }
        final String task = (found[0][1] as String).replaceFirst(/^[\w:]*:/, '')
        final String folder = section(report, 'Work dir:')
        "${task}: ${reason ?: 'it ended with an error that it did not expect; please report it'}" +
            (folder ? " (whole message: ${folder}/.command.log)" : '')
    }

    /**
     * The last "error: ..." line of a command in the engine's report or, without one, a line about the container engine,
     * the scheduler or memory; null when nothing is known: the report then speaks for itself.
     */
    static String line(String report) {
        final String text = report ?: ''
        final List<String> lines = text.readLines()*.trim().findAll { line -> line.startsWith('error: ') }
        lines ? lines.last() - 'error: ' : engineLine(text) ?: imageLine(text) ?: killedLine(text)
    }

    /** What stands in a file of QC, which then goes: a task whose output is gone is tried again by -resume. */
    static String taken(Path file) {
        final String text = file.text.trim()
        file.delete()
        text
    }

    /** One line about samples that cannot be used. */
    static String ofSamples(List<List<String>> found) {
        final List<String> each = found.take(MOST_NAMED).collect { sample, problem -> "${sample}: ${problem}".toString() }
        "${found.size()} ${found.size() == 1 ? 'sample' : 'samples'} cannot be used. ${each.join('; ')}" +
            (found.size() > MOST_NAMED ? "; and ${found.size() - MOST_NAMED} more" : '') +
            ' (--skip_bad_samples goes on without bad samples where others are good)'
    }

    private static String engineLine(String text) {
        KNOWN.findResult { pattern, words ->
            final found = text =~ pattern
            found ? String.format(words, found[0][1]) : null
        }
    }

    private static String imageLine(String text) {
        final String image = section(text, 'Container:')
        image && NO_IMAGE.any { words -> text.contains(words) }
            ? "${image}: no such image here, and it could not be fetched; build it with `make image` (VARIANT=cuda for -profile gpu), " +
                'or name yours in process.container'
            : null
    }

    private static String killedLine(String text) {
        section(text, 'Command exit status:') == '137'
            ? 'a task was killed at every try, most likely for lack of memory; raise --max_memory or use a larger machine'
            : null
    }

    /** The line below a heading of the report, or null. */
    private static String section(String text, String heading) {
        final List<String> lines = text.readLines()*.trim()
        final int at = lines.indexOf(heading)
        at >= 0 && at + 1 < lines.size() ? lines[at + 1] : null
    }
}
