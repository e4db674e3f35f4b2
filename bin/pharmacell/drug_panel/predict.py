"""One sample, all drugs: groups, cells, intervals and tests on the scale of the bulk lines."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import false_discovery_control, norm

from pharmacell.drug_panel.held_out import residual_spread
from pharmacell.drug_panel.linear import LinearPanel, of_tissue
from pharmacell.drug_panel.profiles import BulkScale, CountMatrix, Pooled, ProfileScale, cell_profiles
from pharmacell.drug_panel.resemblance import Resemblance
from pharmacell.drug_panel.responses import Responses
from pharmacell.drug_panel.store import PanelModel

if TYPE_CHECKING:
    from anndata import AnnData

DRAWS = 50  # of a group's cells


class SamplePanel:
    """The members of the panel on the genes of one sample.

    Parameters
    ----------
    lines
        The bulk file.
    responses
        Of its lines.
    model
        The bulk stage.
    scale
        Of the lines on the shared genes, and of the sample's profiles unless ``profile_scale`` is set to another.
    shift
        What driver events add to z, see :class:`pharmacell.drug_panel.sample_events.SampleEvents`.
    """

    def __init__(
        self,
        lines: "AnnData",
        responses: Responses,
        model: PanelModel,
        scale: BulkScale,
        shift: np.ndarray,
    ) -> None:
        self.shift = shift
        self.profile_scale: ProfileScale = scale
        self.responses, self.model, self.scale = responses, model, scale
        self.tissues = lines.obs["tissue"].to_numpy(str)
        self.learned = responses.learned(np.arange(lines.n_obs))
        self._linear: dict[str, LinearPanel] = {}

    def linear(self, tissue: str) -> LinearPanel:
        """Return the linear members for samples of a tissue; fitted when first asked for.

        Parameters
        ----------
        tissue
            As the lines call it.
        """
        if tissue not in self._linear:
            self._linear[tissue] = LinearPanel(self.scale, self.learned, self.tissues, tissue, self.model.choice)
        return self._linear[tissue]

    def z(self, profiles: np.ndarray, tissues: np.ndarray, kinds: np.ndarray) -> np.ndarray:
        """Return predicted z, float32 [n, n_drugs]: the one place where members are put together.

        Parameters
        ----------
        profiles
            On the bulk scale, [n, n_genes].
        tissues
            Of each profile, [n].
        kinds
            Which events each has, int [n].
        """
        found = np.empty((len(profiles), len(self.responses.drugs)), np.float32)
        for tissue in dict.fromkeys(tissues):
            rows = tissues == tissue
            found[rows] = self.linear(tissue).z(profiles[rows])
        network, weight = self.model.network, self.model.network_weight
        if network is not None and weight:
            inputs = network.inputs(self.scale.within(profiles), self.scale.genes)
            found += np.float32(weight) * (network.z(inputs) - found)
        places = [self.model.effects.place(tissue) for tissue in tissues]
        return (found + self.shift[kinds, places]).astype(np.float32)

    @cached_property
    def spread(self) -> np.ndarray:
        """Standard deviation of what is measured about what is predicted for a held-out line, in z, [n_drugs]."""
        return residual_spread(self.responses, self.model.held_out)

    def probability(self, z: np.ndarray) -> np.ndarray:
        """Return the probability of being sensitive, float32 [n, n_drugs].

        What is measured lies around what is predicted as in held-out lines, near normally, and a line is sensitive
        where it is below the drug's cut.

        Parameters
        ----------
        z
            Predicted, [n, n_drugs].
        """
        return norm.cdf((self.responses.cut - z) / self.spread).astype(np.float32)

    def ln_ic50(self, z: np.ndarray) -> np.ndarray:
        """Return ln(IC50 / uM), [n, n_drugs].

        Parameters
        ----------
        z
            Predicted, [n, n_drugs].
        """
        level, slope = self.responses.scale
        return level + slope * z

    def percentile(self, z: np.ndarray, rows: np.ndarray | None = None) -> np.ndarray:
        """Return the share of measured lines that are more sensitive, from 0 to 1, [n, n_drugs].

        Parameters
        ----------
        z
            Predicted, [n, n_drugs].
        rows
            Lines that are compared with, bool [n_lines]; None for all.
        """
        measured = self.responses.z if rows is None else self.responses.z[rows]
        found = np.empty(z.shape)
        for drug in range(z.shape[1]):
            known = np.sort(measured[np.isfinite(measured[:, drug]), drug])
            place = np.searchsorted(known, z[:, drug]) if len(known) else np.full(len(z), np.nan)
            found[:, drug] = place / max(len(known), 1)
        return found

    @cached_property
    def loading(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean of each drug's z, and its slope on the general sensitivity (mean z over drugs) of the lines."""
        general = self.learned.mean(1)
        centred = general - general.mean()
        mean = self.learned.mean(0)
        return mean, centred @ (self.learned - mean) / max(centred @ centred, 1e-12)

    def specific(self, z: np.ndarray) -> np.ndarray:
        """Return z without what a general sensitivity explains, [n, n_drugs].

        Parameters
        ----------
        z
            Predicted, [n, n_drugs].
        """
        mean, slope = self.loading
        general = z.mean(1, keepdims=True) - mean.mean()
        return z - mean - slope * general


