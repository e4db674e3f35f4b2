import groovy.json.JsonSlurper
import java.nio.charset.StandardCharsets
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.Paths
import nextflow.file.FileHelper
import org.yaml.snakeyaml.LoaderOptions
import org.yaml.snakeyaml.Yaml
import org.yaml.snakeyaml.constructor.SafeConstructor

/**
 * The params that the user gave for this run, on the command line or in a params file. The engine mixes them with those
 * of configurations and profiles, and casts numbers, so that `--root 0001` arrives as 1.
 */
class CommandLine {

    private static final Path OWN = Paths.get('/proc/self/cmdline')

    /** Text of each given param by its name; null for one of a params file, whose value has its type already. */
    static Map<String, String> given(String commandLine, Object launchDir) {
        read(arguments(commandLine), System.getenv('NXF_PARAMS_FILE'), launchDir)
    }

    /** What stood behind the engine's name: as the system has it or, elsewhere, as the engine joined it with spaces. */
    private static List<String> arguments(String commandLine) {
        final List<String> own = Files.isReadable(OWN)
            ? new String(Files.readAllBytes(OWN), StandardCharsets.UTF_8).tokenize('\0') : []
        final int at = own.indexOf('run')
        at > 0 ? own.drop(at + 1) : (commandLine ?: '').tokenize(' ')
    }

    /** The same for given arguments; the params file of the environment counts where the command line names none. */
    static Map<String, String> read(List<String> arguments, String paramsFile, Object launchDir) {
        final Map<String, String> found = [:]
        String file = paramsFile
        arguments.eachWithIndex { word, index ->
            final String next = arguments[index + 1]
            if (word == '-params-file') {
                file = next
            } else if (word ==~ /(?s)--[a-zA-Z\d].*/) {
                final List<String> halves = word.substring(2).split('=', 2) as List
                found[halves[0]] = halves.size() > 1 ? halves[1] : isValue(next) ? next : 'true'
            }
        }
        names(file, launchDir).each { name -> found.putIfAbsent(name, null) }
        found
    }

    /** Whether the engine takes a word as the value of the option before it. */
    private static boolean isValue(String word) {
        word && (word.size() == 1 || !word.startsWith('-') || word.isNumber() || word.contains(' '))
    }

    private static Collection<String> names(String file, Object launchDir) {
        if (!file) {
            return []
        }
        final Path path = InputFile.isAddress(file) ? FileHelper.asPath(file) : Paths.get(launchDir.toString()).resolve(file)
        final String text = new String(Files.readAllBytes(path), StandardCharsets.UTF_8)
        final Object content = file.endsWith('.json')
            ? new JsonSlurper().parseText(text) : new Yaml(new SafeConstructor(new LoaderOptions())).load(text)
        content instanceof Map ? content.keySet()*.toString() : []
    }
}
