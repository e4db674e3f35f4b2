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

    private static String quote(Object value) {
        "'" + value.toString().replace("'", "'\\''") + "'"
    }
}
