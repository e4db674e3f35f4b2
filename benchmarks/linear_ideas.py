"""What could add to ridge regression on single cells, tried in cheap models; appends rows to a csv.

    PYTHONPATH=bin .venv/bin/python benchmarks/linear_ideas.py BULK_FOLDER OUT.csv --first 0 --last 4 [--networks]

BULK_FOLDER holds bulk.h5ad and response.parquet of prepare_bulk; the sets are those of ``transfer_accuracy.py``. The
list of changes was made on draws 100 to 105; draws from 0 report. Every change is one to the same model: ridge
regression with a penalty of 1e4 on the denoised response, averaged over 15 neighbours.
"""

from itertools import pairwise, product
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch
from mixture_cells import Mixture
from scipy import sparse
from simulated_sets import DRUGS, NEIGHBOURS, Panel, SimulatedSet
from transfer_accuracy import KEY, interval, set_of

from pharmacell.data.embedding import principal_axes
from pharmacell.data.shifts import TARGET_SUM, line_profiles
from pharmacell.data.standardise import Standardiser
from pharmacell.evaluate.metrics import auroc
from pharmacell.linear.denoised_responses import denoised_response
from pharmacell.linear.fits import LinearFits
from pharmacell.response.neighbours import nearest_cells, smooth

ALPHA, C = 1e4, 3e-4
WEAKER = (3e2, 1e3, 3e3, 3e4)
MORE_NEIGHBOURS = (30, 60)
TISSUE_WEIGHT = 4
NETWORKS, EPOCHS = 3, 5


def logged(counts: np.ndarray | sparse.csr_matrix) -> np.ndarray:
    """Return log1p of counts at 10,000 a cell."""
    dense = counts.toarray() if sparse.issparse(counts) else counts
    return np.log1p(dense / np.maximum(dense.sum(1, keepdims=True), 1) * TARGET_SUM, dtype=np.float32)


def unit(scores: np.ndarray) -> np.ndarray:
    """Return scores of mean 0 and deviation 1."""
    return (scores - scores.mean()) / scores.std()


