"""From a file of single cells to a sample that models can use."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file, write_json
from pharmacell.data.annotations import cells_of_root, column_of, parse_labels, require_both
from pharmacell.data.embedding import embed
from pharmacell.data.genes import map_names, require_match
from pharmacell.data.quality import (
    REASONS,
    bring_to_log,
    describe_limits,
    judge_cells,
    keep_genes,
    measure_cells,
    require_cells,
)
from pharmacell.data.readers import read_sample
from pharmacell.data.scale import Values, look_at, settle_scale
from pharmacell.data.settings import Limits, Request

if TYPE_CHECKING:
    from anndata import AnnData


@dataclass(frozen=True)
class Prepared:
    """A sample after quality control.

    Attributes
    ----------
    cells
        The cells that stay.
    measures
        ``cell_id, n_genes, total_counts, pct_mt, kept, reason`` of every cell that was read.
    summary
        ``uns["pharmacell"]``, limits, numbers removed and ``notes``.
    """

    cells: "AnnData"
    measures: pd.DataFrame
    summary: dict


def prepare_sample(request: Request, limits: Limits, seed: int) -> Prepared:
    """Read a sample, name its genes, check and filter it, bring it to log1p, and place its cells in a UMAP.

    Raises
    ------
    InputError
        If anything about the sample cannot be used.
    """
    source = str(request.path)
    told = tuple(key for key in (request.label_key, request.group_key) if key)
    read, notes = read_sample(request.path, request.orientation, told)
    truth = _truth(read.obs, request)
    group = column_of(read.obs, request.group_key, "group_key", source) if request.group_key else None
    mapping = map_names(read.var_names, request.species)
    require_match(mapping, source)
    notes.append(f"{mapping.share:.1%} of {len(mapping.names)} gene names match ({mapping.kind}, {mapping.species})")
    matrix, scale, scale_notes = _values(read, request)
    notes += scale_notes

    measures = measure_cells(matrix, mapping, scale)
    reasons = judge_cells(measures, limits)
    require_cells(reasons, limits, source)
    kept = (reasons == "").to_numpy()
    limits_used, limit_notes = describe_limits(limits, scale, measures)
    n_read = read.shape
    matrix, var, n_rare = keep_genes(matrix if kept.all() else matrix[kept], mapping, scale, limits, source)
    if truth is not None:
        require_both(truth[kept], request.label_key, f"{source} after quality control")

    cells = _assemble(matrix, var, _annotation(read.obs, measures, truth, group)[kept], scale)
    if request.root:
        cells_of_root(cells.obs, request.root, source)
    notes += [*limit_notes, bring_to_log(cells, scale, limits), embed(cells, scale, seed)]
    card = {
        "sample": request.sample,
        "scale": scale,
        "species": mapping.species,
        "simulated": _is_simulated(read.uns),
        "n_cells_read": n_read[0],
        "n_genes_read": n_read[1],
        "n_cells": cells.n_obs,
        "n_genes": cells.n_vars,
        "genes_matched": mapping.share,
        "has_truth": truth is not None,
    }
    cells.uns["pharmacell"] = card
    table = measures.assign(kept=kept, reason=reasons)
    table.insert(0, "cell_id", read.obs_names)
    removed = {why: int((reasons == why).sum()) for why in REASONS} | {"genes_in_few_cells": n_rare}
    return Prepared(cells, table, card | {"limits": limits_used, "removed": removed, "notes": notes})


def write_sample(prepared: Prepared, outdir: str | Path) -> None:
    """Write ``<sample>.h5ad``, ``<sample>.qc_metrics.csv`` and ``<sample>.qc_summary.json``."""
    stem = str(Path(outdir) / prepared.summary["sample"])
    with whole_file(f"{stem}.h5ad") as partial:
        prepared.cells.write_h5ad(partial, compression="lzf")
    with whole_file(f"{stem}.qc_metrics.csv") as partial:
        prepared.measures.to_csv(partial, index=False)
    write_json(f"{stem}.qc_summary.json", prepared.summary)


def _truth(obs: pd.DataFrame, request: Request) -> np.ndarray | None:
    """Return the labels, if the sheet names a column of them."""
    if not request.label_key:
        return None
    source = str(request.path)
    return parse_labels(column_of(obs, request.label_key, "label_key", source), source)


def _values(read: "AnnData", request: Request) -> tuple[sparse.csr_matrix | np.ndarray, str, list[str]]:
    """Choose the matrix to use, check its values, and settle its scale."""
    source = str(request.path)
    matrix, seen, notes = _by_rows(read.X), look_at(_by_rows(read.X)), []
    if request.scale in ("auto", "counts") and not _is_counts(seen) and "counts" in read.layers:
        layer = _by_rows(read.layers["counts"])
        if _is_counts(look_at(layer)):
            matrix, seen = layer, look_at(layer)
            notes.append("layers['counts'] is used, because X holds no counts")
    if seen.bad is not None:
        row, column = seen.bad
        raise InputError(
            f"{source}: cell {read.obs_names[row]}, gene {read.var_names[column]}: the value is missing or not finite; "
            "fill it in or remove the cell or gene"
        )
    place = ""
    if seen.negative is not None:
        place = f"cell {read.obs_names[seen.negative[0]]}, gene {read.var_names[seen.negative[1]]}"
        if request.scale == "auto" and seen.whole:
            raise InputError(
                f"{source}: {place}: the count is negative ({seen}); correct it, or say --scale zscore if these are "
                "z-scores"
            )
    scale, statement = settle_scale(seen, request.scale, source, place)
    return matrix, scale, [*notes, statement]


def _is_simulated(uns: Mapping) -> bool:
    """Tell whether the file says that its cells are simulated."""
    card = uns.get("pharmacell")
    return isinstance(card, Mapping) and bool(card.get("simulated", False))


def _is_counts(seen: Values) -> bool:
    return seen.whole and seen.low >= 0 and seen.bad is None


def _by_rows(matrix) -> sparse.csr_matrix | np.ndarray:
    """Return a matrix by rows; no copy if it is so already."""
    if sparse.issparse(matrix):
        return sparse.csr_matrix(matrix)
    return np.asarray(matrix)


def _annotation(
    obs: pd.DataFrame, measures: pd.DataFrame, truth: np.ndarray | None, group: pd.Series | None
) -> pd.DataFrame:
    """Return the cells' annotation: what was there, then the measures, then truth and group."""
    obs = obs.copy()
    for column in obs.select_dtypes(include=["object"]):
        obs[column] = obs[column].astype(str)
    for column in measures:
        obs[column] = measures[column].to_numpy()
    if truth is not None:
        obs["truth"] = truth
    if group is not None:
        obs["group"] = pd.Categorical(group.astype(str))
    return obs


def _assemble(matrix: sparse.csr_matrix | np.ndarray, var: pd.DataFrame, obs: pd.DataFrame, scale: str) -> "AnnData":
    """Make the sample; z-scores are dense, all others csr."""
    import anndata as ad

    if scale == "zscore":
        matrix = matrix.toarray() if sparse.issparse(matrix) else np.ascontiguousarray(matrix)
    else:
        matrix = sparse.csr_matrix(matrix)
    return ad.AnnData(matrix, obs=obs, var=var)
