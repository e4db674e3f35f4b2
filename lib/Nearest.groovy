import nextflow.extension.Bolts

/** The name that a user probably meant. */
class Nearest {

    /** "; did you mean NAME?" when some name is close enough to be a slip, else an empty text. */
    static String hint(String given, Collection<String> names, String prefix = '') {
        final List<String> close = Bolts.closest(names, given)
        close ? "; did you mean ${prefix}${close.first()}?" : ''
    }
}
