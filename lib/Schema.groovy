import groovy.json.JsonSlurper

/** The params as nextflow_schema.json describes them; a problem is an IllegalArgumentException with one clear line. */
class Schema {

    private final Map<String, Map> groups

    Schema(Object projectDir) {
        final Map schema = new JsonSlurper().parse(new File(projectDir.toString(), 'nextflow_schema.json')) as Map
        groups = schema['$defs'] as Map<String, Map>
    }

    /** Params of a group that have a value, or a default of their own in this mode: what the group's commands receive. */
    Map<String, Object> values(String group, Map<String, ?> params) {
        groups[group].properties.collectEntries { name, rule ->
            [name, params[name] == null ? rule.default_in_mode?.get(params.mode) : params[name]]
        }.findAll { _name, value -> value != null }
    }

    /** Check the names, types and ranges of all params. */
    void check(Map<String, ?> params) {
        final Map<String, Map> known = groups.values().collectEntries { group -> group.properties as Map }
        params.each { name, value ->
            if (!known.containsKey(name)) {
                fail("--${name}: no such parameter${Nearest.hint(name, known.keySet(), '--')} (nextflow_schema.json lists them)")
            }
            if (value != null) {
                checkValue(name, value, known[name])
            }
        }
    }

    private static void checkValue(String name, Object value, Map rule) {
        if (!hasType(value, rule.type as String)) {
            final String seen = value instanceof Boolean ? 'no value' : "'${value}'"
            fail("--${name}: ${seen} given; give ${article(rule.type as String)}")
        }
        if (rule.enum && !(rule.enum as List).contains(value.toString())) {
            fail("--${name}: '${value}' is not one of ${(rule.enum as List).join(', ')}" +
                Nearest.hint(value.toString(), rule.enum as List<String>))
        }
        if (rule.pattern && !(value.toString() ==~ rule.pattern)) {
            fail("--${name}: '${value}' cannot be read; ${rule.errorMessage}")
        }
        final List<List> bounds = [
            ['at least', rule.minimum, value >= rule.minimum], ['above', rule.exclusiveMinimum, value > rule.exclusiveMinimum],
            ['at most', rule.maximum, value <= rule.maximum], ['below', rule.exclusiveMaximum, value < rule.exclusiveMaximum],
        ].findAll { _words, bound, _holds -> bound != null }
        if (!bounds.every { _words, _bound, holds -> holds }) {
            final String range = bounds.collect { words, bound, _holds -> "${words} ${bound}" }.join(' and ')
            fail("--${name}: ${value} is out of range; give ${article(rule.type as String)} ${range}")
        }
    }

    private static boolean hasType(Object value, String type) {
        switch (type) {
            case 'integer': return value instanceof Integer || value instanceof Long
            case 'number': return value instanceof Number
            case 'boolean': return value instanceof Boolean
            default: return !(value instanceof Boolean)
        }
    }

    private static String article(String type) {
        [integer: 'a whole number', number: 'a number', boolean: 'true or false'][type] ?: 'a value'
    }

    private static void fail(String message) {
        throw new IllegalArgumentException(message)
    }
}