def weighted_ridge(x: np.ndarray, response: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return ridge weights of lines that count unequally, [n_genes]."""
    from sklearn.linear_model import Ridge

    return Ridge(ALPHA).fit(x, response, sample_weight=weights).coef_


def network_scores(x: np.ndarray, target: np.ndarray, cells: np.ndarray, classes: bool, seed: int) -> np.ndarray:
    """Return the scores of a perceptron with dropout that learns classes, or the response itself."""
    torch.manual_seed(seed)
    widths, parts = (x.shape[1], 256, 64), []
    for below, above in pairwise(widths):
        parts += [torch.nn.Dropout(0.5), torch.nn.Linear(below, above), torch.nn.ReLU()]
    model = torch.nn.Sequential(*parts, torch.nn.Dropout(0.5), torch.nn.Linear(widths[-1], 1))
    optimiser = torch.optim.AdamW(model.parameters(), 1e-3, weight_decay=1e-2)
    rows, wanted = torch.as_tensor(x), torch.as_tensor(target, dtype=torch.float32)
    balance = torch.where(wanted > 0, 0.5 / wanted.mean(), 0.5 / (1 - wanted.mean())) if classes else None
    for _ in range(EPOCHS):
        for batch in torch.randperm(len(rows)).split(64):
            found = model(rows[batch])[:, 0]
            if balance is None:
                loss = torch.nn.functional.mse_loss(found, wanted[batch])
            else:
                loss = torch.nn.functional.binary_cross_entropy_with_logits(found, wanted[batch], balance[batch])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    with torch.no_grad():
        return model.eval()(torch.as_tensor(cells))[:, 0].numpy()


def compare(made: SimulatedSet, networks: bool) -> dict[str, float]:
    """Return the AUROC of the model and of each change."""
    log = logged(made.counts)
    cells = Standardiser.fit([log]).apply(log)
    components = principal_axes(log, "counts", 0).project(log)
    near = {k: nearest_cells(components, k, np.random.default_rng(0)) for k in (NEIGHBOURS, *MORE_NEIGHBOURS)}
    lines = made.lines
    scaler = Standardiser.fit([lines.x])
    x, measured, labels = scaler.apply(lines.x), lines.response.to_numpy(), lines.labels.to_numpy()
    half = denoised_response(lines.panel, measured)
    whole = 2 * half - measured
    fits = LinearFits(x)

    def smoothed(scores: np.ndarray, k: int = NEIGHBOURS) -> float:
        return auroc(made.truth, smooth(scores[None], near[k])[0])

    def ridge(response: np.ndarray, alpha: float = ALPHA) -> np.ndarray:
        return fits.ridge(response[:, None], alpha)[0]

    base = ridge(half) @ cells.T
    classes = fits.logistic(labels[:, None], C)[0] @ cells.T
    pooled = logged(np.stack([np.asarray(made.counts[rows].sum(0)).ravel() for rows in near[NEIGHBOURS]]))
    shared = np.sqrt(
        np.clip((cells * cells[near[NEIGHBOURS][:, 1:]].mean(1)).mean(0) / cells.var(0).clip(1e-9), 1e-6, 1)
    )
    row = {
        "base": smoothed(base),
        "no neighbours": auroc(made.truth, base),
        "the mean over all cells of a line (not known in practice)": auroc(
            made.truth, base.reshape(-1, len(base) // 12).mean(1).repeat(len(base) // 12)
        ),
        "measured response": smoothed(ridge(measured) @ cells.T),
        "wholly denoised response": smoothed(ridge(whole) @ cells.T),
        "classes in place of ln IC50 (logistic regression)": smoothed(classes),
        "mean of ridge and logistic regression": smoothed(unit(base) + unit(classes)),
        "signature": smoothed(fits.signature(half[:, None])[0] @ cells.T),
        "pooled counts of neighbours, by gene over the cells": auroc(
            made.truth, ridge(half) @ Standardiser.fit([pooled]).apply(pooled).T
        ),
        "pooled counts of neighbours, within the profile": auroc(
            made.truth, ridge(half) @ scaler.apply(line_profiles(pooled)).T
        ),
        "genes weighted by the variance that neighbours share": smoothed(
            LinearFits(x * shared).ridge(half[:, None], ALPHA * (shared**2).mean())[0] @ (cells * shared).T
        ),
    }
    row |= {f"penalty {alpha:g}": smoothed(ridge(half, alpha) @ cells.T) for alpha in WEAKER}
    row |= {f"{k} neighbours": smoothed(base, k) for k in MORE_NEIGHBOURS}
    if made.tissue is not None:
        own = np.where(lines.origin["tissue"] == made.tissue, TISSUE_WEIGHT, 1.0)
        row["lines of the cells' tissue count four times"] = smoothed(weighted_ridge(x, half, own) @ cells.T)
    if networks:
        for name, target, kind in (("classes", labels, True), ("ln IC50", unit(half), False)):
            scores = sum(unit(network_scores(x, target, cells, kind, seed)) for seed in range(NETWORKS))
            row[f"perceptron, {name}"] = smoothed(scores)
            row[f"perceptron, {name}, and ridge"] = smoothed(unit(scores) + unit(base))
    return row


@click.command()
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--first", default=0, help="First draw of lines.", show_default=True)
@click.option("--last", default=4, help="Last draw of lines.", show_default=True)
@click.option("--networks", is_flag=True, help="Train perceptrons on classes and on ln IC50, too.")
def main(bulk: Path, out: Path, first: int, last: int, networks: bool) -> None:
    """Score every change on the sets, and print gains with intervals over sets."""
    torch.set_num_threads(1)
    mixture = Mixture.read()
    panel = Panel.read(bulk).on_genes(mixture.genes.index)
    rows = pd.read_csv(out).to_dict("records") if out.exists() else []
    done = {tuple(row[name] for name in KEY) for row in rows}
    for draw, one_tissue, drug in product(range(first, last + 1), (False, True), DRUGS):
        if (draw, one_tissue, drug) not in done:
            found = compare(set_of(panel, draw, one_tissue, drug, mixture), networks)
            rows.append({"draw": draw, "one_tissue": one_tissue, "drug": drug, **found})
            pd.DataFrame(rows).to_csv(out, index=False)
    table = pd.DataFrame(rows)
    for name in table.columns.drop(KEY):
        there = table[name].notna()
        gain = (table[name] - table["base"])[there].to_numpy()
        low, high = interval(gain)
        click.echo(
            f"{name}: {table[name].mean():.3f}, {gain.mean():+.3f} ({low:+.3f} to {high:+.3f}), {there.sum()} sets"
        )


if __name__ == "__main__":
    main()
