"""From a file of single cells to a sample that models can use."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file, write_json
from pharmacell.core.progress import say
from pharmacell.data.annotations import cells_of_root, column_of, parse_labels, parse_labels_of_drugs, require_both
from pharmacell.data.columns import (
    OBS_GROUP,
    OBS_N_GENES,
    OBS_PCT_MT,
    OBS_TOTAL_COUNTS,
    OBS_TREATMENT,
    OBS_TRUTH,
    OF_DRUG,
)
from pharmacell.data.driver_events import events_column, known_events, named_events
from pharmacell.data.embedding import Embedding, embed, reference_cells
from pharmacell.data.frames import group_names
from pharmacell.data.genes import GeneMapping, SymbolColumns, map_names, require_match
from pharmacell.data.matrices import Matrix, Rows, stored_matrix
from pharmacell.data.quality import (
    REASONS,
    ROWS_OF_TISSUE,
    Measured,
    keep_genes,
    limit_notes,
    measure,
    normalise,
    require_cells,
    rows_are_tissue,
)
from pharmacell.data.readers import Cells, Reading, read_sample
from pharmacell.data.sample_file import SampleFile
from pharmacell.data.scale import blocks, look_at, settle_scale, to_natural_log
from pharmacell.data.settings import Limits, Request
from pharmacell.data.treatment import parse_treatment


@dataclass(frozen=True)
class Checked:
    """A sample that was read, checked and measured, before anything of it is written.

    Attributes
    ----------
    matrix
        Values as read, logarithms to base e, [n_cells, n_names].
    scale
        ``counts``, ``tpm``, ``log1p`` or ``zscore``.
    tissue
        Whether its rows are tissue or pseudo-bulks.
    limits
        As they were applied.
    mapping
        Of the names to human symbols.
    columns
        How the names' columns become symbols.
    measured
        What was measured on the cells.
    kept_genes
        Which symbols stay, bool [n_symbols].
    obs
        Annotation of the cells that stay.
    simulated
        Whether the file says that its cells are simulated.
    notes
        What was decided.
    """

    matrix: Matrix
    scale: str
    tissue: bool
    limits: Limits
    mapping: GeneMapping
    columns: SymbolColumns
    measured: Measured
    kept_genes: np.ndarray
    obs: pd.DataFrame
    simulated: bool
    notes: list[str]

    def blocks(self) -> Iterator[Rows]:
        """Yield the cells that stay on the genes that stay, block by block; z-scores dense, all others csr."""
        kept = self.measured.kept
        for start, block in blocks(self.matrix):
            rows = self.columns.of(block[kept[start : start + block.shape[0]]])
            rows = rows if self.kept_genes.all() else rows[:, self.kept_genes]
            if self.scale == "zscore":
                yield np.ascontiguousarray(rows) if isinstance(rows, np.ndarray) else rows.toarray()
            else:
                rows = sparse.csr_matrix(rows)
                rows.eliminate_zeros()
                yield rows


def prepare_sample(request: Request, limits: Limits, seed: int, outdir: Path) -> dict:
    """Read a sample, name its genes, check and filter it, bring it to log1p, and place its cells in a UMAP.

    Writes ``<sample>.h5ad``, ``<sample>.qc_metrics.csv`` (``cell_id, n_genes, total_counts, pct_mt, kept, reason`` of
    every cell that was read) and ``<sample>.qc_summary.json``. A large sample passes in blocks of cells three times:
    its values are looked at, its cells are measured, and those that stay are written.

    Parameters
    ----------
    request
        What the sample sheet says.
    limits
        Of quality control.
    seed
        The user's seed.
    outdir
        Where the files go; nothing is written before everything is checked.

    Returns
    -------
    dict
        What stands in the summary: ``uns["pharmacell"]`` of the h5ad, limits, numbers removed and ``notes``.

    Raises
    ------
    InputError
        If anything about the sample cannot be used.
    """
    read, notes = read_sample(request.path, _reading(request))
    say(f"{request.sample}: checking {len(read.obs):,} cells")
    checked = _check(read, notes, request, limits)
    reasons = checked.measured.reasons
    say(f"{request.sample}: components, UMAP and values of {len(checked.obs):,} of {len(reasons):,} cells")
    card = {
        "sample": request.sample,
        "scale": checked.scale,
        "species": checked.mapping.species,
        "rows": "tissue" if checked.tissue else "cells",
        "simulated": checked.simulated,
        "n_cells_read": len(reasons),
        "n_genes_read": checked.matrix.shape[1],
        "n_cells": len(checked.obs),
        "n_genes": int(checked.kept_genes.sum()),
        "genes_matched": checked.mapping.share,
        "has_truth": any(str(column).startswith(OBS_TRUTH) for column in checked.obs),
    }
    stem = outdir / request.sample
    with whole_file(f"{stem}.h5ad") as partial:
        embedding = _write(checked, partial, card, seed)
    table = checked.measured.table.assign(kept=reasons == "", reason=reasons)
    table.insert(0, "cell_id", read.obs.index)
    with whole_file(f"{stem}.qc_metrics.csv") as partial:
        table.to_csv(partial, index=False)
    removed = {why: int((reasons == why).sum()) for why in REASONS}
    summary = card | {
        "limits": asdict(checked.limits),
        "removed": removed | {"genes_in_few_cells": int((~checked.kept_genes).sum())},
        "notes": [*checked.notes, embedding.statement],
    }
    write_json(f"{stem}.qc_summary.json", summary)
    return summary


def _reading(request: Request) -> Reading:
    """Return what the user says about how the file is to be read."""
    events = events_column(request.mutations or "")
    keys = (request.label_key, request.group_key, request.normal_key, request.treatment_key, events)
    described_by = tuple(key for key in keys if key)
    return Reading(request.orientation, described_by, request.matrix, request.species, request.scale)


def _check(read: Cells, notes: list[str], request: Request, limits: Limits) -> Checked:
    """Settle scale and genes, measure the cells, and see that enough is left of both."""
    source = str(request.path)
    truth, label_notes = _truth(read.given, request)
    if request.normal_key:
        column_of(read.given, request.normal_key, "normal_key", source)
    if request.mutations:
        _require_events(read.given, request.mutations, source)
    group = column_of(read.given, request.group_key, "group_key", source) if request.group_key else None
    treatment, treatment_notes = _treatment(read.given, request)
    mapping = map_names(read.genes, request.species)
    require_match(mapping, source)
    matched = f"{mapping.share:.1%} of {len(mapping.names)} gene names match ({mapping.kind}, {mapping.species})"
    matrix, scale, scale_notes = _values(read, request)
    columns = SymbolColumns(mapping, "sum" if scale in ("counts", "tpm") else "mean")
    tissue = rows_are_tissue(matrix, columns, scale)
    limits = replace(limits, min_cells=1, max_mt_percent=100.0) if tissue else limits
    measured = measure(matrix, columns, scale, limits)
    require_cells(measured.reasons, limits, source)
    kept_genes, kept = keep_genes(measured, scale, limits, source), measured.kept
    if request.label_key:
        require_both(truth[OBS_TRUTH][kept], request.label_key, f"{source} after quality control")
    truth = {name: labels for name, labels in truth.items() if {0, 1} <= set(labels[kept].tolist())}
    obs = _annotation(read.obs, measured.table, truth, group)
    obs = (obs if treatment is None else obs.assign(**{OBS_TREATMENT: treatment}))[kept]
    if request.root:
        cells_of_root(obs, request.root, source)
    if scale in ("counts", "tpm"):
        normalised = f"each cell was brought to {limits.target_sum:g} {scale} and log1p was taken"
    else:
        normalised = f"values were {scale} already: not normalised, not logged"
    notes = [
        *notes,
        *label_notes,
        *treatment_notes,
        matched,
        *mapping.notes,
        *scale_notes,
        *limit_notes(scale, measured.table),
        *([ROWS_OF_TISSUE] if tissue else []),
        normalised,
    ]
    return Checked(matrix, scale, tissue, limits, mapping, columns, measured, kept_genes, obs, read.simulated, notes)


def _write(checked: Checked, path: Path, card: dict, seed: int) -> Embedding:
    """Write the h5ad, block by block, and place its cells."""
    import h5py
    from anndata import AnnData

    n_cells, n_genes, scale = len(checked.obs), int(checked.kept_genes.sum()), checked.scale
    chosen, reference = reference_cells(n_cells, seed), []
    with h5py.File(path, "w") as file:
        written = SampleFile(file, n_genes)
        for rows in checked.blocks():
            x = normalise(rows, checked.limits.target_sum) if scale in ("counts", "tpm") else rows
            first, last = np.searchsorted(chosen, [written.n_cells, written.n_cells + x.shape[0]])
            reference.append(x[chosen[first:last] - written.n_cells])
            written.append(x, rows if scale == "counts" else None)
        written.complete()
        fitted_to = np.concatenate(reference) if scale == "zscore" else sparse.vstack(reference, format="csr")
        whole = fitted_to if len(chosen) == n_cells else stored_matrix(file["X"], str(path))
        embedding = embed(whole, chosen, fitted_to, scale, seed)
        var = checked.columns.var[checked.kept_genes]
        beside = AnnData(obs=checked.obs, var=var, uns={"pharmacell": card})
        beside.strings_to_categoricals()
        written.annotate({"obs": beside.obs, "var": beside.var, "uns": dict(beside.uns)})
        written.annotate({"obsm": {"X_pca": embedding.components, "X_umap": embedding.umap}})
    return embedding


def _truth(obs: pd.DataFrame, request: Request) -> tuple[dict[str, np.ndarray], list[str]]:
    """Return the labels by our column, if the sheet names a column of theirs, and what is missing among them."""
    source = str(request.path)
    if request.drug_label_key:
        of_drugs, notes = parse_labels_of_drugs(obs, request.drug_label_key, source)
        return {f"{OBS_TRUTH}{OF_DRUG}{drug}": labels for drug, labels in of_drugs.items()}, notes
    if not request.label_key:
        return {}, []
    labels, notes = parse_labels(column_of(obs, request.label_key, "label_key", source), source)
    return {OBS_TRUTH: labels}, notes


def _require_events(obs: pd.DataFrame, mutations: str, source: str) -> None:
    """Check that the sheet's driver events are known, also those of a column of the cells."""
    key, texts = events_column(mutations), [mutations]
    if key is not None:
        texts = column_of(obs, key, "mutations", source).dropna().astype(str).unique().tolist()
    known = known_events()
    for text in texts:
        named_events(text, known)


def _treatment(obs: pd.DataFrame, request: Request) -> tuple[pd.Categorical | None, list[str]]:
    """Return what was done to each cell, if the sheet names a column of it, and how its values are read."""
    if not request.treatment_key:
        return None, []
    source = str(request.path)
    return parse_treatment(column_of(obs, request.treatment_key, "treatment_key", source), source)


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


def _annotation(
    obs: pd.DataFrame, measures: pd.DataFrame, truth: dict[str, np.ndarray], group: pd.Series | None
) -> pd.DataFrame:
    """Return the cells' annotation: what was there, then our own columns."""
    ours: dict[str, np.ndarray | pd.Categorical] = {
        OBS_N_GENES: measures["n_genes"].to_numpy(),
        OBS_TOTAL_COUNTS: measures["total_counts"].to_numpy(),
        OBS_PCT_MT: measures["pct_mt"].to_numpy(),
    }
    ours |= truth
    if group is not None:
        names = group_names(group)
        ours[OBS_GROUP] = pd.Categorical(names, pd.Index(sorted(set(names)), dtype=object))
    return obs.assign(**ours)
