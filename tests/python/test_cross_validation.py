"""The engine of the benchmark: folds, protocols, what a fit may see, and stacks against single fits."""

import tracemalloc
from bisect import bisect_left
from dataclasses import replace
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from click.testing import CliRunner
from synthetic_cells import DRUG, GENES, make_lines, write_bulk, write_cells

from pharmacell.benchmark.build_folds import build_folds
from pharmacell.benchmark.columns import FIT, PLAN, SLICES
from pharmacell.benchmark.dataset import load_dataset, rows_of
from pharmacell.benchmark.fit_slice import cross_validate as run_slice
from pharmacell.benchmark.memory import fold_limit, parse_memory
from pharmacell.benchmark.plan import Variant, expected_fits, fits_of, make_plan, planned_models, slices, variants
from pharmacell.benchmark.protocols import Protocol
from pharmacell.benchmark.registry import get
from pharmacell.cli.cross_validate import cross_validate
from pharmacell.cli.plan_folds import plan_folds
from pharmacell.cli.pretrain_autoencoder import pretrain_autoencoder
from pharmacell.cli.pretrain_bulk import pretrain_bulk
from pharmacell.core.errors import InputError
from pharmacell.data.cells import CellMatrix
from pharmacell.data.lines import load_lines
from pharmacell.evaluate.metrics import auroc

CPU = torch.device("cpu")
SMALL = {"bottleneck": 16, "encoder": (24,), "predictor": (12,), "heads": 4, "epochs": 2, "batch_size": 32}
N_CELLS = 90
SEED = 3


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("benchmark")
    write_bulk(folder)
    write_cells(folder / "s.h5ad", N_CELLS)
    return folder


def plan_of(files: Path, protocol: str, n_repeats: int = 2, n_folds: int = 3, seed: int = SEED) -> pd.DataFrame:
    obs = CellMatrix(files / "s.h5ad").obs
    return make_plan("s", obs, Protocol.parse(protocol), n_repeats, n_folds, seed)


def dataset_of(files: Path, protocol: str = "labels"):
    cells = CellMatrix(files / "s.h5ad")
    lines = load_lines(files / "bulk.h5ad", files / "response.parquet", DRUG, cells.genes)
    return load_dataset("s", DRUG, cells, lines, plan_of(files, protocol), None, SEED)


def fitted(dataset, fits, **settings) -> list[np.ndarray]:
    return get("atsdp", **(SMALL | settings)).fit_predict(build_folds(dataset, fits), CPU)


def test_folds_are_disjoint_and_cover_every_cell_once_a_repeat(files):
    plan = plan_of(files, "labels")
    ids = set(CellMatrix(files / "s.h5ad").obs.index)
    for _, repeat in plan.groupby("repeat"):
        assert len(repeat) == N_CELLS
        assert set(repeat["cell_id"]) == ids
        assert repeat["fold"].nunique() == 3


def test_same_seed_same_plan_and_repeats_differ(files):
    plan = plan_of(files, "labels")
    pd.testing.assert_frame_equal(plan, plan_of(files, "labels"))
    assert not plan.equals(plan_of(files, "labels", seed=SEED + 1))
    first, second = (plan[plan["repeat"] == repeat].set_index("cell_id")["fold"].sort_index() for repeat in (0, 1))
    assert (first != second).any()


def test_random_folds_keep_the_share_of_classes(files):
    truth = CellMatrix(files / "s.h5ad").obs["pharmacell_truth"]
    shares = plan_of(files, "transfer").groupby(["repeat", "fold"])["cell_id"].apply(lambda ids: truth[ids].mean())
    assert (abs(shares - truth.mean()) < 0.05).all()


def test_the_permuted_main_model_stands_once_where_the_main_model_is_swept():
    def heads(sweep):
        return [one.heads for one in variants(["atsdp_permuted"], sweep, ["over", "none"])]

    assert (heads([0, 4, 16]), heads([16, 8, 0]), heads([16, 32])) == ([4], [8], [16])
    assert variants(["atsdp_permuted"], [0], ["over", "none"]) == [Variant("atsdp_permuted", 0, "over")]


