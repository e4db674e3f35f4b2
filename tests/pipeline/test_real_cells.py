"""Real cells with a known response, end to end through the pipeline; run where the file is at hand."""

import os
from pathlib import Path

import pandas as pd
import pytest
from engine_run import PROJECT, copy_project, run

FOLDER = Path(os.environ.get("PHARMACELL_REAL_DATA", PROJECT.parent / "shared" / "data"))
CELLS = FOLDER / "single_cell" / "a375_plx4720.tsv.gz"


@pytest.mark.skipif(not CELLS.is_file(), reason="no real cells at hand (PHARMACELL_REAL_DATA names their folder)")
def test_melanoma_cells_are_told_apart_without_any_label_and_no_worse_than_by_the_baselines(tmp_path):
    (tmp_path / "samples.csv").write_text(f"sample,path,drug,label_key\na375,{CELLS},plx 4720,response\n")
    arguments = ("--input", "samples.csv", "--outdir", "results", "--skip_explain")
    finished = run(copy_project(tmp_path / "project"), tmp_path, *arguments)
    assert finished.code == 0, finished.output
    folder = tmp_path / "results" / "predictions" / "a375"
    assert len(pd.read_csv(folder / "predictions.csv")) == 108
    scores = pd.read_csv(folder / "model_metrics.csv")
    auroc = scores[scores["metric"] == "auroc"].set_index("model")["value"]
    print(auroc.to_dict())
    assert auroc["ensemble"] > 0.9
    assert auroc["ensemble"] > auroc[["signature", "ridge", "logistic"]].max() - 0.02
