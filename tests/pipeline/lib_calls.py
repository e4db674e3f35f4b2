"""Call the Groovy classes of lib/ without starting a pipeline."""

import json
import subprocess
import tempfile
from pathlib import Path

from engine_run import PROJECT

from pharmacell.core.engine import embedded_jars, embedded_java


def call(cases: list[dict]) -> list[dict]:
    """Return one ``{"answer": ...}`` or ``{"error": message}`` for each case of lib_checks.groovy."""
    java = embedded_java()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "cases.json"
        path.write_text(json.dumps(cases))
        finished = subprocess.run(
            [
                java / "bin" / "java",
                "-cp",
                f"{embedded_jars(java)}/*:{PROJECT / 'lib'}",
                "groovy.ui.GroovyMain",
                PROJECT / "tests/pipeline/lib_checks.groovy",
                path,
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout)