@pytest.mark.parametrize("protocol", ["transfer", "labels"])
def test_the_main_model_learns_nothing_from_shuffled_labels(files, protocol):
    dataset = dataset_of(files, protocol)
    fits = [(repeat, fold) for repeat in range(2) for fold in range(3)]
    folds, truths = build_folds(dataset, fits), [dataset.truth[rows_of(dataset, key)[1]] for key in fits]
    settings = SMALL | {"epochs": 10, "learning_rate": 3e-3}

    def aurocs(name: str, seed: int) -> list[float]:
        found = get(name, **settings, user_seed=seed).fit_predict(folds, CPU)
        return [auroc(truth, probability) for truth, probability in zip(truths, found, strict=True)]

    assert np.mean(aurocs("ensemble", 0)) > 0.8  # with labels it is the network alone
    # the folds of a repeat share one permutation of the lines, so a few repeats' worth is needed
    assert abs(np.mean([aurocs("atsdp_permuted", seed) for seed in range(4)]) - 0.5) < 0.2


def test_atsdp_is_the_network_alone_and_the_ensemble_a_row_of_its_own(files):
    """The paper's network reads no linear member and no neighbour; what predict mode averages is another model."""
    dataset = dataset_of(files, "transfer")
    folds = build_folds(dataset, [(0, 0)])
    alone, unsmoothed, together = (
        get(name, **SMALL, **more).fit_predict(folds, CPU)[0]
        for name, more in (("atsdp", {}), ("atsdp", {"neighbours": 0}), ("ensemble", {}))
    )
    assert np.array_equal(alone, unsmoothed)
    assert np.abs(alone - together).max() > 0.01
    assert Variant("ensemble", 4, "none") in variants(["ensemble"], [0, 4], ["none"])


@pytest.mark.parametrize(
    ("protocol", "has_members", "there"),
    [("transfer", True, True), ("few_shot:2", True, True), ("transfer", False, False), ("labels", True, False)],
)
def test_the_ensemble_stands_only_where_it_is_more_than_the_network(protocol, has_members, there):
    parsed = Protocol.parse(protocol)
    assert ("ensemble" in planned_models(None, has_members, parsed)) == there
    if there:
        assert planned_models(["ensemble"], has_members, parsed) == ["ensemble"]
    else:
        with pytest.raises(InputError, match="--models ensemble"):
            planned_models(["ensemble"], has_members, parsed)


def test_slices_hold_every_expected_fit_once(files):
    plan = plan_of(files, "labels")
    chosen = variants(["atsdp", "ridge"], [0, 4], ["none", "over"])
    assert chosen == [
        Variant("atsdp", 0, "none"),
        Variant("atsdp", 0, "over"),
        Variant("atsdp", 4, "none"),
        Variant("atsdp", 4, "over"),
        Variant("ridge", None, "none"),
    ]
    expected = expected_fits("s", DRUG, chosen, plan)
    for size in (None, 1, 4, 100):
        table = slices("s", DRUG, chosen, plan, size, "genes")
        assert table["id"].is_unique
        keys = ["model", "heads", "sampling"]
        covered = [
            " ".join(map(str, (*[row[key] for key in keys], *fit)))
            for row in table.to_dict("records")
            for fit in fits_of(plan)[row["first"] : row["last"]]
        ]
        wanted = [" ".join(map(str, row.values())) for row in expected[[*keys, "repeat", "fold"]].to_dict("records")]
        assert sorted(covered) == sorted(wanted)
    assert len(slices("s", DRUG, chosen, plan, None, "genes")) == 5 * 2


