"""Quality control of a sample: which cells and genes stay, and on which scale."""

from dataclasses import asdict
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data.genes import GeneMapping, collapse_genes
from pharmacell.data.scale import blocks
from pharmacell.data.settings import Limits

if TYPE_CHECKING:
    from anndata import AnnData

Matrix: TypeAlias = sparse.csr_matrix | np.ndarray
REASONS = ("few_genes", "mitochondrial")  # why a cell is removed


def measure_cells(matrix: Matrix, mapping: GeneMapping, scale: str) -> pd.DataFrame:
    """Measure each cell as it was read.

    Parameters
    ----------
    matrix
        Shape (n_cells, n_names).
    mapping
        Of its columns; symbols that start with ``MT-`` are mitochondrial.
    scale
        ``counts``, ``tpm``, ``log1p`` or ``zscore``.

    Returns
    -------
    pandas.DataFrame
        ``n_genes``, ``total_counts`` and ``pct_mt`` (percent). NaN where the scale gives them no meaning: all for
        z-scores, ``total_counts`` for log1p; ``pct_mt`` also when no mitochondrial gene is there.
    """
    n_cells = matrix.shape[0]
    measures = pd.DataFrame(np.nan, index=range(n_cells), columns=["n_genes", "total_counts", "pct_mt"])
    if scale == "zscore":
        return measures
    mitochondrial = np.array([symbol is not None and symbol.startswith("MT-") for symbol in mapping.symbols])
    for start, block in blocks(matrix):
        rows = slice(start, start + block.shape[0])
        amounts = block
        if scale == "log1p":
            amounts = np.expm1(block) if isinstance(block, np.ndarray) else block.expm1()
        total = np.asarray(amounts.sum(axis=1, dtype=np.float64)).ravel()
        measures.iloc[rows, 0] = np.asarray((block > 0).sum(axis=1)).ravel()
        if scale != "log1p":
            measures.iloc[rows, 1] = total
        if mitochondrial.any():
            part = np.asarray(amounts[:, mitochondrial].sum(axis=1, dtype=np.float64)).ravel()
            measures.iloc[rows, 2] = 100 * part / np.where(total > 0, total, 1)
    return measures


def judge_cells(measures: pd.DataFrame, limits: Limits) -> pd.Series:
    """Return why each cell is removed: ``few_genes``, ``mitochondrial``, or an empty text for those that stay.

    Parameters
    ----------
    measures
        From :func:`measure_cells`.
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


def keep_genes(
    matrix: Matrix, mapping: GeneMapping, scale: str, limits: Limits, source: str
) -> tuple[Matrix, pd.DataFrame, int]:
    """Bring the columns to human symbols and remove genes seen in too few cells.

    Parameters
    ----------
    matrix
        Cells that stay, [n_cells, n_names].
    mapping
        Of its columns to human symbols.
    scale
        ``counts``, ``tpm``, ``log1p`` or ``zscore``.
    limits
        What a gene needs to stay.
    source
        The file, for a message.

    Returns
    -------
    matrix
        float32, shape (n_cells, n_genes).
    var : pandas.DataFrame
        Indexed by symbol, ``original``.
    n_removed : int
        Genes in fewer than ``limits.min_cells`` cells; none for z-scores.

    Raises
    ------
    InputError
        If no gene is left.
    """
    matrix, var = collapse_genes(matrix, mapping, "sum" if scale in ("counts", "tpm") else "mean")
    if scale == "zscore":
        return matrix, var, 0
    if isinstance(matrix, np.ndarray):
        seen = np.count_nonzero(matrix, axis=0)
    else:
        matrix.eliminate_zeros()
        seen = np.bincount(matrix.indices, minlength=matrix.shape[1])
    kept = seen >= limits.min_cells
    if not kept.any():
        raise InputError(
            f"{source}: no gene is left: none of {len(kept)} is seen in at least {limits.min_cells} of "
            f"{matrix.shape[0]} cells; lower --min_cells"
        )
    if kept.all():
        return matrix, var, 0
    return matrix[:, kept], var[kept], int((~kept).sum())


def bring_to_log(sample: "AnnData", scale: str, limits: Limits) -> str:
    """Normalise each cell and take log1p, as far as the scale has not been through it; change the sample in place.

    Parameters
    ----------
    sample
        X float32, csr or dense.
    scale
        Counts are kept in ``layers["counts"]``; log1p and z-scores stay as they are.
    limits
        With the counts that a cell is brought to.

    Returns
    -------
    str
        A sentence about what was done.
    """
    if scale not in ("counts", "tpm"):
        return f"values were {scale} already: not normalised, not logged"
    matrix = sparse.csr_matrix(sample.X, dtype=np.float32)
    total = np.asarray(matrix.sum(axis=1, dtype=np.float64)).ravel()
    factor = (limits.target_sum / np.where(total > 0, total, 1)).astype(np.float32)
    logged = np.log1p(matrix.data * np.repeat(factor, np.diff(matrix.indptr)))
    if scale == "counts":
        sample.layers["counts"] = matrix
    sample.X = sparse.csr_matrix((logged, matrix.indices, matrix.indptr), shape=matrix.shape)  # shares the pattern
    return f"each cell was brought to {limits.target_sum:g} {scale} and log1p was taken"


def describe_limits(limits: Limits, scale: str, measures: pd.DataFrame) -> tuple[dict, list[str]]:
    """Return the limits as a dictionary, and sentences on those that could not be applied.

    Parameters
    ----------
    limits
        As asked for.
    scale
        ``counts``, ``tpm``, ``log1p`` or ``zscore``.
    measures
        From :func:`measure_cells`.
    """
    notes = []
    if scale == "zscore":
        notes.append("values are z-scores: limits on genes, cells and mitochondrial counts are not applied")
    elif measures["pct_mt"].isna().all():
        notes.append("no mitochondrial gene is among the names: the limit on mitochondrial counts is not applied")
    elif scale == "log1p":
        notes.append("mitochondrial percentages are computed from exp(value) - 1")
    return asdict(limits), notes
