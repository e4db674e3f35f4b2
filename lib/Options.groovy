import groovy.json.JsonOutput

/** Options of a command line, made from a map. */
class Options {

    /** "--name 'value'" for each entry that has a value; a list repeats its option. Values are quoted for the shell. */
    static String line(Map<String, ?> options) {
        options.collectMany { name, value ->
            final List<?> values = value instanceof Collection ? value as List : [value]
            values.findAll { item -> item != null && item != '' }.collect { item -> "--${name} ${quote(item)}" }
        }.join(' ')
    }

    /** A map as one line of json, quoted for the shell. */
    static String json(Map<String, ?> content) {
        quote(JsonOutput.toJson(content))
    }

    /** Values as one line of csv, quoted for the shell. */
    static String csv(List<?> values) {
        quote(values.collect { value -> value.toString() =~ /[",]/ ? '"' + value.toString().replace('"', '""') + '"' : value }.join(','))
    }

    /** A value as one word of the shell. A file is its name inside the task: the engine's own escaping leaves `$` and patterns. */
    static String quote(Object value) {
        "'" + value.toString().replace("'", "'\\''") + "'"
    }

    /** A text that is safe where the engine writes a task's tag: into the head of its script, as a comment. */
    static String tag(Object value) {
        value.toString().replaceAll(/[^\p{L}\p{N} .,:+_()-]/, '_')
    }
}
