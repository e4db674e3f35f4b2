/** What `--help` prints. */
class Help {

    private static final int WIDTH = 110
    private static final int INDENT = 29

    /** All params by group, each with its choices, default and meaning. */
    static String text(Schema schema, String version) {
        final List<String> lines = [
            "PharmaCell ${version}: how single cells respond to a drug, by transfer from bulk cell lines",
            '',
            'Usage: nextflow run main.nf [-profile NAME,...] --input samples.csv [--outdir FOLDER] [--PARAM VALUE ...]',
        ]
        schema.groups.each { group, content ->
            final Map<String, List<String>> modes = content.properties.collectEntries { name, _rule ->
                [name, Schema.GROUPS.keySet().findAll { mode -> schema.reads(mode, name as String) } as List]
            }
            final List<String> usual = modes.values().countBy { each -> each }.max { each -> each.value }.key
            lines << '' << "${content.title}${inModes(usual)}".toString()
            content.properties.each { name, rule ->
                lines.addAll(entry(name as String, rule as Map, modes[name] == usual ? '' : inModes(modes[name])))
            }
        }
        lines.join('\n')
    }

    private static String inModes(List<String> modes) {
        modes.size() == Schema.GROUPS.size() ? ' (every mode)' : " (--mode ${modes.join(', ')})"
    }

    private static List<String> entry(String name, Map rule, String modes) {
        final String kind = rule.enum ? (rule.enum as List).join('|') : [integer: 'N', number: 'X', boolean: '', string: 'TEXT'][rule.type]
        final String meaning = rule.description + modes + (rule.default != null && rule.default != false ? " [default: ${rule.default}]" : '')
        final String head = "  --${name} ${rule.enum ? '' : kind}".stripTrailing()
        final List<String> lines = wrap((rule.enum ? "${kind}: " : '') + meaning)
        final String first = head.size() < INDENT ? head.padRight(INDENT) + lines.head() : null
        (first ? [first] : [head, ' ' * INDENT + lines.head()]) + lines.tail().collect { line -> ' ' * INDENT + line }
    }

    private static List<String> wrap(String text) {
        final List<String> lines = ['']
        text.tokenize(' ').each { word ->
            if (lines.last() && lines.last().size() + word.size() >= WIDTH - INDENT) {
                lines << word
            } else {
                lines[-1] = "${lines.last()} ${word}".trim()
            }
        }
        lines
    }
}
