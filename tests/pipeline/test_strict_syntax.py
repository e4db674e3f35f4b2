"""The scripts and configurations pass the strict parser that newer engines use by default."""

import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from engine_run import PROJECT

from pharmacell.core.engine import embedded_jars, embedded_java

PARSER = "io.nextflow:nf-lang:25.04.0"  # the newest on Maven Central
FILES = [PROJECT / "main.nf", PROJECT / "nextflow.config"]
FILES += sorted([*PROJECT.glob("workflows/*.nf"), *PROJECT.glob("modules/*/main.nf"), *PROJECT.glob("conf/*.config")])


@pytest.fixture(scope="session")
def parser() -> Path:
    """Return the folder with the parser's jars, fetched once into the environment."""
    jars = Path(sys.prefix) / "share" / PARSER.replace(":", "-")
    if jars.is_dir():
        return jars
    import jgo

    partial = jars.with_name(f"{jars.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    os.environ["JAVA_HOME"] = str(embedded_java())
    logging.getLogger("jgo").setLevel(logging.ERROR)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("M2_REPO", str(partial / "maven"))
            found = jgo.build(PARSER, cache_dir=partial / "jgo").all_jars
    except Exception as error:  # jgo and requests raise many kinds; all mean that it cannot be had
        pytest.skip(f"{PARSER} could not be fetched from Maven Central: {' '.join(str(error).split())}")
    (partial / "flat").mkdir()
    for jar in found:
        shutil.copy(jar, partial / "flat")
    (partial / "flat").rename(jars)
    shutil.rmtree(partial)
    return jars


def errors(parser: Path, *files: Path) -> list[str]:
    """Return what the strict parser has against some files, a line each."""
    java = embedded_java()
    classes = f"{parser}/*:{embedded_jars(java)}/*:{PROJECT / 'lib'}"  # the parser's Groovy goes before the engine's
    script = PROJECT / "tests/pipeline/strict_syntax.groovy"
    ended = subprocess.run(
        [
            java / "bin" / "java",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            classes,
            "groovy.ui.GroovyMain",
            script,
            *files,
        ],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines()


def test_every_script_and_configuration_parses(parser):
    assert len(FILES) > 40
    assert errors(parser, *FILES) == []


def test_parser_finds_what_newer_engines_refuse(parser, tmp_path):
    (tmp_path / "a.nf").write_text("workflow {\n    x = 1\n        + 2\n    for (i in 1..2) { println i }\n}\n")
    (tmp_path / "b.nf").write_text("workflow {\n    println(unknown)\n}\n")
    (tmp_path / "c.config").write_text("process.memory = { 1.B * cells.size() }\n")
    found = errors(parser, *sorted(tmp_path.iterdir()))
    assert any("a.nf" in line for line in found)
    assert any("`unknown` is not defined" in line for line in found)
    assert any("`cells` is not defined" in line for line in found)
