"""The responses of all lines to all drugs, as one matrix."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.linear.low_rank import soft_impute

if TYPE_CHECKING:
    from anndata import AnnData

FEWEST_LINES = 50
RANK = 20
SHARE = 0.5  # of the low-rank estimate in what is learned


@dataclass(frozen=True)
class Responses:
    """Lines x drugs, NaN where not measured.

    Attributes
    ----------
    lines, drugs
        Their names.
    z
        Response standardised over the lines of each release and averaged, see
        :func:`pharmacell.data.response.merge_releases`; lower is more sensitive, float64 [n_lines, n_drugs].
    value
        As measured: ln(IC50 / uM), [n_lines, n_drugs].
    cut
        Highest ``z`` that is called sensitive, [n_drugs].
    reliability
        Correlation of releases, NaN where not known, [n_drugs].
    left_out
        Drugs with fewer than 50 lines.
    """

    lines: pd.Index
    drugs: list[str]
    z: np.ndarray
    value: np.ndarray
    cut: np.ndarray
    reliability: np.ndarray
    left_out: list[str]

    @cached_property
    def scale(self) -> tuple[np.ndarray, np.ndarray]:
        """Level and slope of each drug that bring ``z`` to the measured scale: value = level + slope z, each [n_drugs].

        By least squares over the measured lines.
        """
        both = np.isfinite(self.z) & np.isfinite(self.value)
        z, value = (np.where(both, rows, np.nan) for rows in (self.z, self.value))
        mean_z, mean_value = np.nanmean(z, 0), np.nanmean(value, 0)
        slope = np.nansum((z - mean_z) * (value - mean_value), 0) / np.maximum(np.nansum((z - mean_z) ** 2, 0), 1e-12)
        return mean_value - slope * mean_z, slope

    def learned(self, rows: np.ndarray) -> np.ndarray:
        """Return what members learn from some lines: responses half denoised, gaps filled, [n_rows, n_drugs].

        A measured response is noisy; lines that respond alike to many drugs lend each other strength. Where a response
        was measured it is averaged with the low-rank estimate, where not the estimate stands alone.

        Parameters
        ----------
        rows
            Of the lines; no other line has a say.
        """
        z = self.z[rows]
        rank = min(RANK, min(z.shape) - 1)
        if rank < 1:
            return np.nan_to_num(z)
        empty = np.isnan(z).all(0)
        estimate = soft_impute(np.where(empty, 0.0, z), rank)
        return np.where(np.isnan(z), estimate, (1 - SHARE) * z + SHARE * estimate)


def read_responses(lines: "AnnData", table: pd.DataFrame) -> Responses:
    """Make the matrix of the lines of a bulk file.

    Parameters
    ----------
    lines
        The bulk file.
    table
        ``response.parquet``: ``drug, line, value, z, label, reliability``, all drugs.

    Raises
    ------
    InputError
        If no drug has 50 lines.
    """
    table = table[table["line"].isin(lines.obs_names)]
    counts = table.groupby("drug", observed=True)["z"].count()
    kept = counts.index[counts >= FEWEST_LINES]
    if kept.empty:
        raise InputError(
            f"response table: no drug was measured on at least {FEWEST_LINES} of the {lines.n_obs} bulk lines; the "
            "panel needs such drugs"
        )
    table = table[table["drug"].isin(kept)]
    wide = table.pivot(index="line", columns="drug", values=["z", "value"]).reindex(lines.obs_names)
    drugs = list(wide["z"].columns)
    cut = table[table["label"] == 1].groupby("drug", observed=True)["z"].max().reindex(drugs)
    reliability = pd.Series(np.nan, index=drugs)
    if "reliability" in table:
        reliability = table.groupby("drug", observed=True)["reliability"].first().reindex(drugs)
    return Responses(
        lines.obs_names,
        drugs,
        wide["z"].to_numpy(float),
        wide["value"].to_numpy(float),
        cut.to_numpy(float),
        reliability.to_numpy(float),
        sorted(map(str, counts.index.difference(kept))),
    )
