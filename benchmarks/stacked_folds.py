"""Ten folds adapted as one stack against ten folds one after another in the same process: time, and the same scores."""

import time

import numpy as np
import pandas as pd
import torch
from machine import N_GENES, N_LINES, Row, ratio_in_turns, synthetic

from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.models.atsdp import CrossValidatedATSDP
from pharmacell.benchmark.registry import get
from pharmacell.data.splits import split_lines
from pharmacell.data.standardise import Standardiser
from pharmacell.response.pretrain_bulk import pretrain_on_split
from pharmacell.response.training_lines import SplitLines, prepare_training_lines
from pharmacell.response.training_run import TrainingRun

FOLDS, GPU_FOLDS = 10, 100
SMALL = {"bottleneck": 16, "encoder": (32,), "predictor": (16,), "heads": 2, "attention_tokens": 4}  # conf/test.config
SIZES = {  # lines, genes, cells, network, epochs, turns, bar
    "test size": (240, 600, 160, SMALL, 20, 5, 0.6),
    "full size": (N_LINES, N_GENES, 600, {}, 3, 3, None),
}
TOLERANCE = 1e-3


def synthetic_folds(n_lines: int, n_genes: int, n_cells: int, n_folds: int) -> list[Fold]:
    """Return folds of random cells and lines, a tenth of the cells tested in each; no cell label is visible."""
    lines, rng = synthetic(n_lines, n_genes), np.random.default_rng(1)
    cells = rng.normal(size=(n_cells, n_genes)).astype(np.float32)
    bulk, split = Standardiser.fit([lines.x]).apply(lines.x), split_lines(lines.labels, 0, test_share=0)
    folds = []
    for number in range(n_folds):
        repeat, part = divmod(number, 10)
        order = np.random.default_rng(repeat).permutation(n_cells)
        test = np.zeros(n_cells, bool)
        test[order[part * n_cells // 10 : (part + 1) * n_cells // 10]] = True
        scaler = Standardiser.fit([cells[~test]])
        folds.append(
            Fold(
                key=(repeat, part),
                genes=lines.genes,
                bulk=bulk,
                bulk_labels=lines.labels.to_numpy(np.int64),
                bulk_response=lines.response.to_numpy(),
                bulk_groups=np.full(n_lines, "synthetic"),
                train=scaler.apply(cells[~test]),
                train_labels=np.full((~test).sum(), -1),
                test=scaler.apply(cells[test]),
                smiles=None,
                seed=number,
                lines=lines,
                split=pd.Series(split),
            )
        )
    return folds


def prepared(model: CrossValidatedATSDP, folds: list[Fold], device: torch.device):
    """Return a function that adapts folds as one stack; the bulk stage, which is done once, is behind it."""
    settings = model.config.configuration(model.with_linear_members)
    repeats = 1 + max(fold.key[0] for fold in folds)
    bulk = SplitLines(folds[0].lines, folds[0].split)
    bundle, _ = pretrain_on_split(bulk, settings, repeats, TrainingRun(0, device))
    lines = prepare_training_lines(bulk, bundle.source_scaler, settings.training, repeats, 0, device)
    return lambda some: model.fit_stack(some, bundle, lines, settings, device)


def measure():
    """Yield the ratio of times at each size, and the largest difference of a probability."""
    device = torch.device("cpu")
    for name, (n_lines, n_genes, n_cells, network, epochs, turns, bar) in SIZES.items():
        folds = synthetic_folds(n_lines, n_genes, n_cells, FOLDS)
        model = get("atsdp", **network, epochs=epochs, autoencoder_epochs=epochs, patience=epochs)
        fit, found = prepared(model, folds, device), {}

        def stacked(fit=fit, folds=folds, found=found) -> float:
            start = time.perf_counter()
            found["stacked"] = fit(folds)
            return time.perf_counter() - start

        def successive(fit=fit, folds=folds, found=found) -> float:
            start = time.perf_counter()
            found["successive"] = [fit([fold])[0] for fold in folds]
            return time.perf_counter() - start

        ratio = ratio_in_turns(turns, stacked, successive)
        yield Row(f"{name} ({n_lines} x {n_genes}): {FOLDS} folds stacked / one after another", ratio, "x", bar)
        apart = max(np.abs(one - other).max() for one, other in zip(found["stacked"], found["successive"], strict=True))
        yield Row(f"{name}: largest difference of a probability", apart, "", TOLERANCE)


def measure_gpu():
    """Yield time and memory of 100 folds at the paper's settings in one stacked run; nothing without a GPU."""
    if not torch.cuda.is_available():
        return
    device = torch.device("cuda")
    folds = synthetic_folds(N_LINES, N_GENES, 600, GPU_FOLDS)
    model = get("atsdp", config="published")
    fit = prepared(model, folds, device)
    torch.cuda.reset_peak_memory_stats(device)
    start = time.perf_counter()
    fit(folds)
    torch.cuda.synchronize(device)
    yield Row(f"GPU: {GPU_FOLDS} folds at the paper's settings, one stack", time.perf_counter() - start, "s")
    yield Row("GPU: peak memory of that stack", torch.cuda.max_memory_allocated(device) / 2**30, "GiB")
    each = model.stack_bytes(N_GENES, len(folds[0].train), len(folds[0].test))
    yield Row("GPU: predicted", GPU_FOLDS * each / 2**30, "GiB")