def test_cells_of_a_plan_are_never_dense_as_a_whole(tmp_path):
    lines, n_cells = make_lines(), 40_000
    x = sp.random(n_cells, len(GENES), 0.05, "csr", np.float32, np.random.default_rng(0))
    obs = pd.DataFrame({"pharmacell_truth": np.arange(n_cells) % 2}, [f"cell{number}" for number in range(n_cells)])
    cells = ad.AnnData(x, obs, pd.DataFrame(index=GENES), {"pharmacell": {"scale": "log1p"}})
    cells.write_h5ad(tmp_path / "s.h5ad")
    matrix = CellMatrix(tmp_path / "s.h5ad")
    plan = make_plan("s", matrix.obs, Protocol.parse("labels"), 1, 20, SEED)
    tracemalloc.start()
    dataset = load_dataset("s", DRUG, matrix, lines, plan, None, SEED)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 0.5 * np.float32().nbytes * x.shape[0] * x.shape[1]
    rows = rows_of(dataset, (0, 3))[1]
    np.testing.assert_array_equal(sp.vstack(list(dataset.blocks(rows))).toarray(), x[rows].toarray())


def test_stub_of_the_plan_has_the_columns_that_the_command_writes():
    stub = (Path(__file__).parents[2] / "modules/plan_folds/main.nf").read_text().split("stub:")[1]
    for name, columns in (("folds", PLAN), ("slices", SLICES), ("expected", FIT)):
        assert f"echo {','.join(columns)} > ${{meta.sample}}.{name}.csv\n" in stub


def test_train_cells_are_standardised_with_themselves_alone(files):
    dataset = dataset_of(files)
    fold = build_folds(dataset, [(0, 1)])[0]
    test = rows_of(dataset, (0, 1))[1]
    louder = dataset.cells.toarray()
    louder[test] = 50 * louder[test] + 7
    again = build_folds(replace(dataset, cells=louder), [(0, 1)])[0]
    np.testing.assert_array_equal(fold.train, again.train)
    assert abs(fold.train.mean(0)).max() < 0.05  # clipped at +-5, so not exactly 0
    assert not np.array_equal(fold.test, again.test)


@pytest.mark.parametrize("protocol", ["labels", "transfer", "few_shot:2"])
@pytest.mark.parametrize("config", ["default", "published"])
def test_a_test_cell_does_not_change_what_the_others_get(files, protocol, config):
    """Scaling, clusters, neighbours, stopping and labels: whatever leaks, leaks to the other cells of the fold."""
    dataset = dataset_of(files, protocol)
    rows = rows_of(dataset, (0, 0))[1]
    cells, truth = dataset.cells.toarray(), dataset.truth.copy()
    cells[rows[:5]] = np.random.default_rng(0).normal(3, 5, cells[rows[:5]].shape)
    truth[rows] = 1 - truth[rows]
    found = fitted(dataset, [(0, 0)], config=config)[0]
    again = fitted(replace(dataset, cells=cells, truth=truth), [(0, 0)], config=config)[0]
    np.testing.assert_allclose(again[5:], found[5:], rtol=1e-4)  # a product may round by the values of another row
    assert len(found) == len(rows)
    assert np.ptp(found) > 0


def test_transfer_uses_no_label_and_labels_does(files):
    truth = 1 - dataset_of(files).truth
    for protocol, same in (("transfer", True), ("labels", False)):
        dataset = dataset_of(files, protocol)
        found = fitted(dataset, [(0, 0)], config="published")[0]
        flipped = fitted(replace(dataset, truth=truth), [(0, 0)], config="published")[0]
        assert np.array_equal(found, flipped) == same, protocol


def test_visible_labels(files):
    counts = {}
    for protocol in ("labels", "transfer", "few_shot:2"):
        dataset = dataset_of(files, protocol)
        fold = build_folds(dataset, [(1, 2)])[0]
        shown = fold.train_labels >= 0
        train = rows_of(dataset, (1, 2))[0]
        assert set(fold.train_labels[shown]) <= {0, 1}
        if protocol == "few_shot:2":
            assert [(fold.train_labels == label).sum() for label in (0, 1)] == [2, 2]
            assert (dataset.truth[train][shown] == fold.train_labels[shown]).all()
        counts[protocol] = shown.mean()
    assert counts["labels"] == 1
    assert counts["transfer"] == 0


