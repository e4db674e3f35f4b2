"""From a file of single cells to a sample that models can use."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file, write_json
from pharmacell.data.annotations import cells_of_root, column_of, parse_labels, require_both
from pharmacell.data.columns import OBS_GROUP, OBS_N_GENES, OBS_PCT_MT, OBS_TOTAL_COUNTS, OBS_TRUTH
from pharmacell.data.embedding import embed
from pharmacell.data.frames import plain_text
from pharmacell.data.genes import GeneMapping, collapse_genes, map_names, require_match
from pharmacell.data.matrices import Matrix, StoredRows
from pharmacell.data.quality import (
    REASONS,
    bring_to_log,
    describe_limits,
    judge_cells,
    keep_genes,
    measure_cells,
    require_cells,
)
from pharmacell.data.readers import Cells, Reading, read_sample
from pharmacell.data.scale import blocks, look_at, settle_scale, to_natural_log
from pharmacell.data.settings import Limits, Request

if TYPE_CHECKING:
    from anndata import AnnData

NO_GROUP = "not known"  # of cells without a value in the group's column
Gathered = tuple[sparse.csr_matrix | np.ndarray, GeneMapping]


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

    Parameters
    ----------
    request
        What the sample sheet says.
    limits
        Of quality control.
    seed
        The user's seed.

    Raises
    ------
    InputError
        If anything about the sample cannot be used.
    """
    source = str(request.path)
    described_by = tuple(key for key in (request.label_key, request.group_key) if key)
    reading = Reading(request.orientation, described_by, request.matrix, request.species, request.scale)
    read, notes = read_sample(request.path, reading)
    truth, label_notes = _truth(read.given, request)
    group = column_of(read.given, request.group_key, "group_key", source) if request.group_key else None
    mapping = map_names(read.genes, request.species)
    require_match(mapping, source)
    notes += [
        *label_notes,
        f"{mapping.share:.1%} of {len(mapping.names)} gene names match ({mapping.kind}, {mapping.species})",
        *mapping.notes,
    ]
    matrix, scale, scale_notes = _values(read, request)
    notes += scale_notes

    measures = measure_cells(matrix, mapping, scale)
    reasons = judge_cells(measures, limits)
    require_cells(reasons, limits, source)
    kept = (reasons == "").to_numpy()
    limits_used, limit_notes = describe_limits(limits, scale, measures)
    how = "sum" if scale in ("counts", "tpm") else "mean"
    most = matrix.shape[0] * matrix.shape[1] if scale == "zscore" else int(measures.loc[kept, "n_genes"].sum())
    gathered, symbols = _gather(matrix, mapping, kept, how, most)
    gathered, var, n_rare = keep_genes(gathered, symbols, scale, limits, source)
    if truth is not None and request.label_key:
        require_both(truth[kept], request.label_key, f"{source} after quality control")

    cells = _assemble(gathered, var, _annotation(read.obs, measures, truth, group)[kept], scale)
    if request.root:
        cells_of_root(cells.obs, request.root, source)
    notes += [*limit_notes, bring_to_log(cells, scale, limits), embed(cells, scale, seed)]
    card = {
        "sample": request.sample,
        "scale": scale,
        "species": mapping.species,
        "simulated": read.simulated,
        "n_cells_read": matrix.shape[0],
        "n_genes_read": matrix.shape[1],
        "n_cells": cells.n_obs,
        "n_genes": cells.n_vars,
        "genes_matched": mapping.share,
        "has_truth": truth is not None,
    }
    cells.uns["pharmacell"] = card
    table = measures.assign(kept=kept, reason=reasons)
    table.insert(0, "cell_id", read.obs.index)
    removed = {why: int((reasons == why).sum()) for why in REASONS} | {"genes_in_few_cells": n_rare}
    return Prepared(cells, table, card | {"limits": limits_used, "removed": removed, "notes": notes})


def write_sample(prepared: Prepared, outdir: str | Path) -> None:
    """Write ``<sample>.h5ad``, ``<sample>.qc_metrics.csv`` and ``<sample>.qc_summary.json``.

    Parameters
    ----------
    prepared
        As :func:`prepare_sample` returns it.
    outdir
        Where the files go.
    """
    stem = str(Path(outdir) / prepared.summary["sample"])
    with whole_file(f"{stem}.h5ad") as partial:
        prepared.cells.write_h5ad(partial, compression="lzf")
    with whole_file(f"{stem}.qc_metrics.csv") as partial:
        prepared.measures.to_csv(partial, index=False)
    write_json(f"{stem}.qc_summary.json", prepared.summary)


