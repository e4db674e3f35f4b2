"""What counts of single cells add to each gene of a profile, against bulk lines; cells of known lines show it."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pharmacell.data.tissues import tissues_of
from pharmacell.drug_panel.profiles import BulkScale

FEWEST_GENES = 0.5  # share of the shared genes, of which the reference has a count
FEWEST_LINES = 2  # of the reference, that stand in the bulk data


@dataclass(frozen=True)
class PlatformOffset:
    """The difference between two platforms.

    Attributes
    ----------
    offset
        What each gene has more than in the bulk lines, on their scale, float32 [n_genes].
    lines
        Whose cells show it.
    whole_tissue
        Whether they are compared with the mean of the lines of their tissue, because they are not in the bulk data.
    """

    offset: np.ndarray
    lines: list[str]
    whole_tissue: bool

    def share_shown(self, profiles: np.ndarray) -> float:
        """Return how much of the offset the mean of profiles shows, from 0 to 1: its slope on the offset.

        Less this share of the offset, the mean is as near to the lines as it gets.

        Parameters
        ----------
        profiles
            On the bulk scale, [n, n_genes].
        """
        slope = float(profiles.mean(0) @ self.offset / max(float(self.offset @ self.offset), 1e-12))
        return min(max(slope, 0.0), 1.0)


@dataclass(frozen=True)
class OffsetScale:
    """Brings pooled counts to the scale of the lines, without what their platform adds.

    Attributes
    ----------
    scale
        Of the lines.
    offset
        What is taken off each gene, [n_genes].
    """

    scale: BulkScale
    offset: np.ndarray

    def of_counts(self, counts: np.ndarray) -> np.ndarray:
        """Return pooled counts on the scale of the lines, float32 [n, n_genes].

        Parameters
        ----------
        counts
            Sums over cells, on the shared genes, [n, n_genes].
        """
        return self.scale.of_counts(counts) - self.offset


def platform_offset(
    scale: BulkScale, lines: pd.Index, tissues: np.ndarray, reference: pd.DataFrame
) -> PlatformOffset | None:
    """Estimate the offset of each gene from cells of known lines; None where the bulk data have nothing like them.

    With ``s_lg`` the pooled profile of the cells of line l and ``b_lg`` that of the line itself, both on the bulk
    scale, and k lines, the mean difference is drawn to 0 by how far the lines differ in it::

        o_g = shrink mean_l(s_lg - b_lg),    shrink = v / (v + s^2 / k)

    with ``s^2`` the mean over genes of the variance of ``s_lg - b_lg`` over lines and ``v`` that of the offsets, which
    is ``mean_g(mean_l(s_lg - b_lg)^2) - s^2 / k``. Lines that are excluded from the bulk data have no say. Where
    fewer than two are left, all are compared with the mean of the lines of their tissue in the place of ``b_l``.

    Parameters
    ----------
    scale
        Of the lines, on the shared genes.
    lines
        Names of the lines, canonical.
    tissues
        Of the lines.
    reference
        Counts, one column for each plate and line, see :func:`pharmacell.data.reference_counts.reference_counts`.
    """
    if np.isin(scale.genes, reference.index).mean() < FEWEST_GENES:
        return None
    of = reference.columns.get_level_values("line")
    names = [name for name in dict.fromkeys(of) if name in lines]
    whole_tissue = len(names) < FEWEST_LINES
    if whole_tissue:
        names = list(dict.fromkeys(of))
    counts = reference.reindex(scale.genes).fillna(0)
    profiles = scale.of_counts(counts.to_numpy(np.float64).T)
    differences = []
    for name, tissue in tissues_of(pd.Index(names)).items():
        rows = tissues == tissue if whole_tissue else np.asarray(lines == name)
        if not rows.any():
            return None
        differences.append(profiles[of == name].mean(0) - scale.x[rows].mean(0))
    mean, k = np.mean(differences, axis=0), len(differences)
    error = float(np.var(differences, axis=0, ddof=1).mean()) / k
    between = max(float(np.square(mean).mean()) - error, 0.0)
    return PlatformOffset((mean * (between / max(between + error, 1e-12))).astype(np.float32), names, whole_tissue)