@dataclass(frozen=True)
class GroupPredictions:
    """Of each group and drug, [n_groups, n_drugs] but where stated.

    Attributes
    ----------
    z, ln_ic50, low, high, percentile, percentile_tissue, probability, specific, p, fdr
        See ``docs/panel.md``.
    general, general_percentile
        Mean z over drugs with the sign turned, and the share of lines that are more sensitive, [n_groups].
    """

    z: np.ndarray
    ln_ic50: np.ndarray
    low: np.ndarray
    high: np.ndarray
    percentile: np.ndarray
    percentile_tissue: np.ndarray
    probability: np.ndarray
    specific: np.ndarray
    p: np.ndarray
    fdr: np.ndarray
    general: np.ndarray
    general_percentile: np.ndarray


def predict_groups(
    panel: SamplePanel,
    pooled: Pooled,
    near: Resemblance,
    kinds: np.ndarray,
    shown: np.ndarray,
    rng: np.random.Generator,
) -> GroupPredictions:
    """Predict each group from its pooled counts.

    Parameters
    ----------
    panel
        Of the sample.
    pooled
        Counts of the groups.
    near
        What the groups resemble; its tissues are used.
    kinds
        Which events each group has, int [n_groups].
    shown
        Drugs asked for, over which the false discovery rate is taken, int [n_shown].
    rng
        Draws cells.
    """
    profiles = panel.profile_scale.of_counts(pooled.parts.sum(1))
    z = panel.z(profiles, near.tissue, kinds)
    of_cells = np.zeros(z.shape)
    for group in np.flatnonzero(pooled.sizes > 1).tolist():
        drawn = panel.profile_scale.of_counts(pooled.bootstrap(group, DRAWS, rng))
        of_cells[group] = panel.linear(near.tissue[group]).z(drawn).std(0)
    spread = np.sqrt(panel.spread**2 + of_cells**2)
    _, slope = panel.responses.scale
    ln_ic50 = panel.ln_ic50(z)
    half = 1.96 * spread * slope
    p = np.empty(z.shape)
    for one in np.unique(near.tissue):
        p[near.tissue == one] = panel.linear(one).permutation_p(profiles[near.tissue == one])
    fdr = np.full(p.shape, np.nan)
    fdr[:, shown] = false_discovery_control(p[:, shown], axis=1)
    tissue = np.empty(z.shape)
    for one in np.unique(near.tissue):
        own = near.tissue == one
        tissue[own] = panel.percentile(z[own], of_tissue(panel.tissues, one))
    general, of_lines = z.mean(1), panel.learned.mean(1)
    return GroupPredictions(
        z,
        ln_ic50,
        ln_ic50 - half,
        ln_ic50 + half,
        panel.percentile(z),
        tissue,
        panel.probability(z),
        panel.specific(z),
        p,
        fdr,
        -general,
        (of_lines < general[:, None]).mean(1),
    )


def without_level(found: GroupPredictions) -> GroupPredictions:
    """Return predictions of a z-scored sample: what would say a level is empty.

    Parameters
    ----------
    found
        Of its groups.
    """
    empty = np.full(found.z.shape, np.nan)
    return replace(
        found,
        ln_ic50=empty,
        low=empty,
        high=empty,
        percentile=empty,
        percentile_tissue=empty,
        general=np.full(len(found.z), np.nan),
        general_percentile=np.full(len(found.z), np.nan),
    )


def predict_cells(
    panel: SamplePanel, counts: CountMatrix, pooled: Pooled, tissues: np.ndarray, kinds: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield positions and probabilities of cells, float32 [<= 2048, n_drugs].

    Parameters
    ----------
    panel
        Of the sample.
    counts
        Of all cells.
    pooled
        From :func:`pharmacell.drug_panel.profiles.pool`.
    tissues
        Of each cell, [n_cells].
    kinds
        Which events each has, int [n_cells].
    """
    for where, profiles in cell_profiles(counts, pooled, panel.profile_scale):
        yield where, panel.probability(panel.z(profiles, tissues[where], kinds[where]))
