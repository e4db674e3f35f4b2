"""Call the Groovy classes of lib/ without starting a pipeline."""

import atexit
import json
import subprocess
from functools import cache

from engine_run import PROJECT

from pharmacell.core.engine import embedded_jars, embedded_java


@cache
def runtime() -> subprocess.Popen:
    """Start the one Java runtime of this test session; it compiles the classes once and answers line by line."""
    java = embedded_java()
    started = subprocess.Popen(
        [
            java / "bin" / "java",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            f"{embedded_jars(java)}/*:{PROJECT / 'lib'}:{PROJECT / 'tests/pipeline'}",
            "groovy.ui.GroovyMain",
            PROJECT / "tests/pipeline/lib_checks.groovy",
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    atexit.register(started.kill)
    return started


def call(cases: list[dict]) -> list[dict]:
    """Return one ``{"answer": ...}`` or ``{"error": message}`` for each case of lib_checks.groovy."""
    process = runtime()
    process.stdin.write(json.dumps(cases) + "\n")
    process.stdin.flush()
    answer = process.stdout.readline()
    assert answer, "the Java runtime ended; its error stands above"
    return json.loads(answer)
