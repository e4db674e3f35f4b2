"""A stack that is trained in halves, for lack of memory, comes out as one that is trained at once."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from synthetic_cells import CONFIG, CPU, TRAINING, make_lines, weights_of, write_cells

from pharmacell.data.cells import CellMatrix
from pharmacell.response.finetune_sc import adapt
from pharmacell.response.network import ATSDP
from pharmacell.response.partial_stacks import WIDE, most_at_once
from pharmacell.response.pretrain_bulk import pretrain
from pharmacell.response.settings import Configuration
from pharmacell.response.training_lines import SplitLines
from pharmacell.response.training_run import TrainingRun

SETTINGS = {
    "plain": TRAINING,
    "shifted": replace(
        TRAINING, validation="shifted", ensemble=True, noise="thinning", sampling="over", resample="lines"
    ),
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_halves_give_the_numbers_of_the_whole(tmp_path, kind):
    lines, sample = make_lines(), CellMatrix(write_cells(tmp_path / "s.h5ad"))
    found = []
    settings = Configuration(CONFIG, SETTINGS[kind])
    for attempt in (1, 2):
        run = TrainingRun(7, CPU, attempt)
        source = pretrain(lines, settings, 3, run)
        result = adapt(source.bundle, SplitLines(lines, source.split), sample, settings, "none", run)
        found.append((source, result, weights_of(source.bundle.model)))
    (whole, whole_target, weights), (halves, halves_target, half_weights) = found
    for name, values in weights.items():
        np.testing.assert_allclose(half_weights[name], values, atol=1e-3, err_msg=name)
    for first, second in ((whole.history, halves.history), (whole_target.history, halves_target.history)):
        keys = ["stage", "epoch", "term", "part", "replica"]
        pair = first.merge(second, on=keys, how="outer", suffixes=("_whole", "_halves"))
        assert set(pair["replica"]) == {0, 1, 2}
        last = pair.groupby(["stage", "replica"])["epoch"].transform("max")
        both = pair[pair["epoch"] < last].dropna()  # a replica alone stops without waiting for its neighbours
        np.testing.assert_allclose(both["value_halves"], both["value_whole"], atol=1e-2)
    assert (whole_target.null is None) == (kind == "plain")
    if whole_target.null is not None:
        np.testing.assert_allclose(halves_target.null.weights, whole_target.null.weights, atol=1e-2)


def test_a_processor_trains_wide_networks_one_by_one_and_narrow_ones_together():
    """A wide stack gains nothing, and goes on until its last replica has stopped; memory asks for less in either."""
    narrow, wide = (ATSDP(CONFIG, n_genes, [1, 2, 3], "meta") for n_genes in (60, WIDE // CONFIG.encoder[0] + 1))
    for model in (narrow, wide):
        model.random.device = CPU
    assert [most_at_once(model, at_once) for model in (narrow, wide) for at_once in (3, 2)] == [3, 2, 1, 1]
    wide.random.device = torch.device("cuda")
    assert most_at_once(wide, 3) == 3


def test_each_attempt_halves_the_stack_down_to_one_replica():
    assert [TrainingRun(7, CPU, attempt).replicas_at_once(5) for attempt in (1, 2, 3, 4)] == [5, 2, 1, 1]
