"""Cells simulated from the expression profiles of cell lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.core.seeds import generator
from pharmacell.data.bulk import require_levels

if TYPE_CHECKING:
    from anndata import AnnData

LIBRARY_SPREAD = 0.35  # standard deviation of ln(library size)
MOST_GEOMETRIC = 5  # geometric counts that are drawn for one negative binomial count
SMALLEST_MEAN = np.float32(1e-30)  # of a count, so that nothing is divided by 0


def simulate_counts(
    profiles: np.ndarray,
    n_cells: int,
    rng: np.random.Generator,
    depth: float = 5000.0,
    dispersion: float = 0.5,
    dropout: float = 0.2,
) -> sparse.csr_matrix:
    """Draw counts of cells whose lines have the given profiles.

    Parameters
    ----------
    profiles, n_cells, rng, depth, dispersion, dropout
        See :func:`counts_by_line`.

    Returns
    -------
    scipy.sparse.csr_matrix
        float32 counts, shape (n_lines * n_cells, n_genes); the cells of a line stand together, in the order of
        ``profiles``.
    """
    drawn = counts_by_line(profiles, n_cells, rng, depth, dispersion, dropout)
    return sparse.vstack([sparse.csr_matrix(counts, dtype=np.float32) for counts in drawn], format="csr")


def counts_by_line(
    profiles: np.ndarray, n_cells: int, rng: np.random.Generator, depth: float, dispersion: float, dropout: float
) -> Iterator[np.ndarray]:
    """Yield the counts of each line's cells, float32 [n_cells, n_genes]; only one line's cells are dense at a time.

    Parameters
    ----------
    profiles
        Standardised expression, shape (n_lines, n_genes); ``exp`` of it is proportional to a gene's rate.
    n_cells
        Cells per line.
    rng
        Source of randomness.
    depth
        Median library size before dropout, in counts per cell; library sizes are log-normal.
    dispersion
        Of the negative binomial: variance = mean + dispersion * mean**2.
    dropout
        Probability that a count is lost (set to zero).
    """
    rates = np.exp(profiles - profiles.max(axis=1, keepdims=True)).astype(np.float32)
    rates /= rates.sum(axis=1, keepdims=True)
    for rate in rates:
        library = rng.lognormal(np.log(depth), LIBRARY_SPREAD, size=(n_cells, 1)).astype(np.float32)
        counts = negative_binomial(library * rate, 1 / dispersion, rng)
        counts *= rng.random(counts.shape, dtype=np.float32) >= dropout
        yield counts


def negative_binomial(mean: np.ndarray, shape: float, rng: np.random.Generator) -> np.ndarray:
    """Draw negative binomial counts, float32 of the shape of ``mean``.

    Poisson counts around a gamma mean; for a small whole ``shape`` the sum of as many geometric counts, which is the
    same distribution in a third of the time: with standard exponential ``E``, ``floor(E / log(1 + shape / mean))`` is
    geometric.

    Parameters
    ----------
    mean
        Expected counts, float32.
    shape
        1 / dispersion: variance = mean + mean**2 / shape.
    rng
        Source of randomness.
    """
    if shape != round(shape) or shape > MOST_GEOMETRIC:
        rates = rng.standard_gamma(np.float32(shape), size=mean.shape, dtype=np.float32) * (mean / np.float32(shape))
        return rng.poisson(rates).astype(np.float32)
    scale = 1 / np.log1p(np.float32(shape) / np.maximum(mean, SMALLEST_MEAN))
    counts = np.zeros_like(scale)
    for _ in range(round(shape)):
        geometric = rng.standard_exponential(scale.shape, dtype=np.float32)
        geometric *= scale
        counts += np.floor(geometric, out=geometric)
    return counts


@dataclass(frozen=True)
class HeldOut:
    """Lines kept away from the bulk data set.

    Attributes
    ----------
    held_out
        All of them.
    simulated
        Those whose cells are simulated, indexed by line: 1 for the most sensitive, 0 for the most resistant.
    """

    held_out: list[str]
    simulated: pd.Series


def choose_lines(response: pd.DataFrame, n_lines: int, share: float, seed: int, drug: str) -> HeldOut:
    """Hold out lines at random, and take the extremes of them.

    Parameters
    ----------
    response
        The rows of one drug: ``line``, ``z``, ``label``.
    n_lines
        How many of the most sensitive, and of the most resistant, held-out lines to take.
    share
        Share of the lines with a response that is held out.
    seed
        The user's seed.
    drug
        For the message.

    Raises
    ------
    InputError
        If too few lines of a class are held out.
    """
    lines = np.sort(response["line"].to_numpy(str))
    n_held = round(share * len(lines))
    held = response[response["line"].isin(generator(seed, "held-out lines").choice(lines, n_held, replace=False))]
    held = held.sort_values(["z", "line"]).set_index("line")
    labels = held["label"]
    if min((labels == 1).sum(), (labels == 0).sum()) < n_lines:
        raise InputError(
            f"{drug}: {n_held} of {len(lines)} lines are held out, {(labels == 1).sum()} sensitive and "
            f"{(labels == 0).sum()} resistant, fewer than {n_lines} of each; raise --held_out or lower --n_lines"
        )
    extremes = pd.concat([labels[labels == 1].head(n_lines), labels[labels == 0].tail(n_lines)])
    return HeldOut(sorted(held.index), extremes.astype(np.int8))


def simulate_sample(
    bulk: "AnnData", response: pd.DataFrame, drug: str, n_lines: int, n_cells: int, share: float, seed: int
) -> tuple["AnnData", "AnnData"]:
    """Make a sample of simulated cells, and the bulk data set without the lines that were held out.

    Parameters
    ----------
    bulk
        Lines x genes, see ``prepare_bulk``.
    response
        All drugs, long.
    drug
        The drug, as it is called in ``response``.
    n_lines, share, seed
        See :func:`choose_lines`.
    n_cells
        Cells per line.

    Returns
    -------
    cells : AnnData
        Counts (csr); obs ``line``, ``response`` (1 sensitive); ``uns["pharmacell"]["simulated"]`` is true.
    reduced : AnnData
        ``bulk`` without any held-out line.
    """
    import anndata as ad

    response = response[(response["drug"] == drug) & response["line"].isin(bulk.obs_names)]
    chosen = choose_lines(response, n_lines, share, seed, drug)
    require_levels(str(bulk.uns["pharmacell"]["scale"]))
    profiles = np.asarray(bulk[chosen.simulated.index].X)
    profiles = (profiles - profiles.mean(axis=1, keepdims=True)) / profiles.std(axis=1, keepdims=True)
    counts = simulate_counts(profiles, n_cells, generator(seed, "simulated cells"))
    lines = np.repeat(chosen.simulated.index.to_numpy(str), n_cells)
    obs = pd.DataFrame(
        {"line": pd.Categorical(lines), "response": np.repeat(chosen.simulated.to_numpy(), n_cells)},
        index=[
            f"{line}_{number}"
            for line, number in zip(lines, np.tile(range(1, n_cells + 1), len(chosen.simulated)), strict=True)
        ],
    )
    note = f"cells simulated from {len(chosen.simulated)} of {len(chosen.held_out)} held-out lines, {drug}"
    uns = {"pharmacell": {"simulated": True, "drug": drug, "note": note}}
    cells = ad.AnnData(counts, obs=obs, var=pd.DataFrame(index=bulk.var_names), uns=uns)
    return cells, bulk[~bulk.obs_names.isin(chosen.held_out)].copy()
