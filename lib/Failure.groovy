/** What a failed task said. */
class Failure {

    /** The last "error: ..." line of a command in the engine's report, or null: the report then speaks for itself. */
    static String line(String report) {
        final List<String> lines = (report ?: '').readLines()*.trim().findAll { text -> text.startsWith('error: ') }
        lines ? lines.last() - 'error: ' : null
    }
}
