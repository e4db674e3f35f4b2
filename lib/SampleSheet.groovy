import java.nio.ByteBuffer
import java.nio.charset.CharacterCodingException
import java.nio.charset.Charset
import java.nio.charset.StandardCharsets
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.Paths
import nextflow.file.FileHelper

/** The sample sheet (csv), checked; a problem is an IllegalArgumentException with one line that names file and row. */
class SampleSheet {

    static final List<String> REQUIRED = ['sample', 'path', 'drug']
    static final Map<String, List<String>> CHOICES = [
        species: ['auto', 'human', 'mouse'],
        scale: ['auto', 'counts', 'tpm', 'log1p', 'zscore'],
        sampling: ['none', 'over', 'under', 'smote', 'adasyn'],
    ]
    /** Columns that the panel of several drugs alone reads. */
    static final List<String> OF_PANEL = ['normal_key', 'tissue', 'mutations']
    static final List<String> COLUMNS = REQUIRED + ['label_key', 'group_key', 'treatment_key'] + OF_PANEL + (CHOICES.keySet() as List)
    private static final List<String> SEPARATORS = [',', ';', '\t']
    private static final int MOST_NAMED = 10 // bad rows that one line names

    private final String name
    private final Path folder
    private final Path launchDir
    private final Known known
    private final boolean ownBulk

    /** Rows that can be used, in the sheet's order, each a map with all of {@link #COLUMNS}; an empty cell is null. */
    final List<Map<String, String>> rows = []
    /** What is wrong with each row that cannot be used, by its number below the header. */
    final Map<Integer, String> bad = [:]
    /** Name of the sample in each of these rows. */
    final Map<Integer, String> badSamples = [:]

    /**
     * A relative path is looked for beside the sheet, then in the folder of the launch; an address such as s3://... is
     * passed on unread. The sheet may lie at such an address itself.
     *
     * @param known names that it may use
     * @param ownBulk whether the bulk data are the user's, whose tissues only a task can read
     */
    SampleSheet(Object sheet, Object launchDir, Known known, boolean ownBulk) {
        name = sheet.toString()
        this.known = known
        this.ownBulk = ownBulk
        this.launchDir = Paths.get(launchDir.toString())
        final Path file = InputFile.isAddress(name) ? null : InputFile.find(name, [this.launchDir])
        if (file ? !Files.isRegularFile(file) : !InputFile.isAddress(name)) {
            fail("${name}: no such file; give --input the path of a sample sheet (csv: ${REQUIRED.join(',')},...)")
        }
        folder = file?.parent
        final Map<String, Integer> seen = [:]
        parse(decode(file)).each { number, row ->
            final String problem = problemOf(row) ?: (seen.containsKey(row.sample)
                ? "sample '${row.sample}' stands in row ${seen[row.sample]} too; give each row its own name" : null)
            if (problem) {
                bad[number] = problem
                badSamples[number] = row.sample ?: "row ${number}".toString()
                return
            }
            seen[row.sample] = number
            row.path = locate(row.path)
            rows << row
        }
    }

    /** Columns with values in rows of one drug only, whose steps do not read them. */
    List<String> unread() {
        OF_PANEL.findAll { column -> rows.any { row -> row[column] } && !rows.any { row -> row[column] && new DrugChoice(row.drug).panel } }
    }

    /** One line about all rows that cannot be used. */
    String complaint() {
        final List<String> each = bad.take(MOST_NAMED).collect { number, problem -> "row ${number}: ${problem}".toString() }
        "${name}: " + each.join('; ') + (bad.size() > MOST_NAMED ? "; and ${bad.size() - MOST_NAMED} more rows" : '')
    }

    private String decode(Path file) {
        final byte[] bytes = contentOf(file)
        final Charset charset = bytes.size() > 1 && bytes[0] == (byte) 0xFF && bytes[1] == (byte) 0xFE ? StandardCharsets.UTF_16LE
            : bytes.size() > 1 && bytes[0] == (byte) 0xFE && bytes[1] == (byte) 0xFF ? StandardCharsets.UTF_16BE : StandardCharsets.UTF_8
        try {
            return charset.newDecoder().decode(ByteBuffer.wrap(bytes)).toString().replace('\uFEFF', '')
        } catch (CharacterCodingException ignored) {
            fail("${name}: not a text file in UTF-8; save the sheet as csv (in Excel: CSV UTF-8)")
        }
    }

    private byte[] contentOf(Path file) {
        try {
            Files.readAllBytes(file ?: FileHelper.asPath(name))
        } catch (IOException | IllegalArgumentException | UnsupportedOperationException | IllegalStateException problem) {
            throw new IllegalArgumentException("${name}: cannot be read (${problem.message?.readLines()?.first() ?: problem.class.simpleName}); check the address")
        }
    }

