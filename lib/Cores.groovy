/**
 * Cores of a task that works on one sample. Programs of one thread side by side do more in an hour than one after
 * another with several threads each, which wait for each other; a run of one sample still uses every core.
 */
class Cores {

    private static int share = Integer.MAX_VALUE

    /** Divide the machine among the samples of a run; at least one core for each. */
    static void divide(Object allowed, int samples) {
        final int cores = allowed ? allowed as Integer : Runtime.runtime.availableProcessors()
        share = Math.max(1, cores.intdiv(Math.max(1, samples)))
    }

    /** Cores of each sample; conf/base.config gives a task no more. */
    static int share() {
        share
    }
}
