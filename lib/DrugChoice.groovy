/** What a cell of the sheet's column `drug` asks for: names, all, target:T, pathway:P, joined with ';'. */
class DrugChoice {

    static final String ALL = 'all'
    static final List<String> KINDS = ['target', 'pathway']
    static final int MOST_EXPLAINED = 5 // named drugs with key genes and a pseudotime
    private static final String BETWEEN = '+' // in no sample's name, so that what is published knows where the drug's folder begins

    /** Drugs that the steps for one drug predict, as written. */
    final List<String> named
    /** Which drugs the panel shows: none when there is no panel. */
    final List<String> panel

    DrugChoice(String cell) {
        final List<String> parts = parts(cell)
        named = parts.findAll { part -> kind(part) == null }
        final List<String> chosen = parts - named
        panel = parts.size() == 1 && named ? [] : !chosen || chosen.any { part -> kind(part) == ALL } ? [ALL] : parts
    }

    /** What is wrong with a cell, or null. Targets and pathways are those of the table of drugs. */
    static String problem(String cell, Known known) {
        final List<String> parts = parts(cell)
        if (!parts) {
            return "drug '${cell}' names none; give a name, several joined with ';', target:T, pathway:P or all"
        }
        final String twice = parts.find { part -> parts.count { other -> other.equalsIgnoreCase(part) } > 1 }
        twice ? "drug '${twice}' stands there twice; keep one" : parts.findResult { part -> problemOfPart(part, known) }
    }

    private static String problemOfPart(String part, Known known) {
        final String kind = kind(part)
        if (!(kind in KINDS)) {
            return null
        }
        final String wanted = part.substring(part.indexOf(':') + 1).trim()
        final Collection<String> names = kind == 'target' ? known.targets : known.pathways
        wanted && Known.named(wanted, names) ? null
            : "no drug has the ${kind} '${wanted}'${Nearest.hint(wanted, names, "${kind}:")} (pharmacell list_drugs prints all)"
    }

    /** The sample of a step for one drug: what of the row it reads, its drug, and a name of its own where there are several. */
    List<Map<String, Object>> runs(Map<String, String> row) {
        final List<String> folders = named.collect { drug -> folder(drug) }
        named.withIndex().collect { drug, index ->
            final int before = folders.take(index).count { folder -> folder.equalsIgnoreCase(folders[index]) } as int
            final String folder = folders[index] + (before ? "_${before + 1}" : '')
            row + [
                sample: panel ? row.sample + BETWEEN + folder : row.sample,
                drug: drug,
                explain: index < MOST_EXPLAINED,
            ]
        }
    }

    /** The sheet's name of the sample of a step for one drug. */
    static String sampleOf(String name) {
        name.tokenize(BETWEEN).first()
    }

    /** The bulk stage that serves every sample of a drug, in the place of a sample. */
    static Map<String, Object> bulkStage(Map<String, Object> run) {
        final String name = [folder(run.drug as String), run.sampling].findAll().join('_')
        [sample: "bulk${BETWEEN}${name}".toString(), drug: run.drug, sampling: run.sampling]
    }

    /** The folder of a bulk stage that serves every sample, below models/bulk; its name in the place of a sample begins with `bulk`. */
    static String stageFolder(String sample) {
        sample.substring(sample.indexOf(BETWEEN) + 1)
    }

    private static String folder(String drug) {
        drug.replaceAll(/[^A-Za-z0-9_.-]+/, '_')
    }

    private static List<String> parts(String cell) {
        cell.tokenize(';')*.trim().findAll()
    }

    /** all, target or pathway; null for a name. */
    private static String kind(String part) {
        final String word = part.contains(':') ? part.substring(0, part.indexOf(':')).trim().toLowerCase() : null
        word in KINDS ? word : part.equalsIgnoreCase(ALL) ? ALL : null
    }
}
