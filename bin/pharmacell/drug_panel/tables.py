"""The tables that the panel publishes."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell.core.files import whole_file
from pharmacell.drug_panel import columns
from pharmacell.drug_panel.groups import Groups
from pharmacell.drug_panel.predict import GroupPredictions
from pharmacell.drug_panel.resemblance import Resemblance


def panel_table(
    found: GroupPredictions,
    groups: Groups,
    share_sensitive: np.ndarray,
    drugs: pd.DataFrame,
    events: np.ndarray,
    verdict: np.ndarray,
    beyond: np.ndarray,
) -> pd.DataFrame:
    """Return ``panel.csv``, a row for each group and drug, sorted by group and rank.

    Drugs that cannot be predicted, and groups that resemble no line, have no rank.

    Parameters
    ----------
    found
        Of each group and drug.
    groups
        Of the cells.
    share_sensitive
        Of the cells of each group and drug, [n_groups, n_drugs].
    drugs
        ``drugs.csv``.
    events
        Driver events that a drug follows and that are not known of a group, [n_groups, n_drugs].
    verdict
        [n_groups, n_drugs].
    beyond
        Whether the prediction lies beyond what was measured, bool [n_groups, n_drugs].
    """
    pieces = []
    for row, name in enumerate(groups.names):
        ranked = verdict[row] != columns.NOT_SUPPORTED
        rank = pd.Series(np.where(ranked, found.specific[row], np.nan)).rank(method="first")
        table = pd.DataFrame(
            {
                "group": name,
                "drug": drugs["drug"].to_numpy(),
                "target": drugs["target"].to_numpy(),
                "pathway": drugs["pathway"].to_numpy(),
                "n_cells": groups.sizes[row],
                "ln_ic50": found.ln_ic50[row],
                "percentile": found.percentile[row],
                "low": found.low[row],
                "high": found.high[row],
                "probability": found.probability[row],
                "share_sensitive": share_sensitive[row],
                "p": found.p[row],
                "fdr": found.fdr[row],
                "verdict": verdict[row],
                "predictability": drugs["predictability"].to_numpy(),
                "rank": rank.astype("Int64"),
                "specific": found.specific[row],
                "percentile_tissue": found.percentile_tissue[row],
                "beyond_measured": beyond[row],
                "driver_event": events[row],
            }
        )
        pieces.append(table.sort_values(["rank", "specific"], na_position="last", kind="stable"))
    return pd.concat(pieces, ignore_index=True)[list(columns.PANEL)]


def groups_table(
    found: GroupPredictions, groups: Groups, near: Resemblance, lines: list[str], flags: list[str]
) -> pd.DataFrame:
    """Return ``groups.csv``, a row for each group.

    Parameters
    ----------
    found
        Of each group.
    groups
        Of the cells.
    near
        What they resemble.
    lines
        Names of the lines.
    flags
        What speaks against ranking a group; empty where nothing does.
    """
    return pd.DataFrame(
        {
            "group": groups.names,
            "n_cells": groups.sizes,
            "tissue": near.tissue,
            "nearest_line": [lines[line] if line >= 0 else "" for line in near.line],
            "resemblance": near.correlation,
            "flag": flags,
            "general_sensitivity": found.general,
            "general_percentile": found.general_percentile,
        }
    )[list(columns.GROUPS)]


class CellTable:
    """``cells.parquet``, written block by block: ``cell_id`` and a float32 column for each drug.

    Parameters
    ----------
    path
        Where to write.
    drugs
        Names of the columns.
    """

    def __init__(self, path: Path, drugs: list[str]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.schema = pa.schema([("cell_id", pa.string()), *((drug, pa.float32()) for drug in drugs)])
        self.writer = pq.ParquetWriter(path, self.schema)

    def write(self, cells: Iterable[str], probability: np.ndarray) -> None:
        """Add a row group.

        Parameters
        ----------
        cells
            Their names.
        probability
            [n, n_drugs].
        """
        import pyarrow as pa

        arrays = [pa.array(list(cells), pa.string()), *(pa.array(column) for column in probability.T)]
        self.writer.write_table(pa.Table.from_arrays(arrays, schema=self.schema))

    def close(self) -> None:
        """Finish the file."""
        self.writer.close()


def write_panel_h5ad(
    prepared: Path, path: Path, groups: pd.Categorical, drugs: list[str], probability: np.ndarray
) -> None:
    """Copy the prepared h5ad and add the cells' groups to ``obs`` and probabilities to ``obsm``.

    Parameters
    ----------
    prepared
        The sample's h5ad of QC.
    path
        Where to write.
    groups
        Of the cells.
    drugs
        At most 50; their names stand in ``uns["pharmacell_panel"]["drugs"]``.
    probability
        float32 [n_cells, n_drugs].
    """
    import h5py
    from anndata.io import read_elem, write_elem

    with whole_file(path) as partial:
        shutil.copyfile(prepared, partial)
        with h5py.File(partial, "r+") as file:
            obs = read_elem(file["obs"])
            obs["pharmacell_panel_group"] = groups
            write_elem(file, "obs", obs)
            write_elem(file, f"obsm/{columns.EMBEDDED}", probability)
            write_elem(file, f"uns/{columns.EMBEDDED}", {"drugs": np.array(drugs, object)})
