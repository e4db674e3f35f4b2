"""The explorer: one page for each sample that shows its cells, opens from disk and needs no server."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file
from pharmacell.core.seeds import generator
from pharmacell.data.cells import CHUNK_CELLS, CellMatrix
from pharmacell.data.columns import OBS_GROUP, OBS_TRUTH
from pharmacell.report.panel_results import CELL_GROUP, NOT_SUPPORTED, PANEL
from pharmacell.report.results import KEY_GENES, TRAJECTORY, read_target, table
from pharmacell.response.columns import CELL_ID, OBS_PROBABILITY

if TYPE_CHECKING:
    import pandas as pd

TEMPLATE, STYLE, SCRIPT = "explorer.html", "explorer.css", "explorer.js"
CELLS_AT_MOST = 20_000  # that a browser draws smoothly; larger samples are thinned
DRUGS_AT_MOST = 50  # of the panel: those that differ most between cells
GENES_AT_MOST = 60  # key genes first, then the most variable ones
BINS = 150  # of each axis of the map, for thinning
STEPS = 255  # of a value's 8 bits
PLACES = 65_534  # of a coordinate's 16 bits; the last one says that a cell has no place
NO_PLACE = 65_535


@dataclass(frozen=True)
class Inputs:
    """Files that the explorer reads.

    Parameters
    ----------
    targets
        h5ad of the sample, one for each drug that was predicted by itself; with none, that of the panel is read.
    panel
        Folder of the panel; None where there is none.
    key_genes
        ``key_genes.csv`` of each drug; may be empty.
    trajectory
        Folder of the trajectory; None where there is none.
    """

    targets: Sequence[Path]
    panel: Path | None = None
    key_genes: Sequence[Path] = field(default_factory=tuple)
    trajectory: Path | None = None


def write_explorer(sample: str, inputs: Inputs, path: Path, seed: int) -> int:
    """Write the page; return how many cells it shows.

    Parameters
    ----------
    sample
        The sample's name.
    inputs
        What it reads.
    path
        Of the page.
    seed
        Seed of the choice of cells in large samples.

    Raises
    ------
    InputError
        If there are neither predictions nor a panel, or a file cannot be read.
    """
    if not inputs.targets and inputs.panel is None:
        raise InputError(f"{sample}: nothing to show; give --target, the cells with their predictions, or --panel")
    from jinja2 import Environment, FileSystemLoader
    from markupsafe import Markup

    content = explorer_data(sample, inputs, seed)
    here = Path(__file__).parent
    text = json.dumps(content, separators=(",", ":")).replace("<", "\\u003c")
    page = Environment(loader=FileSystemLoader(here), autoescape=True).get_template(TEMPLATE)
    with whole_file(path) as partial:
        partial.write_text(
            page.render(
                sample=sample,
                note=content["note"],
                style=Markup((here / STYLE).read_text()),
                script=Markup((here / SCRIPT).read_text()),
                data=Markup(text),
            )
        )
    return len(content["cells"])


def explorer_data(sample: str, inputs: Inputs, seed: int) -> dict:
    """Return what the page shows, ready for json: ``sample, note, cells, maps, values, classes``.

    Parameters
    ----------
    sample
        The sample's name.
    inputs
        What it reads.
    seed
        Seed of the choice of cells in large samples.
    """
    cells = CellMatrix(inputs.targets[0] if inputs.targets else (inputs.panel or Path()) / f"{sample}.h5ad")
    names = cells.obs.index.astype(str)
    maps = all_maps(cells, inputs, names)
    first = next(iter(maps.values()), np.full((len(names), 2), np.nan))
    chosen = thinned(first, seed)
    note = ""
    if len(chosen) < len(names):
        note = (
            f"{len(chosen):,} of {len(names):,} cells are shown: where the map is dense, cells are left out at random. "
            "Shares of a selection are therefore those of the cells shown."
        )
    shown = Shown(inputs, names, chosen)
    values = shown.predictions() + shown.panel_drugs() + shown.pseudotime() + genes(cells, inputs, chosen)
    return {
        "sample": sample,
        "note": note,
        "cells": list(names[chosen]),
        "maps": [{"name": name, "xy": packed_places(places[chosen])} for name, places in maps.items()],
        "values": values,
        "classes": classes(cells.obs.iloc[chosen]),
    }


def all_maps(cells: CellMatrix, inputs: Inputs, names: "pd.Index") -> dict[str, np.ndarray]:
    """Return each map's name and coordinates, [n_cells, 2], NaN for cells that it has not.

    Parameters
    ----------
    cells
        The sample.
    inputs
        What is read.
    names
        Of the cells.
    """
    from anndata.io import read_elem

    found = {}
    if "obsm/X_umap" in cells.file:
        found["UMAP"] = np.asarray(read_elem(cells.file["obsm/X_umap"]), float)
    if inputs.trajectory is not None:
        order = table(inputs.trajectory / "pseudotime.csv", TRAJECTORY["pseudotime"]).set_index(CELL_ID)
        places = order.reindex(names)[["umap_1", "umap_2"]].to_numpy(float)
        if np.isfinite(places).any():
            found["Diffusion map (ordered cells)"] = places
    return found


def thinned(places: np.ndarray, seed: int) -> np.ndarray:
    """Return the cells that are shown, sorted: all, or so many that dense places of the map lose most.

    Parameters
    ----------
    places
        Coordinates, [n_cells, 2]; cells without a place count as one dense place.
    seed
        Seed of the choice.
    """
    n = len(places)
    if n <= CELLS_AT_MOST:
        return np.arange(n)
    low, high = np.nanmin(places, 0), np.nanmax(places, 0)
    scaled = np.nan_to_num((places - low) / np.maximum(high - low, 1e-12) * (BINS - 1), nan=-1).astype(int)
    _bins, of, counts = np.unique(scaled[:, 0] * (BINS + 1) + scaled[:, 1], return_inverse=True, return_counts=True)
    most = np.searchsorted(
        [np.minimum(counts, cap).sum() for cap in range(1, counts.max() + 1)], CELLS_AT_MOST, "right"
    )
    order = generator(seed, "cells of the explorer").permutation(n)
    by_bin = order[np.argsort(of[order], kind="stable")]
    rank = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(by_bin[rank < max(int(most), 1)])[:CELLS_AT_MOST]


def packed_places(places: np.ndarray) -> str:
    """Return coordinates as base64 of uint16 (little-endian), one cell after another; both axes have one scale.

    Parameters
    ----------
    places
        Coordinates, [n_cells, 2]; NaN for cells that have none.
    """
    low = np.nanmin(places, 0)
    span = max(float((np.nanmax(places, 0) - low).max()), 1e-12)
    centred = (places - low + (span - (np.nanmax(places, 0) - low)) / 2) / span
    whole = np.where(np.isfinite(places).all(axis=1, keepdims=True), np.rint(centred * PLACES), NO_PLACE)
    return base64.b64encode(whole.astype("<u2").tobytes()).decode()


def packed(kind: str, name: str, values: np.ndarray, low: float, high: float) -> dict:
    """Return values as base64 of 8 bits, with what they mean.

    Parameters
    ----------
    kind
        ``prediction``, ``drug``, ``gene`` or ``order``.
    name
        Of the drug or gene.
    values
        [n_cells]; NaN becomes the lowest value.
    low, high
        What 0 and 255 stand for.
    """
    steps = np.rint(np.clip((np.nan_to_num(values, nan=low) - low) / max(high - low, 1e-12), 0, 1) * STEPS)
    data = base64.b64encode(steps.astype(np.uint8).tobytes()).decode()
    return {"kind": kind, "name": name, "low": low, "high": high, "data": data}


@dataclass(frozen=True)
class Shown:
    """The cells that are shown, and what is known of them.

    Parameters
    ----------
    inputs
        What is read.
    names
        Of all cells of the sample.
    chosen
        Positions of the cells that are shown.
    """

    inputs: Inputs
    names: "pd.Index"
    chosen: np.ndarray

    def predictions(self) -> list[dict]:
        """Return the probabilities of each drug that was predicted by itself."""
        found = []
        for path in self.inputs.targets:
            obs, _umap, _summary, card = read_target(path)
            if OBS_PROBABILITY in obs:
                values = obs[OBS_PROBABILITY].set_axis(obs.index.astype(str)).reindex(self.names).to_numpy(float)
                found.append(packed("prediction", card.drug if card else "the drug", values[self.chosen], 0, 1))
        return found

    def panel_drugs(self) -> list[dict]:
        """Return the probabilities of the panel's drugs that differ most between cells, without those ruled out."""
        if self.inputs.panel is None:
            return []
        import pandas as pd

        rows = table(self.inputs.panel / "panel.csv", PANEL)
        kept = rows.loc[rows["verdict"] != NOT_SUPPORTED, "drug"].unique()
        cells = pd.read_parquet(self.inputs.panel / "cells.parquet")
        cells = cells.set_index(cells[CELL_ID].astype(str)).drop(columns=CELL_ID).reindex(self.names[self.chosen])
        spread = cells[[drug for drug in cells if drug in set(kept)]].std()
        drugs = spread.sort_values(ascending=False, kind="stable").index[:DRUGS_AT_MOST]
        return [packed("drug", str(drug), cells[drug].to_numpy(float), 0, 1) for drug in sorted(drugs, key=str.lower)]

    def pseudotime(self) -> list[dict]:
        """Return the pseudotime, where cells are ordered."""
        if self.inputs.trajectory is None:
            return []
        order = table(self.inputs.trajectory / "pseudotime.csv", TRAJECTORY["pseudotime"]).set_index(CELL_ID)
        values = order["pseudotime"].reindex(self.names[self.chosen]).to_numpy(float)
        if not np.isfinite(values).any():
            return []
        return [packed("order", "pseudotime", values, float(np.nanmin(values)), float(np.nanmax(values)))]


