import java.nio.ByteBuffer
import java.nio.ByteOrder
import java.nio.channels.SeekableByteChannel
import java.nio.file.FileSystems
import java.nio.file.Files
import java.nio.file.InvalidPathException
import java.nio.file.LinkOption
import java.nio.file.Path
import java.nio.file.Paths
import nextflow.Nextflow

/** Where an input lies, how it gets safely into a task, and how large it is. */
class InputFile {

    // The engine's staging script leaves these to the shell: `ln -s cells[1].h5ad` links cells1.h5ad if that exists.
    private static final String EXPANDED = /[\[\]*?{}$]/
    private static final long WRAP = 1L << 32 // gzip counts modulo 4 GiB

    /** Whether a text is an address, such as s3://bucket/cells.h5ad, which only the engine can look up. */
    static boolean isAddress(String text) {
        text ==~ /(?s)(?!file:)[A-Za-z][A-Za-z0-9+.-]*:\/\/.*/
    }

    /**
     * The first of some folders' paths to a file or folder that exists, as an absolute path, or null. Links and `..` mean what they mean to the shell,
     * and the last name stays, because readers go by it.
     */
    static Path find(String text, List<Path> folders) {
        final String plain = text.replaceFirst(/^file:(\/\/)?(?=\/)/, '')
        try {
            final Path found = folders.collect { folder -> folder.resolve(plain) }.find { path -> Files.exists(path) }
            final String name = found?.fileName?.toString()
            found == null ? null : name in [null, '.', '..'] ? found.toRealPath() : found.toAbsolutePath().parent.toRealPath().resolve(name)
        } catch (InvalidPathException ignored) {
            throw new IllegalArgumentException("${plain}: this name cannot be written in the character set of your locale; set LC_ALL=C.UTF-8")
        }
    }

    /** What a process takes for a path or address of the user: the engine's file or, without one, an empty list. */
    static Object of(String path, Object workDir) {
        path ? Nextflow.file(staged(path, workDir), glob: false) : [] // `glob` would read * ? [ ] as patterns
    }

    /**
     * A path of the same content whose name no shell expands: the path itself or, where it holds such characters, one
     * below the work folder, of hard links. (A symbolic link's target would be missing in a container.)
     */
    static String staged(String path, Object workDir) {
        final Path work = workDir as Path
        if (isAddress(path) || !(path =~ EXPANDED) || work.fileSystem != FileSystems.default) {
            return path
        }
        final Path original = Paths.get(path)
        final Path copy = work.resolve('inputs').resolve(path.md5()).resolve(original.fileName.toString().replaceAll(EXPANDED, '_'))
        copy.toFile().deleteDir()
        Files.createDirectories(copy.parent)
        Files.deleteIfExists(copy)
        link(original, copy)
        copy.toString()
    }

    private static void link(Path original, Path copy) {
        if (Files.isDirectory(original)) {
            Files.createDirectory(copy)
            original.toFile().listFiles()*.toPath().sort().each { child -> link(child, copy.resolve(child.fileName)) }
            return
        }
        final Path content = original.toRealPath()
        try {
            Files.createLink(copy, content)
        } catch (IOException | UnsupportedOperationException ignored) { // another disk, or one without hard links
            Files.copy(content, copy)
            Files.setLastModifiedTime(copy, Files.getLastModifiedTime(content)) // for -resume
        }
    }

    /**
     * Bytes of a file, or of all files of a folder; gzip counts with what it unpacks to. For what cannot be looked at: a
     * guess of 1 GB.
     */
    static long bytes(Object input) {
        try {
            final Path path = (input as Path).toRealPath()
            Files.isDirectory(path, new LinkOption[0])
                ? Files.list(path).withCloseable { entries -> entries.toList() }.sum(0L) { entry -> bytes(entry) } as long
                : unpacked(path)
        } catch (IOException | UnsupportedOperationException ignored) {
            1_000_000_000L
        }
    }

    private static long unpacked(Path path) {
        final long packed = Files.size(path)
        if (!path.fileName.toString().endsWith('.gz') || packed < 20) {
            return packed
        }
        final ByteBuffer last = ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN)
        Files.newByteChannel(path).withCloseable { SeekableByteChannel channel ->
            channel.position(packed - 4)
            while (last.hasRemaining() && channel.read(last) >= 0) { }
        }
        long size = last.getInt(0) & 0xFFFFFFFFL
        while (size < 2 * packed) { // text and counts shrink to half and less
            size += WRAP
        }
        packed < 4_000_000 ? Math.max(last.getInt(0) & 0xFFFFFFFFL, packed) : size
    }
}
