import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.Paths
import java.security.MessageDigest
import java.util.concurrent.ConcurrentHashMap

/**
 * Which files of the Python package a command runs, and one digest over them.
 *
 * A task's hash covers the command's script but not what that script imports. Each process therefore names the digest
 * in its script, and an edit to a module re-runs the tasks that import it and no others.
 */
class Code {

    private static final Map<String, String> DIGESTS = new ConcurrentHashMap<>()

    /** SHA-256 (hexadecimal) over the names and contents of {@link #files}. */
    static String digest(Object projectDir, String command) {
        DIGESTS.computeIfAbsent("${projectDir}|${command}".toString()) { key ->
            final MessageDigest sha = MessageDigest.getInstance('SHA-256')
            final Path bin = Paths.get(projectDir.toString(), 'bin')
            files(projectDir, command).each { name ->
                sha.update(name.getBytes('UTF-8'))
                sha.update(Files.readAllBytes(bin.resolve(name)))
            }
            sha.digest().encodeHex().toString()
        }
    }

    /**
     * Files below bin/ that the command depends on, sorted: its module in cli/, all that this imports from the package,
     * directly or not, the __init__.py of every folder on the way, and the data files that one of these names.
     */
    static List<String> files(Object projectDir, String command) {
        final Path bin = Paths.get(projectDir.toString(), 'bin')
        final Set<String> found = new TreeSet<>()
        final Deque<String> open = new ArrayDeque<>(["pharmacell.cli.${command}".toString()])
        if (!Files.exists(bin.resolve("pharmacell/cli/${command}.py"))) {
            throw new IllegalArgumentException("bin/pharmacell/cli/${command}.py does not exist")
        }
        while (!open.isEmpty()) {
            moduleFiles(bin, open.pop()).findAll { name -> found.add(name) }.each { name ->
                final String text = bin.resolve(name).getText('UTF-8')
                imported(text).each { module -> open.push(module) }
                found.addAll(dataFiles(bin, name, text))
            }
        }
        found as List<String>
    }

    /** The files that importing a dotted name runs: the __init__.py of each folder, and the module if it is one. */
    private static List<String> moduleFiles(Path bin, String module) {
        final List<String> parts = module.tokenize('.')
        final List<String> names = (1..parts.size()).collect { n -> parts.take(n).join('/') + '/__init__.py' }
        (names + [parts.join('/') + '.py']).findAll { name -> Files.exists(bin.resolve(name)) }
    }

    /** Dotted names of the package that a text imports; an imported name may be a module, so it is tried as one too. */
    private static List<String> imported(String text) {
        final List<String> modules = []
        (text =~ /(?m)^[ \t]*import[ \t]+(pharmacell[\w.]*)/).each { match -> modules << match[1] }
        (text =~ /(?m)^[ \t]*from[ \t]+(pharmacell[\w.]*)[ \t]+import[ \t]+(\([^)]*\)|.*)/).each { match ->
            modules << match[1]
            match[2].replaceAll(/#.*|[()\\]/, ' ').split(',').each { item ->
                final String name = item.trim().tokenize(' ')[0]
                if (name) {
                    modules << "${match[1]}.${name}".toString()
                }
            }
        }
        modules
    }

    /** Files beside a module that are no Python and whose name stands in the module's text (such as the gene table). */
    private static List<String> dataFiles(Path bin, String module, String text) {
        final Path folder = bin.resolve(module).parent
        folder.toFile().listFiles().findAll { file ->
            file.isFile() && !file.name.endsWith('.py') && text.contains(file.name)
        }.collect { file -> bin.relativize(file.toPath()).toString() }
    }
}