def genes(cells: CellMatrix, inputs: Inputs, chosen: np.ndarray) -> list[dict]:
    """Return the expression of the key genes and, after them, of the most variable genes.

    Parameters
    ----------
    cells
        The sample.
    inputs
        What is read.
    chosen
        Cells that are shown.
    """
    wanted: list[str] = []
    for path in inputs.key_genes:
        found = table(path, KEY_GENES)
        wanted += list(found.groupby("class", sort=False).head(GENES_AT_MOST // 5)["gene"].astype(str))
    names = list(dict.fromkeys([*wanted[:GENES_AT_MOST], *variable_genes(cells)]))[:GENES_AT_MOST]
    x = cells.rows(names, chosen)
    return [
        packed("gene", name, x[:, column], float(x[:, column].min()), float(x[:, column].max()))
        for column, name in enumerate(names)
    ]


def variable_genes(cells: CellMatrix) -> list[str]:
    """Return the genes of the highest variance over a chunk of cells taken from the whole sample.

    Parameters
    ----------
    cells
        The sample.
    """
    positions = np.unique(np.linspace(0, len(cells) - 1, min(len(cells), CHUNK_CELLS)).astype(int))
    starts = range(0, len(cells), CHUNK_CELLS)
    everything = np.arange(len(cells.genes))
    n, total, squares = 0, np.zeros(len(everything)), np.zeros(len(everything))
    for start in starts:
        first, last = np.searchsorted(positions, [start, start + CHUNK_CELLS])
        block = cells.x[start : start + CHUNK_CELLS][positions[first:last] - start]
        n += block.shape[0]
        total += np.asarray(block.sum(0)).ravel()
        squares += np.asarray(block.multiply(block).sum(0) if hasattr(block, "multiply") else (block**2).sum(0)).ravel()
    variance = squares / n - (total / n) ** 2
    return [str(name) for name in cells.genes[np.argsort(-variance, kind="stable")[:GENES_AT_MOST]]]


def classes(obs: "pd.DataFrame") -> list[dict]:
    """Return groups and truth: name of each, its levels, and the level of each cell.

    Parameters
    ----------
    obs
        Annotation of the cells that are shown.
    """
    found: list[dict] = []
    for name, column in (("group", OBS_GROUP), ("group", CELL_GROUP), ("truth", OBS_TRUTH)):
        if column not in obs or name in [each["name"] for each in found]:
            continue
        values = obs[column].astype(str)
        if column == OBS_TRUTH:
            values = values.map({"1": "sensitive", "0": "resistant"}).fillna("not known")
        levels = sorted(values.unique())
        codes = values.map({level: code for code, level in enumerate(levels)}).to_numpy("<u2")
        found.append({"name": name, "levels": levels, "data": base64.b64encode(codes.tobytes()).decode()})
    return found
