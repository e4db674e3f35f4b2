"""Sheets and files as people have them, through the engine up to the step that reads them; later steps are stubs."""

import json
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import anndata as ad
import numpy as np
import pandas as pd
import pytest
from engine_run import copy_project, run

# Reads what it is given and says so, or that it is bad.
READER = """#!/bin/bash
while [ $# -gt 0 ]; do
    case $1 in --input) input=$2;; --sample) sample=$2;; esac
    shift
done
if grep -q bad "$input"; then echo "error: $input: these cells are bad; copy them again" >&2; exit 1; fi
for name in h5ad qc_metrics.csv qc_summary.json; do cat "$input" > "$sample.$name"; done
"""
SHEET = (
    "\ufeffsample;path;drug;;\r\n"
    "s;cells[1].h5ad;cisplatin;;\r\n;;;;\r\n"
    "qc;Zellen für Ärzte, Tag 1.h5ad;$(touch CANARY);;\r\n"
    "web;ADDRESS/web.h5ad;it's;;\r\n"
    "first;bad 1.h5ad;cisplatin;;\r\n"
    "second;bad 2.h5ad;cisplatin;;\r\n"
)
CONTENTS = {
    "cells[1].h5ad": "right",
    "cells1.h5ad": "decoy",
    "Zellen für Ärzte, Tag 1.h5ad": "umlauts",
    "web.h5ad": "from the web",
    "bad 1.h5ad": "bad",
    "bad 2.h5ad": "bad",
}


class Silent(SimpleHTTPRequestHandler):
    """Serves a folder without a log."""

    def log_message(self, *_):
        pass


def only_qc_is_real(folder):
    """Copy the project and give QC its script in the place of its stub; return the copy."""
    project = copy_project(folder)
    module = project / "modules/qc/main.nf"
    head, _, rest = module.read_text().partition("    script:\n")
    script = rest.partition("    stub:\n")[0]
    module.write_text(f"{head}    script:\n{script}    stub:\n{script}}}\n")
    return project


@pytest.fixture(scope="module")
def launch(tmp_path_factory):
    """A folder with the files, served at an address too, and a project whose only real step is the reader above."""
    folder = tmp_path_factory.mktemp("inputs")
    project = only_qc_is_real(folder / "project")
    (project / "bin/qc.py").write_text(READER)
    for name, content in CONTENTS.items():
        (folder / name).write_text(content)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    (folder / "sheet.csv").write_text(SHEET.replace("ADDRESS", address))
    yield project, folder, address
    server.shutdown()


@pytest.fixture(scope="module")
def refused(launch):
    project, folder, _ = launch
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LC_ALL", "C")
        return run(project, folder, "-profile", "test", "-stub-run", "--input", "sheet.csv", "--outdir", "refused")


@pytest.fixture(scope="module")
def skipped(launch, refused):
    project, folder, address = launch
    more = ("-resume", "--skip_bad_samples", "--outdir", "skipped", "--input", f"{address}/sheet.csv")
    return run(project, folder, "-profile", "test", "-stub-run", *more)


def test_all_bad_samples_are_named_before_any_training(refused):
    assert refused.code == 1
    said = [line for line in refused.output.splitlines() if "cannot be used" in line]
    assert said, refused.output
    assert "2 samples cannot be used." in said[0]
    assert "first: input/bad 1.h5ad: these cells are bad" in said[0]
    assert "second: input/bad 2.h5ad: these cells are bad" in said[0]
    assert not any(task.startswith("PRETRAIN_BULK") for task in refused.submitted)


def test_good_samples_go_on_when_asked_and_the_report_names_the_others(launch, skipped):
    assert skipped.code == 0, skipped.output
    folder = launch[1] / "skipped"
    assert {path.name for path in (folder / "predictions").iterdir()} == {"s", "qc", "web"}
    page = (folder / "report/pharmacell_report.html").read_text()
    assert '"first":"input/bad 1.h5ad: these cells are bad; copy them again"' in page
    assert '"second":' in page


def test_what_was_good_is_not_checked_again_and_what_was_bad_is(skipped):
    assert [task for task in skipped.submitted if task.startswith("QC")] == ["QC (first)", "QC (second)"]
    assert [task for task in skipped.cached if task.startswith("QC")] == ["QC (qc)", "QC (s)", "QC (web)"]


@pytest.mark.parametrize(("sample", "content"), [("s", "right"), ("qc", "umlauts"), ("web", "from the web")])
def test_the_very_file_of_the_sheet_is_read_and_published_without_its_samples_name(launch, skipped, sample, content):
    folder = launch[1] / "skipped"
    published = {path.name: path.read_text() for path in (folder / "qc" / sample).iterdir()}
    assert published == {"qc_metrics.csv": content, "qc_summary.json": content}
    assert (folder / "predictions" / sample / f"{sample}.h5ad").exists()
    assert (folder / "key_genes" / sample / "key_genes.csv").exists()
    assert (folder / "models" / sample / "model.json").exists()


def test_a_drug_is_a_word_of_a_command_and_no_command(launch, skipped):
    assert not list(launch[1].rglob("CANARY"))


def test_the_matrix_that_is_asked_for_is_read(tmp_path):
    """A layer whose name is a sentence, beside X and raw, by the real QC, which reads the sheet's treatment_key too."""
    project = only_qc_is_real(tmp_path / "project")
    cells = ad.read_h5ad(project / "tests/data/cells_cisplatin.h5ad")
    cells.raw = cells
    cells.layers["it's mine"] = cells.X * 3
    cells.write_h5ad(tmp_path / "s.h5ad")
    (tmp_path / "sheet.csv").write_text("sample,path,drug,treatment_key\ns,s.h5ad,cisplatin,response\n")
    arguments = ("-profile", "test", "-stub-run", "--input", "sheet.csv", "--outdir", "results")
    ended = run(project, tmp_path, *arguments, "--matrix", "it's mine", "--max_mt_percent", "100")
    assert ended.code == 0, ended.output
    summary = json.loads((tmp_path / "results/qc/s/qc_summary.json").read_text())
    assert "layers['it's mine'] is used (as asked)" in summary["notes"]
    assert any(note.startswith("response: taken as untreated '0' (80 cells)") for note in summary["notes"])
    measured = pd.read_csv(tmp_path / "results/qc/s/qc_metrics.csv").set_index("cell_id")["total_counts"]
    np.testing.assert_allclose(measured[cells.obs_names], 3 * np.asarray(cells.X.sum(axis=1)).ravel(), rtol=1e-6)
