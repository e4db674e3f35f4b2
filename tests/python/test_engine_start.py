"""What the embedded engine refuses, and that it takes classes from an archive only where there is one."""

import os
import sys
from pathlib import Path

import pytest

from pharmacell.core import engine
from pharmacell.core.engine import VERSION, embedded_jars, refusal, resolve_jars, shared_classes


@pytest.mark.parametrize(
    ("arguments", "environment", "word"),
    [
        (["run", "main.nf", "-bg"], {}, "-bg"),
        (["-bg", "run", "main.nf"], {}, "-bg"),
        (["run", "main.nf", "-with-tower"], {}, "-with-tower"),
        (["run", "main.nf"], {"NXF_VER": "23.04.0"}, "NXF_VER=23.04.0"),
    ],
)
def test_what_only_a_stock_launcher_does_is_refused_in_one_line(arguments, environment, word):
    said = refusal(arguments, environment)
    assert said.startswith(word)
    assert "\n" not in said


def test_ordinary_runs_are_not_refused():
    assert refusal(["run", "main.nf", "-resume"], {"NXF_VER": VERSION}) is None


def test_the_file_of_certificates_is_used_and_named_where_the_engine_cannot_be_fetched(tmp_path: Path, monkeypatch):
    import jgo

    def refuse(*_arguments, **_options):
        raise OSError(f"verified with {os.environ['REQUESTS_CA_BUNDLE']}")

    monkeypatch.setattr(jgo, "build", refuse)
    for name in ("JAVA_HOME", "M2_REPO", "REQUESTS_CA_BUNDLE"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("SSL_CERT_FILE", "site.pem")
    with pytest.raises(SystemExit, match=r"verified with site\.pem; check the network .* set SSL_CERT_FILE"):
        resolve_jars(tmp_path / "java", tmp_path / "jars")


def test_classes_are_shared_where_there_is_an_archive(tmp_path: Path):
    jars = tmp_path / "nextflow-1"
    assert shared_classes(jars) == []
    (tmp_path / "nextflow-1.jsa").touch()  # empty: Java could not make one
    assert shared_classes(jars) == []
    (tmp_path / "nextflow-1.jsa").write_bytes(b"classes")
    assert f"-XX:SharedArchiveFile={tmp_path / 'nextflow-1.jsa'}" in shared_classes(jars)


def test_an_environment_with_jars_gets_the_archive_once_and_a_read_only_one_does_without(tmp_path: Path, monkeypatch):
    made = []
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(engine, "archive_classes", lambda _java, jars: made.append(jars))
    jars = tmp_path / "share" / f"nextflow-{VERSION}"
    jars.mkdir(parents=True)
    with monkeypatch.context() as read_only:
        read_only.setattr(os, "access", lambda *_: False)
        assert embedded_jars(tmp_path) == jars
    assert made == []
    assert embedded_jars(tmp_path) == jars
    assert made == [jars]
    jars.with_name(f"{jars.name}.jsa").touch()
    assert embedded_jars(tmp_path) == jars
    assert made == [jars]