def test_fold_has_no_test_line_and_each_line_once(files):
    from pharmacell.data.splits import split_lines

    fold = build_folds(dataset_of(files), [(0, 0)])[0]
    cells = CellMatrix(files / "s.h5ad")
    lines = load_lines(files / "bulk.h5ad", files / "response.parquet", DRUG, cells.genes)
    test = set(lines.labels.index[split_lines(lines.labels, SEED) == "test"])
    assert test
    assert fold.lines.labels.index.is_unique
    assert not test & set(fold.lines.labels.index)
    assert len(fold.bulk) == len(fold.lines.labels) == len(lines.labels) - len(test)
    assert abs(fold.bulk.mean(0)).max() < 0.05


@pytest.mark.parametrize(
    ("protocol", "config"),
    [("labels", "published"), ("labels", "default"), ("transfer", "default"), ("few_shot:2", "published")],
)
def test_stacked_folds_get_what_single_folds_get(files, protocol, config):
    dataset = dataset_of(files, protocol)
    fits = fits_of(dataset.plan)
    together = fitted(dataset, fits, config=config)
    for position in (0, 4):
        alone = fitted(dataset, [fits[position]], config=config)[0]
        np.testing.assert_allclose(together[position], alone, atol=1e-4)
    assert not np.array_equal(together[0][:20], together[3][:20])


def test_a_slice_that_does_not_fit_is_cut_and_scores_the_same(files):
    dataset = dataset_of(files)
    model, shape = get("atsdp", **SMALL), (1, dataset.lines.x.shape)
    n_train = n_test = N_CELLS
    sizes = range(700 * 2**20, 900 * 2**20, 2**14)
    one = sizes[bisect_left(sizes, True, key=lambda size: _fits(model, shape[1], n_train, n_test, size))]
    assert fold_limit(model, shape[1], n_train, n_test, one) == 1
    assert fold_limit(model, shape[1], n_train, n_test, one + 2**24) > 1
    with pytest.raises(InputError, match="allow more"):
        fold_limit(model, shape[1], n_train, n_test, 2**20)
    variant = Variant("atsdp", 4, "none")
    whole, fits = run_slice(dataset, variant, model, 0, 3, 2**32, CPU)
    cut, single = run_slice(dataset, variant, model, 0, 3, one, CPU)
    assert (fits["stacked"] == 3).all()
    assert (single["stacked"] == 1).all()
    np.testing.assert_allclose(whole["probability"], cut["probability"], atol=1e-4)
    assert list(whole["cell_id"]) == list(cut["cell_id"])


def _fits(model, shape, n_train, n_test, size) -> bool:
    try:
        return fold_limit(model, shape, n_train, n_test, size) >= 1
    except InputError:
        return False


def test_folds_of_another_size_are_fitted_apart(files):
    dataset = dataset_of(files)
    folds = build_folds(dataset, [(0, 0), (0, 1)])
    shorter = replace(folds[1], train=folds[1].train[:-7], train_labels=folds[1].train_labels[:-7])
    model = get("atsdp", **SMALL)
    together = model.fit_predict([folds[0], shorter], CPU)
    np.testing.assert_allclose(together[1], model.fit_predict([shorter], CPU)[0], atol=1e-4)
    np.testing.assert_allclose(together[0], model.fit_predict([folds[0]], CPU)[0], atol=1e-4)


def test_leave_group_out_tests_whole_groups(files, tmp_path):
    cells = ad.read_h5ad(files / "s.h5ad")
    cells.obs["pharmacell_group"] = pd.Categorical([f"g{number % 3}" for number in range(N_CELLS)])
    plan = make_plan("s", cells.obs, Protocol.parse("leave_group_out"), 2, 10, SEED)
    groups = cells.obs["pharmacell_group"].astype(str)
    per_fold = plan.groupby(["repeat", "fold"])["cell_id"].apply(lambda ids: set(groups[ids]))
    assert len(per_fold) == 6
    assert all(len(found) == 1 for found in per_fold)