    private Map<Integer, Map<String, String>> parse(String text) {
        if (text.startsWith('PK\u0003')) {
            fail("${name}: an Excel workbook; save the sheet as csv (in Excel: CSV UTF-8)")
        }
        final List<List<String>> records = records(text)
        final int first = records.findIndexOf { cells -> cells.any() }
        if (first < 0) {
            fail("${name}: empty file; give one row for each sample")
        }
        final List<String> header = records[first]
        checkHeader(header)
        final Map<Integer, List<String>> filled = records.drop(first + 1).withIndex(1).collectEntries { cells, number -> [number, cells] }
            .findAll { _number, cells -> cells.any() }
        if (!filled) {
            fail("${name}: no row below the header; give one row for each sample")
        }
        filled.collectEntries { number, cells ->
            if (cells.drop(header.size()).any()) {
                fail("${name}: row ${number}: ${cells.size()} cells where the header has ${header.size()}; put a cell that holds a comma in double quotes")
            }
            final String nameless = cells.withIndex().find { cell, at -> cell && !header[at] }?.get(0)
            if (nameless) {
                fail("${name}: row ${number}: '${nameless}' stands in a column without a name; name the column or empty it")
            }
            [number, COLUMNS.collectEntries { column ->
                final int position = header.indexOf(column)
                [column, position >= 0 ? (cells[position] ?: null) : null]
            }]
        }
    }

    private void checkHeader(List<String> header) {
        final List<String> named = header.findAll()
        final List<String> missing = REQUIRED - named
        if (missing) {
            fail("${name}: no column '${missing.first()}' (the header is ${named.join(',')}); add it")
        }
        final String unknown = named.find { column -> !COLUMNS.contains(column) }
        if (unknown != null) {
            fail("${name}: unknown column '${unknown}'${Nearest.hint(unknown, COLUMNS)} (known: ${COLUMNS.join(', ')})")
        }
        final String twice = named.find { column -> named.count(column) > 1 }
        if (twice) {
            fail("${name}: column '${twice}' stands there twice; keep one")
        }
    }

    private String problemOf(Map<String, String> row) {
        final String empty = REQUIRED.find { column -> !row[column] }
        if (empty) {
            return "'${empty}' is empty; fill it in"
        }
        final String broken = row.find { _column, value -> value =~ /\p{Cntrl}/ }?.key
        if (broken) {
            return "'${broken}' holds a control character, such as a line break; remove it"
        }
        if (!(row.sample ==~ /[A-Za-z0-9][A-Za-z0-9_.-]*/)) {
            return "sample '${row.sample}' names files; use letters, digits, '_', '-' and '.' only"
        }
        final String column = CHOICES.keySet().find { choice -> row[choice] && !CHOICES[choice].contains(row[choice]) }
        column ? "${column} '${row[column]}' is not one of ${CHOICES[column].join(', ')}"
            : DrugChoice.problem(row.drug, known) ?: problemOfTissue(row.tissue) ?: problemOfPath(row.path)
    }

    private String problemOfTissue(String tissue) {
        ownBulk || !tissue || Known.named(tissue, known.tissues + known.origins) ? null
            : "no bulk line is of the tissue '${tissue}'${Nearest.hint(tissue, known.tissues)} (known: ${known.tissues.sort(false).join(', ')})"
    }

    private String problemOfPath(String path) {
        if (path.endsWith('.pkl') || path.endsWith('.pickle')) {
            return "${path} is a pickle, which can run code when opened; save it as h5ad"
        }
        if (InputFile.isAddress(locate(path) ?: '')) {
            return null
        }
        final Path found = locate(path) ? Paths.get(locate(path)) : null
        if (found == null) {
            return "${path} does not exist; give a path from the sheet's folder, from the folder of the launch, or a whole one"
        }
        Files.isRegularFile(found) && Files.size(found) == 0 ? "${path} is empty; copy it again" : null
    }

    /** The whole path or address of a cell, or null where there is no such file. */
    private String locate(String path) {
        final Path found = InputFile.isAddress(path) ? null : InputFile.find(path, [folder ?: launchDir, launchDir])
        InputFile.isAddress(path) ? path
            : found ? found.toString()
            : folder == null && !path.startsWith('/') ? name.replaceFirst(/[^\/]*$/, '') + path // beside a sheet at an address
            : null
    }

    /** Cells of each line, trimmed; double quotes hold separators, line breaks and, doubled, a quote. */
    private List<List<String>> records(String text) {
        final List<String> chosen = (text =~ /\A"?sep=(.)"?\r?\n/).collect { match -> match[1] as String } // what Excel heeds
        final String body = chosen ? text.substring(text.indexOf('\n') + 1) : text
        final String separator = chosen ? chosen.first() : separator(body.readLines().find { line -> line.trim() } ?: '')
        final List<List<String>> records = []
        List<String> cells = []
        StringBuilder cell = new StringBuilder()
        boolean quoted = false
        for (int at = 0; at <= body.size(); at++) {
            final String character = at < body.size() ? body[at] : '\n'
            if (quoted) {
                if (character != '"') {
                    cell << character
                } else if (at + 1 < body.size() && body[at + 1] == '"') {
                    cell << '"'
                    at++
                } else {
                    quoted = false
                }
            } else if (character == '"' && !cell.toString().trim()) {
                quoted = true
                cell.length = 0
            } else if (character == separator || character == '\n' || character == '\r') {
                cells << trimmed(cell.toString())
                cell = new StringBuilder()
                if (character != separator) {
                    records << cells
                    cells = []
                    at += character == '\r' && at + 1 < body.size() && body[at + 1] == '\n' ? 1 : 0
                }
            } else {
                cell << character
            }
        }
        if (quoted) {
            fail("${name}: a double quote is opened and never closed; close it")
        }
        records
    }

    private static String separator(String header) {
        SEPARATORS.max { candidate -> header.count(candidate) }
    }

    private static String trimmed(String cell) {
        cell.replaceAll(/^[\s\u00A0\u200B]+|[\s\u00A0\u200B]+$/, '')
    }

    private static void fail(String message) {
        throw new IllegalArgumentException(message)
    }
}
