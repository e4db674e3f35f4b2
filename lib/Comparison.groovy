/** Which options the compared models read, and which of them are networks. */
class Comparison {

    /** Models that train no network: they ignore --epochs and need no GPU. */
    static final List<String> WITHOUT_NETWORK = ['gradient_boosting', 'logistic', 'ridge', 'signature', 'prevalence']

    static boolean isNetwork(String model) {
        !(model in WITHOUT_NETWORK)
    }

    /** What a slice's model reads of all options: the main model (it alone has heads) most of them, others their own. */
    static Map<String, Object> options(Map<String, Map<String, Object>> options, Map<String, String> slice) {
        final String own = (options.benchmark.model_settings ?: '').toString().tokenize(',')*.trim()
            .findAll { part -> part.startsWith("${slice.model}.") }.join(',')
        final Map<String, Object> shared = options.stacks + [model_settings: own ?: null]
        if (slice.heads) {
            return options.network + options.training + options.transfer.findAll { name, _value -> name != 'supervision' } + options.prediction + shared
        }
        shared + (isNetwork(slice.model) ? options.training.subMap('epochs') : [:])
    }

    /** What the plan of the folds depends on. */
    static Map<String, Object> planned(Map<String, Map<String, Object>> options) {
        options.network.findAll { name, _value -> name != 'n_replicas' } + options.training.subMap('config', 'preset', 'sampling', 'validation') +
            options.benchmark
    }
}
