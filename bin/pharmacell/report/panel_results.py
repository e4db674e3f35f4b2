"""What the panel of all drugs wrote for one sample, read for drawing and telling."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.core.errors import InputError
from pharmacell.report.results import read_json, table

if TYPE_CHECKING:
    import pandas as pd

PANEL = (
    "group", "drug", "target", "pathway", "n_cells", "ln_ic50", "percentile", "low", "high", "probability",
    "share_sensitive", "p", "fdr", "verdict", "predictability", "driver_event",
)  # fmt: skip
GROUPS = ("group", "n_cells", "tissue", "nearest_line", "resemblance", "flag", "general_percentile")
COMBINATIONS = ("drug_a", "drug_b", "worst_group", "worst_percentile", "better_single", "gain", "normal_percentile")
TRUTH = ("group", "drug", "ln_ic50")
NOT_SUPPORTED = "not supported"
CELL_GROUP = "pharmacell_panel_group"  # column of the cells' obs
MAPS = 9  # drugs whose probabilities are read for every cell


@dataclass(frozen=True)
class PanelResults:
    """The panel of one sample.

    Parameters
    ----------
    sample
        The sample's name.
    table
        ``panel.csv``, a row for each group and drug.
    groups
        ``groups.csv``.
    combinations
        ``combinations.csv``, the best pair first.
    facts
        ``panel.json``.
    truth
        ``truth.csv``: measured ``group, drug, ln_ic50``; None where it is not known.
    places
        UMAP of the cells, [n_cells, 2], NaN for cells that were not embedded; None where there is none.
    cells
        Probabilities of the first drugs of :func:`first_drugs`, a row a cell.
    """

    sample: str
    table: "pd.DataFrame"
    groups: "pd.DataFrame"
    combinations: "pd.DataFrame"
    facts: dict
    truth: "pd.DataFrame | None"
    places: "np.ndarray | None"
    cells: "pd.DataFrame"

    @property
    def name(self) -> str:
        """The sample's name, as titles have it."""
        return f"{self.sample} (simulated cells)" if self.facts.get("simulated") else self.sample

    @property
    def wide(self) -> "pd.DataFrame":
        """Percentile of each group (row) and drug (column)."""
        return self.table.pivot(index="group", columns="drug", values="percentile")

    @property
    def supported(self) -> "pd.DataFrame":
        """Whether each group (row) and drug (column) is not ruled out by its verdict."""
        return self.table.assign(kept=self.table["verdict"] != NOT_SUPPORTED).pivot(
            index="group", columns="drug", values="kept"
        )

    @property
    def best(self) -> list[dict]:
        """The drugs that separate the groups best, with the words that say how far to believe it."""
        return list(self.facts.get("best_drugs") or [])


def read_panel(sample: str, folder: Path) -> PanelResults:
    """Read the folder of one sample.

    Parameters
    ----------
    sample
        The sample's name.
    folder
        What ``predict_panel`` wrote.

    Raises
    ------
    InputError
        If a file cannot be read or lacks a column.
    """
    import pandas as pd

    panel = table(folder / "panel.csv", PANEL)
    panel["group"] = panel["group"].astype(str)
    facts = read_json(folder / "panel.json")
    truth = table(folder / "truth.csv", TRUTH) if (folder / "truth.csv").exists() else None
    try:
        cells = pd.read_parquet(folder / "cells.parquet", columns=["cell_id", *first_drugs(panel, facts, truth)])
    except (ValueError, OSError, KeyError) as error:
        raise InputError(f"{folder}/cells.parquet: cannot be read ({error}); run PREDICT_PANEL again") from error
    return PanelResults(
        sample=sample,
        table=panel,
        groups=table(folder / "groups.csv", GROUPS).astype({"group": str}),
        combinations=table(folder / "combinations.csv", COMBINATIONS),
        facts=facts,
        truth=truth,
        places=places_of(folder / f"{sample}.h5ad", cells["cell_id"].astype(str)),
        cells=cells.drop(columns="cell_id"),
    )


def first_drugs(panel: "pd.DataFrame", facts: dict, truth: "pd.DataFrame | None") -> list[str]:
    """Return the drugs that are drawn on the map.

    First those that separate the groups best, then those that were measured, then the first of each ranking.

    Parameters
    ----------
    panel
        ``panel.csv``, sorted by rank within a group.
    facts
        ``panel.json``.
    truth
        ``group, drug, ln_ic50``; None where nothing was measured.
    """
    measured = [] if truth is None else [drug for drug in truth["drug"] if drug in set(panel["drug"])]
    best = [each["drug"] for each in facts.get("best_drugs") or []]
    kept = panel[panel["verdict"] != NOT_SUPPORTED]
    ranked = kept.assign(place=kept.groupby("group").cumcount()).sort_values("place", kind="stable")["drug"]
    return list(dict.fromkeys([*best, *measured, *ranked]))[:MAPS]


def places_of(path: Path, cells: "pd.Series") -> "np.ndarray | None":
    """Return the UMAP of the cells, [n_cells, 2]; None where there is no file or no UMAP in it.

    Parameters
    ----------
    path
        h5ad with ``obsm["X_umap"]``.
    cells
        Names of the cells.
    """
    import h5py
    import pandas as pd
    from anndata.io import read_elem

    if not path.exists():
        return None
    with h5py.File(path) as file:
        if "obsm/X_umap" not in file:
            return None
        umap = pd.DataFrame(read_elem(file["obsm/X_umap"]), index=read_elem(file["obs"]).index.astype(str))
    return umap.reindex(cells).to_numpy(float)
