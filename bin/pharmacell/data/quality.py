"""Quality control of a sample: which cells and genes stay, and on which scale."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data.genes import SymbolColumns
from pharmacell.data.matrices import Matrix, Rows
from pharmacell.data.scale import blocks
from pharmacell.data.settings import Limits

TISSUE_GENES = 12_000  # detected in a row of tissue; hardly a single cell shows so many
TISSUE_SHARE, FEWEST_TO_TELL = 0.75, 2_000  # or this share of at least so many genes
ROWS_OF_TISSUE = (
    "rows are tissue or pseudo-bulks, by the genes that each of them shows: the limits on mitochondrial counts and on "
    "the cells of a gene are not applied"
)
REASONS = ("few_genes", "mitochondrial")  # why a cell is removed
MEASURES = ("n_genes", "total_counts", "pct_mt")


@dataclass(frozen=True)
class Measured:
    """What was measured on a sample, in one pass over its cells.

    Attributes
    ----------
    table
        ``n_genes``, ``total_counts`` and ``pct_mt`` (percent) of every cell as it was read. NaN where the scale gives
        them no meaning: all for z-scores, ``total_counts`` for log1p; ``pct_mt`` also when no mitochondrial gene is
        there.
    reasons
        Why each cell is removed; an empty text for those that stay.
    detected
        In how many of the cells that stay each symbol is detected, int64 [n_symbols]; not counted for z-scores.
    """

    table: pd.DataFrame
    reasons: pd.Series
    detected: np.ndarray

    @property
    def kept(self) -> np.ndarray:
        """Which cells stay, bool [n_cells]."""
        return (self.reasons == "").to_numpy()


def rows_are_tissue(matrix: Matrix, columns: SymbolColumns, scale: str) -> bool:
    """Tell whether rows are tissue or pseudo-bulks: they show most genes, which no single cell does.

    Parameters
    ----------
    matrix
        As read, [n_cells, n_names]; its first rows are looked at.
    columns
        Its symbols.
    scale
        ``counts``, ``tpm``, ``log1p`` or ``zscore``.
    """
    if scale == "zscore":
        return False
    _, block = next(blocks(matrix))
    detected = float(np.median(np.asarray((columns.of(block) > 0).sum(axis=1)).ravel()))
    n_symbols = len(columns.var)
    return detected >= TISSUE_GENES or (n_symbols >= FEWEST_TO_TELL and detected >= TISSUE_SHARE * n_symbols)


def measure(matrix: Matrix, columns: SymbolColumns, scale: str, limits: Limits) -> Measured:
    """Measure the cells, judge them, and count in how many of those that stay each symbol is detected.

    Parameters
    ----------
    matrix
        As read, [n_cells, n_names].
    columns
        Its symbols; those that start with ``MT-`` are mitochondrial.
    scale
        ``counts``, ``tpm``, ``log1p`` or ``zscore``.
    limits
        What a cell needs to stay.
    """
    values = np.full((matrix.shape[0], len(MEASURES)), np.nan)
    detected = np.zeros(len(columns.var), np.int64)
    if scale == "zscore":
        table = pd.DataFrame(values, columns=list(MEASURES))
        return Measured(table, judge_cells(table, limits), detected)
    mitochondrial = columns.names_of(columns.var.index.str.startswith("MT-"))
    reasons = []
    for start, block in blocks(matrix):
        rows = slice(start, start + block.shape[0])
        values[rows] = measure_cells(block, mitochondrial, scale)
        reasons.append(judge_cells(pd.DataFrame(values[rows], columns=list(MEASURES)), limits))
        detected += count_cells(columns.of(block[(reasons[-1] == "").to_numpy()]))
    return Measured(pd.DataFrame(values, columns=list(MEASURES)), pd.concat(reasons, ignore_index=True), detected)


def measure_cells(rows: Rows, mitochondrial: np.ndarray, scale: str) -> np.ndarray:
    """Return ``n_genes``, ``total_counts`` and ``pct_mt`` of some cells, [n_cells, 3]; see :class:`Measured`.

    Parameters
    ----------
    rows
        The cells, [n_cells, n_names].
    mitochondrial
        Columns of mitochondrial genes, int [n].
    scale
        ``counts``, ``tpm`` or ``log1p``.
    """
    found = np.full((rows.shape[0], len(MEASURES)), np.nan)
    amounts = rows
    if scale == "log1p":
        amounts = np.expm1(rows) if isinstance(rows, np.ndarray) else rows.expm1()
    total = np.asarray(amounts.sum(axis=1, dtype=np.float64)).ravel()
    found[:, 0] = np.asarray((rows > 0).sum(axis=1)).ravel()
    if scale != "log1p":
        found[:, 1] = total
    if len(mitochondrial):
        part = np.asarray(amounts[:, mitochondrial].sum(axis=1, dtype=np.float64)).ravel()
        found[:, 2] = 100 * part / np.where(total > 0, total, 1)
    return found


def count_cells(rows: Rows) -> np.ndarray:
    """Return in how many cells each gene is detected, int64 [n_genes].

    Parameters
    ----------
    rows
        The cells, [n_cells, n_genes].
    """
    if isinstance(rows, np.ndarray):
        return np.count_nonzero(rows, axis=0)
    return np.bincount(rows.indices[rows.data != 0], minlength=rows.shape[1])


def judge_cells(measures: pd.DataFrame, limits: Limits) -> pd.Series:
    """Return why each cell is removed: ``few_genes``, ``mitochondrial``, or an empty text for those that stay.

    Parameters
    ----------
    measures
        ``n_genes, pct_mt`` of each cell; see :class:`Measured`.
    limits
        What a cell needs to stay.
    """
    reasons = pd.Series("", index=measures.index, dtype=object)
    few_genes, mitochondrial = REASONS
    reasons[measures["pct_mt"] > limits.max_mt_percent] = mitochondrial
    reasons[measures["n_genes"] < limits.min_genes] = few_genes
    return reasons


def require_cells(reasons: pd.Series, limits: Limits, source: str) -> None:
    """Check that cells are left.

    Parameters
    ----------
    reasons
        From :func:`judge_cells`.
    limits
        For the message.
    source
        The file, for the message.

    Raises
    ------
    InputError
        If none is; the message says which filter removed how many.
    """
    if (reasons == "").any():
        return
    counts = reasons.value_counts()
    raise InputError(
        f"{source}: no cell is left of {len(reasons)}: {counts.get('few_genes', 0)} have fewer than {limits.min_genes} "
        f"genes, {counts.get('mitochondrial', 0)} more than {limits.max_mt_percent:g} % mitochondrial counts; lower "
        "--min_genes or raise --max_mt_percent"
    )


def keep_genes(measured: Measured, scale: str, limits: Limits, source: str) -> np.ndarray:
    """Return which symbols are detected in enough cells, bool [n_symbols]; all for z-scores.

    Parameters
    ----------
    measured
        What was measured on the sample.
    scale
        ``counts``, ``tpm``, ``log1p`` or ``zscore``.
    limits
        What a gene needs to stay.
    source
        The file, for a message.

    Raises
    ------
    InputError
        If no gene is left.
    """
    if scale == "zscore":
        return np.ones(len(measured.detected), bool)
    kept = measured.detected >= limits.min_cells
    if not kept.any():
        raise InputError(
            f"{source}: no gene is left: none of {len(kept)} is seen in at least {limits.min_cells} of "
            f"{measured.kept.sum()} cells; lower --min_cells"
        )
    return kept


def normalise(counts: sparse.csr_matrix, target_sum: float) -> sparse.csr_matrix:
    """Return log1p of cells that are brought to one sum, float32; shares the places of its values with the counts.

    Parameters
    ----------
    counts
        Counts or TPM, float32 [n_cells, n_genes].
    target_sum
        What the values of a cell sum up to before the logarithm.
    """
    total = np.asarray(counts.sum(axis=1, dtype=np.float64)).ravel()
    factor = (target_sum / np.where(total > 0, total, 1)).astype(np.float32)
    logged = np.log1p(counts.data * np.repeat(factor, np.diff(counts.indptr)))
    return sparse.csr_matrix((logged, counts.indices, counts.indptr), shape=counts.shape)


def limit_notes(scale: str, measures: pd.DataFrame) -> list[str]:
    """Return sentences on the limits that could not be applied.

    Parameters
    ----------
    scale
        ``counts``, ``tpm``, ``log1p`` or ``zscore``.
    measures
        ``pct_mt`` of each cell; see :class:`Measured`.
    """
    if scale == "zscore":
        return ["values are z-scores: limits on genes, cells and mitochondrial counts are not applied"]
    if measures["pct_mt"].isna().all():
        return ["no mitochondrial gene is among the names: the limit on mitochondrial counts is not applied"]
    return ["mitochondrial percentages are computed from exp(value) - 1"] if scale == "log1p" else []