def _truth(obs: pd.DataFrame, request: Request) -> tuple[np.ndarray | None, list[str]]:
    """Return the labels, if the sheet names a column of them, and what is missing among them."""
    if not request.label_key:
        return None, []
    source = str(request.path)
    return parse_labels(column_of(obs, request.label_key, "label_key", source), source)


def _values(read: Cells, request: Request) -> tuple[Matrix, str, list[str]]:
    """Check the values and settle their scale; logarithms come back to base e."""
    source, seen = str(request.path), look_at(read.x)
    if seen.bad is not None:
        row, column = seen.bad
        raise InputError(
            f"{source}: cell {read.obs.index[row]}, gene {read.genes[column]}: the value is missing or not finite; "
            "fill it in or remove the cell or gene"
        )
    place = ""
    if seen.negative is not None:
        place = f"cell {read.obs.index[seen.negative[0]]}, gene {read.genes[seen.negative[1]]}"
        if request.scale == "auto" and seen.whole:
            raise InputError(
                f"{source}: {place}: the count is negative ({seen}); correct it, or say --scale zscore if these are "
                "z-scores"
            )
    scale, statement = settle_scale(seen, request.scale, source, place)
    matrix, notes = to_natural_log(read.x, seen) if scale == "log1p" else (read.x, [])
    return matrix, scale, [statement, *notes]


def _gather(matrix: Matrix, mapping: GeneMapping, kept: np.ndarray, how: str, most: int) -> Gathered:
    """Read the cells that stay, block by block, one column per human symbol.

    ``most`` is how many values there can be; memory is taken once for them.
    """
    if not isinstance(matrix, StoredRows):
        return matrix if kept.all() else matrix[kept], mapping
    data, indices = np.empty(most, np.float32), np.empty(most, np.int32)
    pointers, var = [0], pd.DataFrame()
    for start, block in blocks(matrix):
        rows, var = collapse_genes(block[kept[start : start + block.shape[0]]], mapping, how)
        rows = sparse.csr_matrix(rows)
        data[pointers[-1] : pointers[-1] + rows.nnz] = rows.data
        indices[pointers[-1] : pointers[-1] + rows.nnz] = rows.indices
        pointers += (pointers[-1] + rows.indptr[1:].astype(np.int64)).tolist()
    shape = (len(pointers) - 1, len(var))
    whole = sparse.csr_matrix((data[: pointers[-1]], indices[: pointers[-1]], pointers), shape=shape)
    symbols = var.index.to_numpy(dtype=object)
    return whole, replace(mapping, names=var["original"].to_numpy(dtype=object), symbols=symbols)


def _annotation(
    obs: pd.DataFrame, measures: pd.DataFrame, truth: np.ndarray | None, group: pd.Series | None
) -> pd.DataFrame:
    """Return the cells' annotation: what was there, then our own columns."""
    ours: dict[str, np.ndarray | pd.Categorical] = {
        OBS_N_GENES: measures["n_genes"].to_numpy(),
        OBS_TOTAL_COUNTS: measures["total_counts"].to_numpy(),
        OBS_PCT_MT: measures["pct_mt"].to_numpy(),
    }
    if truth is not None:
        ours[OBS_TRUTH] = truth
    if group is not None:
        names = [NO_GROUP if missing else plain_text(name) for name, missing in zip(group, group.isna(), strict=True)]
        ours[OBS_GROUP] = pd.Categorical(names, pd.Index(sorted(set(names)), dtype=object))
    return obs.assign(**ours)


def _assemble(matrix: sparse.csr_matrix | np.ndarray, var: pd.DataFrame, obs: pd.DataFrame, scale: str) -> "AnnData":
    """Make the sample; z-scores are dense, all others csr."""
    import anndata as ad

    if scale == "zscore":
        matrix = np.ascontiguousarray(matrix) if isinstance(matrix, np.ndarray) else matrix.toarray()
    else:
        matrix = sparse.csr_matrix(matrix)
    return ad.AnnData(matrix, obs=obs, var=var)
