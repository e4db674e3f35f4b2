/**
 * Cores of a task. Programs of one thread side by side do more in an hour than one after another with several threads
 * each, which wait for each other; a task that nothing runs beside uses every core.
 */
class Cores {

    private static int cores = Integer.MAX_VALUE
    private static Map<String, Integer> counts = [:]

    /** Divide the machine among the tasks of a step; counts: how many tasks a step has that works on each sample, or on each drug of it (run). */
    static void divide(Object allowed, Map<String, Integer> counts) {
        cores = allowed ? allowed as Integer : Runtime.runtime.availableProcessors()
        Cores.counts = counts
    }

    /** Cores of each task of such a step, at least one; conf/base.config gives it no more. */
    static int of(String kind) {
        Math.max(1, cores.intdiv(Math.max(1, counts[kind] ?: 1)))
    }
}
