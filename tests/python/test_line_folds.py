"""Protocol leave_line_out: folds of bulk lines, of which a fit sees nothing, and in which no cell has a part."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from sklearn.metrics import roc_auc_score
from synthetic_cells import DRUG, make_lines, write_bulk, write_cells

from pharmacell.benchmark.build_folds import build_folds
from pharmacell.benchmark.dataset import load_dataset, rows_of
from pharmacell.benchmark.plan import Variant, check_lines, make_plan, rows_to_test, slices
from pharmacell.benchmark.protocols import Protocol
from pharmacell.benchmark.registry import get
from pharmacell.cli.cross_validate import cross_validate
from pharmacell.cli.plan_folds import plan_folds
from pharmacell.core.errors import InputError
from pharmacell.data.cells import CellMatrix
from pharmacell.data.lines import Lines

CPU = torch.device("cpu")
SEED = 3
PROTOCOL = Protocol.parse("leave_line_out")
SMALL = {
    "bottleneck": 16,
    "encoder": (24,),
    "predictor": (12,),
    "heads": 4,
    "epochs": 2,
    "batch_size": 32,
    "neighbours": 0,
}


@pytest.fixture(scope="module")
def cells(tmp_path_factory) -> Path:
    return write_cells(tmp_path_factory.mktemp("cells") / "s.h5ad", truth=False)


def plan_of(lines: Lines, folds: int = 3) -> pd.DataFrame:
    return make_plan("s", rows_to_test(pd.DataFrame(), lines, PROTOCOL), PROTOCOL, 2, folds, SEED)


def dataset_of(cells: Path, lines: Lines):
    return load_dataset("s", DRUG, CellMatrix(cells), lines, plan_of(lines), None, SEED)


def test_each_line_is_tested_once_in_a_repeat_and_never_learnt_from(cells):
    lines = make_lines()
    dataset = dataset_of(cells, lines)
    for key in [(0, 0), (1, 2)]:
        fold = build_folds(dataset, [key])[0]
        tested = set(dataset.ids[rows_of(dataset, key)[1]])
        assert len(fold.test) == len(tested) == 30
        assert not tested & set(fold.lines.labels.index)
        assert len(fold.bulk) == len(fold.lines.x) == len(fold.split) == 60
        assert set(fold.split) == {"train", "validation"}
        assert (fold.train_labels == -1).all()
    assert (dataset.plan.groupby("repeat")["cell_id"].nunique() == len(lines.x)).all()


@pytest.mark.parametrize("name", ["atsdp", "ridge", "mlp", "scad"])
def test_lines_left_out_change_nothing_but_themselves(cells, name):
    """Expression, class and response of five left-out lines: a leak would reach the other left-out lines."""
    lines = make_lines()
    dataset = dataset_of(cells, lines)
    rows = rows_of(dataset, (0, 0))[1]
    x, labels, response = lines.x.copy(), lines.labels.copy(), lines.response.copy()
    x[rows[:5]] = np.random.default_rng(0).normal(3, 5, x[rows[:5]].shape)
    labels.iloc[rows], response.iloc[rows] = 1 - labels.iloc[rows], 100.0
    other = replace(
        dataset, cells=x, truth=labels.to_numpy(), lines=replace(lines, x=x, labels=labels, response=response)
    )
    settings = SMALL if name == "atsdp" else {"epochs": 2}
    found, again = (get(name, **settings).fit_predict(build_folds(one, [(0, 0)]), CPU)[0] for one in (dataset, other))
    np.testing.assert_allclose(again[5:], found[5:], rtol=1e-4)
    assert len(found) == len(rows)
    assert np.ptp(found) > 0


def test_lines_are_told_apart_where_genes_carry_the_response(cells):
    dataset = dataset_of(cells, make_lines())
    fits = [(0, fold) for fold in range(3)]
    found = np.concatenate(get("ridge").fit_predict(build_folds(dataset, fits), CPU))
    rows = np.concatenate([rows_of(dataset, key)[1] for key in fits])
    assert roc_auc_score(dataset.truth[rows], found) > 0.85


def test_too_few_lines_and_a_plan_for_others_are_refused(cells):
    lines = make_lines()
    with pytest.raises(InputError, match="has 27 lines, fewer than the 40 folds; use --folds 27 or fewer"):
        plan_of(lines, folds=40)
    few = lines.take(np.r_[np.flatnonzero(lines.labels == 0), np.flatnonzero(lines.labels == 1)[:3]])
    with pytest.raises(InputError, match="2 sensitive lines are too few"):
        check_lines(few, plan_of(few), SEED)
    with pytest.raises(InputError, match="the fold plan is for other lines"):
        load_dataset("s", DRUG, CellMatrix(cells), few, plan_of(lines), None, SEED)


def test_folds_of_lines_share_no_pretraining():
    table = slices("s", DRUG, [Variant("atsdp", 4, "none")], plan_of(make_lines()), None, "genes")
    assert list(table["pretrained"]) == [0, 0]


def test_commands_need_no_cell_label(cells, tmp_path):
    write_bulk(tmp_path)
    common = [
        "--sample",
        "s",
        "--drug",
        DRUG,
        "--seed",
        SEED,
        "--threads",
        1,
        "--device",
        "cpu",
        "--target",
        cells,
        "--bulk",
        tmp_path / "bulk.h5ad",
        "--response",
        tmp_path / "response.parquet",
        "--outdir",
        tmp_path,
    ]
    network = ["--bottleneck", 16, "--encoder", 24, "--predictor", 12, "--epochs", 2]
    run = CliRunner()
    ended = run.invoke(
        plan_folds,
        [
            str(part)
            for part in (
                *common,
                *network,
                "--protocol",
                "leave_line_out",
                "--models",
                "atsdp",
                "--heads_sweep",
                4,
                "--repeats",
                1,
                "--folds",
                3,
            )
        ],
    )
    assert ended.exit_code == 0, ended.stderr
    ended = run.invoke(
        cross_validate,
        [
            str(part)
            for part in (
                *common,
                *network,
                "--heads",
                4,
                "--folds",
                tmp_path / "s.folds.csv",
                "--model",
                "atsdp",
                "--slice",
                "0:3",
            )
        ],
    )
    assert ended.exit_code == 0, ended.stderr
    found = pd.read_parquet(tmp_path / "s.atsdp.0-3.predictions.parquet")
    assert set(found["cell_id"]) == set(make_lines().labels.index)
    assert set(found["protocol"]) == {"leave_line_out"}
    fits = pd.read_csv(tmp_path / "s.atsdp.0-3.fits.csv")
    assert list(fits["stacked"]) == [1, 1, 1]
