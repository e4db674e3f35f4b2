import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.Paths

/** The sample sheet (csv), checked; a problem is an IllegalArgumentException with one line that names file and row. */
class SampleSheet {

    static final List<String> REQUIRED = ['sample', 'path', 'drug']
    static final Map<String, List<String>> CHOICES = [
        species: ['auto', 'human', 'mouse'],
        scale: ['auto', 'counts', 'tpm', 'log1p', 'zscore'],
        sampling: ['none', 'over', 'under', 'smote', 'adasyn'],
    ]
    static final List<String> COLUMNS = REQUIRED + ['label_key', 'group_key'] + (CHOICES.keySet() as List)

    /**
     * Rows of the sheet in its order, each a map with all of {@link #COLUMNS}; an empty cell is null. A relative path is
     * looked for beside the sheet, then in the folder of the launch; an address such as s3://... is passed on unread.
     */
    static List<Map<String, String>> read(Object sheet, Object launchDir) {
        final Path file = Paths.get(launchDir.toString()).resolve(sheet.toString())
        final List<Map<String, String>> rows = parse(sheet.toString(), file)
        final Map<String, Integer> seen = [:]
        rows.eachWithIndex { row, index ->
            final String where = "${sheet}: row ${index + 1}"
            checkRow(row, where)
            if (seen.containsKey(row.sample)) {
                fail("${where}: sample '${row.sample}' stands in row ${seen[row.sample]} too; give each row its own name")
            }
            seen[row.sample] = index + 1
            row.path = locate(row.path, [file.parent, Paths.get(launchDir.toString())], where)
        }
        rows
    }

    private static List<Map<String, String>> parse(String name, Path file) {
        if (!Files.isRegularFile(file)) {
            fail("${name}: no such file; give --input the path of a sample sheet (csv: ${REQUIRED.join(',')},...)")
        }
        final List<List<String>> lines = records(name, file).findAll { cells -> cells.any { cell -> cell } }
        if (lines.size() < 2) {
            fail("${name}: ${lines ? 'no row below the header' : 'empty file'}; give one row for each sample")
        }
        final List<String> header = lines.head()
        checkHeader(name, header)
        lines.tail().withIndex().collect { cells, index ->
            if (cells.size() > header.size()) {
                fail("${name}: row ${index + 1}: ${cells.size()} cells where the header has ${header.size()}; " +
                    'put a cell that holds a comma in double quotes')
            }
            COLUMNS.collectEntries { column ->
                final int position = header.indexOf(column)
                [column, position >= 0 ? (cells[position] ?: null) : null]
            }
        }
    }

    private static void checkHeader(String name, List<String> header) {
        final List<String> missing = REQUIRED - header
        if (missing) {
            fail("${name}: no column '${missing.first()}' (the header is ${header.join(',')}); add it")
        }
        final String unknown = header.find { column -> !COLUMNS.contains(column) }
        if (unknown != null) {
            fail("${name}: unknown column '${unknown}'${Nearest.hint(unknown, COLUMNS)} (known: ${COLUMNS.join(', ')})")
        }
        final String twice = header.find { column -> header.count(column) > 1 }
        if (twice) {
            fail("${name}: column '${twice}' stands there twice; keep one")
        }
    }

    private static void checkRow(Map<String, String> row, String where) {
        REQUIRED.each { column ->
            if (!row[column]) {
                fail("${where}: '${column}' is empty; fill it in")
            }
        }
        if (!(row.sample ==~ /[A-Za-z0-9][A-Za-z0-9_.-]*/)) {
            fail("${where}: sample '${row.sample}' names files; use letters, digits, '_', '-' and '.' only")
        }
        CHOICES.each { column, choices ->
            if (row[column] && !choices.contains(row[column])) {
                fail("${where}: ${column} '${row[column]}' is not one of ${choices.join(', ')}")
            }
        }
    }

    private static String locate(String path, List<Path> folders, String where) {
        if (path ==~ /[a-z0-9]+:\/\/.*/) {
            return path
        }
        final Path found = folders.collect { folder -> folder.resolve(path) }.find { candidate -> Files.exists(candidate) }
        if (found == null) {
            fail("${where}: ${path} does not exist; give a path from the sheet's folder, from the folder of the launch, or a whole one")
        }
        if (path.endsWith('.pkl') || path.endsWith('.pickle')) {
            fail("${where}: ${path} is a pickle, which can run code when opened; save it as h5ad")
        }
        if (Files.isRegularFile(found) && Files.size(found) == 0) {
            fail("${where}: ${path} is empty; copy it again")
        }
        found.toAbsolutePath().normalize().toString()
    }

    /** Cells of each line, trimmed; double quotes hold commas and, doubled, a quote. */
    private static List<List<String>> records(String name, Path file) {
        final String text
        try {
            text = Files.readString(file)
        } catch (java.nio.charset.CharacterCodingException ignored) {
            fail("${name}: not a text file; save the sheet as csv (UTF-8)")
        }
        text.replace('\uFEFF', '').readLines().collect { line ->
            (line =~ /(?:^|,)\s*(?:"((?:[^"]|"")*)"|([^,]*))\s*(?=,|$)/).collect { match ->
                (match[1] != null ? match[1].replace('""', '"') : match[2]).trim()
            }
        }
    }

    private static void fail(String message) {
        throw new IllegalArgumentException(message)
    }
}
