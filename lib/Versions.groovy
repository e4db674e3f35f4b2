import groovy.json.JsonOutput

/** What a run ran with, beside the versions that each process states. */
class Versions {

    /** One line of YAML: the engine, the pipeline with its revision, and the containers. */
    static String ofRun(Object workflow) {
        final Map<String, Object> found = [
            nextflow: workflow.nextflow.version.toString(),
            pharmacell: workflow.manifest.version,
            revision: [workflow.revision, workflow.commitId ?: workflow.scriptId].findAll().join(' '),
            container: images(workflow.container) ?: 'none',
        ]
        "WORKFLOW: ${JsonOutput.toJson(found)}\n"
    }

    /** The engine has one name, or one for each process. */
    private static String images(Object container) {
        container instanceof Map ? (container as Map).values().unique().join(', ') : container
    }

    /** Which image the tasks run in and where it comes from; null when they run in none. */
    static String image(Object workflow) {
        final String images = workflow.containerEngine ? images(workflow.container) : null
        images ? "Image: ${images} (${images.contains('@sha256:') ? 'as published' : 'your own, or of `make image`'})" : null
    }
}