COMMON = ["--sample", "s", "--drug", DRUG, "--threads", "1", "--device", "cpu", "--seed", str(SEED)]
NETWORK = ["--bottleneck", "16", "--encoder", "24", "--predictor", "12", "--epochs", "2", "--batch_size", "32"]


def invoke(command, *arguments):
    return CliRunner().invoke(command, [str(argument) for argument in arguments])


def inputs(files: Path, target: Path | None = None) -> list:
    return [
        "--bulk",
        files / "bulk.h5ad",
        "--response",
        files / "response.parquet",
        "--target",
        target or files / "s.h5ad",
    ]


def test_commands_from_plan_to_predictions(files, tmp_path):
    """The bulk stage is done apart, once, and its replicas serve folds of both repeats."""
    plan = [
        *COMMON,
        *inputs(files),
        *NETWORK,
        "--repeats",
        2,
        "--folds",
        3,
        "--models",
        "atsdp,prevalence",
        "--heads_sweep",
        "0,4",
        "--outdir",
        tmp_path,
    ]
    assert invoke(plan_folds, *plan).exit_code == 0
    table = pd.read_csv(tmp_path / "s.slices.csv")
    assert list(table["id"]) == [
        "s.atsdp.0.none.0-3",
        "s.atsdp.0.none.3-6",
        "s.atsdp.4.none.0-3",
        "s.atsdp.4.none.3-6",
        "s.prevalence.0-3",
        "s.prevalence.3-6",
    ]
    shared = [*inputs(files), *NETWORK, "--n_replicas", 2, "--outdir", tmp_path]
    ended = invoke(
        pretrain_autoencoder,
        *COMMON[4:],
        *[shared[i] for i in (0, 1, 4, 5)],
        *shared[6:],
        "--heads",
        3,  # concerns networks with attention only
    )
    assert ended.exit_code == 0, ended.output
    before = [*COMMON, *shared, "--heads", 4, "--autoencoder", tmp_path / "autoencoder.safetensors"]
    ended = invoke(pretrain_bulk, *before)
    assert ended.exit_code == 0, ended.output
    wrong = invoke(pretrain_bulk, *before, "--bottleneck", 32)
    assert wrong.exit_code == 1
    assert "for other genes, layer widths or replicas" in wrong.output
    slice_ = [
        *COMMON,
        *inputs(files),
        *NETWORK,
        "--folds",
        tmp_path / "s.folds.csv",
        "--model",
        "atsdp",
        "--heads",
        4,
        "--pretrained",
        tmp_path / "s.pretrained.safetensors",
        "--name",
        "part",
        "--outdir",
        tmp_path,
    ]
    ended = invoke(cross_validate, *slice_, "--slice", "2:5")
    assert ended.exit_code == 0, ended.output
    found = pd.read_parquet(tmp_path / "part.predictions.parquet")
    assert list(found) == [
        "dataset",
        "drug",
        "model",
        "heads",
        "sampling",
        "protocol",
        "repeat",
        "fold",
        "cell_id",
        "probability",
        "truth",
    ]
    assert set(found[["repeat", "fold"]].itertuples(index=False, name=None)) == {(0, 2), (1, 0), (1, 1)}
    folds = pd.read_csv(tmp_path / "s.folds.csv", dtype={"cell_id": str}).merge(found, on=["repeat", "fold", "cell_id"])
    assert len(folds) == len(found)
    truth = CellMatrix(files / "s.h5ad").obs["pharmacell_truth"]
    assert (found["truth"].to_numpy() == truth[found["cell_id"]].to_numpy()).all()
    fits = pd.read_csv(tmp_path / "part.fits.csv")
    assert list(fits)[-5:] == ["seconds", "peak_bytes", "n_train", "n_test", "stacked"]
    assert (fits["seconds"] > 0).all()
    assert (fits["heads"] == 4).all()
    again = invoke(cross_validate, *slice_, "--slice", "2:5")
    assert again.exit_code == 0
    pd.testing.assert_frame_equal(found, pd.read_parquet(tmp_path / "part.predictions.parquet"))


BAD = {
    "fewer cells of a class than folds": (["--folds", "60"], "fewer than the 60 folds"),
    "no such model": (["--models", "ridge,resnet19"], "--models resnet19: no such model; there are "),
    "no tokens": (["--attention_tokens", "3"], "--bottleneck 16: cannot be cut into 3 attention tokens"),
    "no such sampling": (["--samplings", "none,smoth"], "--samplings smoth: no such sampling"),
    "no such protocol": (["--protocol", "labelled"], "'--protocol': 'labelled' cannot be read; give labels, transfer"),
    "too many shots": (["--protocol", "few_shot:80"], "few_shot:80 needs 80 labelled cells of each class"),
    "no groups": (["--protocol", "leave_group_out"], "needs groups; name their column"),
    "no such drug": (["--drug", "nothing"], "nothing"),
}


@pytest.mark.parametrize("kind", BAD)
def test_bad_plan_is_one_clear_line(files, tmp_path, kind):
    arguments, expected = BAD[kind]
    ended = invoke(
        plan_folds,
        *COMMON,
        *inputs(files),
        *NETWORK,
        "--heads_sweep",
        "4",
        "--repeats",
        2,
        *arguments,
        "--outdir",
        tmp_path,
    )
    assert ended.exit_code == 1
    assert ended.stderr.startswith("error: ")
    assert expected in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_sample_without_labels_and_group_of_one_class_are_refused(files, tmp_path):
    write_cells(tmp_path / "bare.h5ad", N_CELLS, truth=False)
    plan = [*COMMON, *NETWORK, "--models", "ridge", "--outdir", tmp_path / "out"]
    ended = invoke(plan_folds, *plan, *inputs(files, tmp_path / "bare.h5ad"))
    assert (ended.exit_code, "under --protocol labels the sample has none" in ended.stderr) == (1, True)
    cells = ad.read_h5ad(files / "s.h5ad")
    cells.obs["pharmacell_group"] = pd.Categorical(np.where(cells.obs["pharmacell_truth"] == 1, "sick", "well"))
    cells.write_h5ad(tmp_path / "grouped.h5ad")
    ended = invoke(plan_folds, *plan, *inputs(files, tmp_path / "grouped.h5ad"), "--protocol", "leave_group_out")
    assert (ended.exit_code, "group 'sick' has cells of class 1 only" in ended.stderr) == (1, True)


def test_slice_outside_the_plan_and_foreign_cells_are_refused(files, tmp_path):
    plan_of(files, "labels").to_csv(tmp_path / "s.folds.csv", index=False)
    arguments = [
        *COMMON,
        *inputs(files),
        "--folds",
        tmp_path / "s.folds.csv",
        "--model",
        "prevalence",
        "--outdir",
        tmp_path / "out",
    ]
    assert "the plan has fits 0 to 5" in invoke(cross_validate, *arguments, "--slice", "4:9").stderr
    assert (
        "give an amount such as 4GB"
        in invoke(cross_validate, *arguments, "--slice", "0:1", "--max_stack_memory", "much").stderr
    )
    plan_of(files, "labels").replace("cell3", "cell_x").to_csv(tmp_path / "s.folds.csv", index=False)
    ended = invoke(cross_validate, *arguments, "--slice", "0:1")
    assert (ended.exit_code, "cells that the sample lacks, such as 'cell_x'" in ended.stderr) == (1, True)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("text", "size"), [("4GB", 2**32), ("4.GB", 2**32), ("512 MB", 2**29), ("1.5G", 3 * 2**29)])
def test_sizes_are_read(text, size):
    assert parse_memory(text) == size
