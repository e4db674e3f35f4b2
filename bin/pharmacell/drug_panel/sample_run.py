"""From a prepared sample to the files of its panel."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file, write_json
from pharmacell.core.progress import say
from pharmacell.core.seeds import generator
from pharmacell.data.cells import CellMatrix
from pharmacell.data.lines import FEWEST_SHARED_GENES
from pharmacell.data.reference_counts import reference_counts
from pharmacell.data.standardise import Standardiser
from pharmacell.drug_panel import columns
from pharmacell.drug_panel.combinations import pairs_of_drugs
from pharmacell.drug_panel.drug_choice import drugs_asked_for
from pharmacell.drug_panel.groups import Groups, groups_of, holds_patients, normal_groups, patients
from pharmacell.drug_panel.molecules import molecules_table
from pharmacell.drug_panel.platform import OffsetScale, platform_offset
from pharmacell.drug_panel.predict import GroupPredictions, SamplePanel, predict_cells, predict_groups, without_level
from pharmacell.drug_panel.profiles import BulkScale, CountMatrix, Pooled, RelativeScale, pool, shared_genes
from pharmacell.drug_panel.resemblance import LEAST_TAKEN_OFF, Resemblance, known_tissue, no_resemblance, resemblance
from pharmacell.drug_panel.responses import Responses, read_responses
from pharmacell.drug_panel.sample_events import SampleEvents, sample_events
from pharmacell.drug_panel.separation import best_drugs, separation
from pharmacell.drug_panel.settings import PanelRequest
from pharmacell.drug_panel.store import PanelModel
from pharmacell.drug_panel.tables import CellTable, groups_table, panel_table, write_panel_h5ad
from pharmacell.drug_panel.truth import measured_responses, score
from pharmacell.drug_panel.verdict import unknown_events, verdicts

if TYPE_CHECKING:
    from anndata import AnnData

RELATIVE = (
    "the sample holds z-scores, which say nothing about the level of a gene: probabilities and ranks compare its cells "
    "with each other, and ln_ic50, percentile, low and high are empty"
)
SENSITIVE = 0.5  # a cell of at least this probability is called sensitive


@dataclass(frozen=True)
class Bulk:
    """What a sample is compared with.

    Attributes
    ----------
    lines
        The bulk file.
    responses
        Of its lines.
    model
        The bulk stage.
    """

    lines: "AnnData"
    responses: Responses
    model: PanelModel

    @classmethod
    def of(cls, lines: "AnnData", table: pd.DataFrame, model: PanelModel) -> "Bulk":
        """Check that a bulk stage belongs to a bulk data set.

        Parameters
        ----------
        lines
            The bulk file.
        table
            ``response.parquet``.
        model
            The bulk stage.

        Raises
        ------
        InputError
            If it has other lines or drugs.
        """
        responses = read_responses(lines, table)
        if model.lines != list(lines.obs_names) or list(model.drugs["drug"]) != responses.drugs:
            raise InputError(
                "--model: its lines or drugs are not those of --bulk and --response; give those that pretrain_panel "
                "read"
            )
        return cls(lines, responses, model)


def run_panel(bulk: Bulk, path: Path, request: PanelRequest, asked: tuple[str, ...], outdir: Path, seed: int) -> None:
    """Predict a sample and write the files of its panel.

    Parameters
    ----------
    bulk
        What it is compared with.
    path
        The sample's h5ad of QC.
    request
        What the sheet says about it.
    asked
        Drugs, see :func:`pharmacell.drug_panel.drug_choice.drugs_asked_for`.
    outdir
        Folder of the files.
    seed
        Seed of every random number.

    Raises
    ------
    InputError
        If a name of the request is unknown, or too few genes are shared.
    """
    cells = CellMatrix(path)
    responses = bulk.responses
    chosen, notes = drugs_asked_for(asked, responses.drugs, responses.left_out)
    shown = np.array([responses.drugs.index(drug) for drug in chosen])
    genes = shared_genes(bulk.lines.var_names, cells.genes)
    if len(genes) < FEWEST_SHARED_GENES:
        raise InputError(
            f"{path}: {len(genes)} genes are shared with the bulk file, at least {FEWEST_SHARED_GENES} are needed"
        )
    counts = CountMatrix(cells, genes)
    several = request.group_key is None and holds_patients(cells, counts)
    components = cells.components() if "obsm/X_pca" in cells.file and not several else None
    groups = patients(cells.obs) if several else groups_of(cells.obs, components, request.group_key, seed)
    normal = normal_groups(cells.obs, groups, request.normal_key)
    known = sample_events(bulk.model.effects, len(responses.drugs), request.mutations, cells.obs, groups)
    more = list(known.notes)
    given = known_tissue(request.tissue, bulk.lines.obs["tissue"].to_numpy(str)) if request.tissue else None
    say(f"panel: {groups.how}; {len(chosen)} drugs, {len(genes)} shared genes")
    expression = np.asarray(bulk.lines[:, genes].X, np.float32)
    scale = BulkScale.fit(expression, genes)
    panel = SamplePanel(bulk.lines, responses, bulk.model, scale, known.shift)
    if counts.standardised:
        panel.profile_scale = RelativeScale(Standardiser.fit(block[:, :-1] for _, block in counts))
        more.append(RELATIVE)
    if request.smiles and counts.standardised:
        raise InputError(
            "--smiles: the sample holds z-scores, and the network needs the level of each gene; give counts"
        )
    pooled = pool(counts, groups.code, components, seed)
    sums = pooled.parts.sum(1)
    platform = None if counts.standardised else take_off_platform(panel, bulk.lines.obs_names, sums)
    profiles = panel.profile_scale.of_counts(sums)
    if request.smiles:
        molecules = molecules_table(bulk.model.network, request.smiles, profiles, scale, list(groups.names))
        with whole_file(outdir / columns.MOLECULES_FILE) as partial:
            molecules.to_csv(partial, index=False, float_format="%.6g")
    if counts.standardised:
        near = no_resemblance(len(groups.names), given)
    else:
        compared = scale.within(profiles) if platform else sums  # in counts, equal values share a rank
        near = resemblance(compared, expression, panel.tissues, given, together=not several)
        near = replace(near, least=LEAST_TAKEN_OFF) if platform else near
    found = predict_groups(panel, pooled, near, known.kind, shown, generator(seed, "panel cells drawn"))
    if counts.standardised:
        found = without_level(found)
    Output(bulk, cells, groups, normal, near, known, shown, platform, outdir).write(
        panel, counts, pooled, found, request, notes + more + platform_notes(platform)
    )


def take_off_platform(panel: SamplePanel, lines: pd.Index, sums: np.ndarray) -> dict[str, Any] | None:
    """Let profiles of the sample be read without what its platform adds, as far as they show it; return what is known.

    Parameters
    ----------
    panel
        Of the sample; its ``profile_scale`` is set.
    lines
        Names of the bulk lines.
    sums
        Counts of the groups, [n_groups, n_genes].
    """
    found = platform_offset(panel.scale, lines, panel.tissues, reference_counts())
    if found is None:
        return None
    share = found.share_shown(panel.scale.of_counts(sums))
    panel.profile_scale = OffsetScale(panel.scale, np.float32(share) * found.offset)
    compared = "the mean of their tissue" if found.whole_tissue else "their own bulk profiles"
    return {"share": round(share, 3), "lines": found.lines, "compared_with": compared}


def platform_notes(platform: dict[str, Any] | None) -> list[str]:
    """Say what became of the difference between platforms.

    Parameters
    ----------
    platform
        From :func:`take_off_platform`; None where it is not known.
    """
    if platform is None:
        return []
    return [
        f"what counts of single cells add to each gene is known from cells of {len(platform['lines'])} lines "
        f"({', '.join(platform['lines'])}; compared with {platform['compared_with']}); this sample shows "
        f"{platform['share']:.2f} of it, which is taken off"
    ]


def event_notes(events: list[str]) -> list[str]:
    """Say which drugs follow events that are not known of the sample.

    Parameters
    ----------
    events
        Of each drug.
    """
    names = sorted({name for text in events for name in text.split(";") if name})
    if not names:
        return []
    return [
        f"{np.count_nonzero(events)} drugs follow driver events that are not known here "
        f"({', '.join(names)}; column driver_event): a middle percentile is no sign of resistance, and their verdict "
        "is uncertain at best"
    ]


@dataclass(frozen=True)
class Output:
    """Writes the files of one sample.

    Attributes
    ----------
    bulk
        What the sample is compared with.
    cells
        The prepared sample.
    groups
        Of the cells.
    normal
        Groups of normal cells, bool [n_groups].
    near
        What the groups resemble.
    known
        Their driver events.
    shown
        Drugs asked for, int [n_shown].
    platform
        See :func:`take_off_platform`.
    outdir
        Folder of the files.
    """

    bulk: Bulk
    cells: CellMatrix
    groups: Groups
    normal: np.ndarray
    near: Resemblance
    known: SampleEvents
    shown: np.ndarray
    platform: dict[str, Any] | None
    outdir: Path

    def write(
        self,
        panel: SamplePanel,
        counts: CountMatrix,
        pooled: Pooled,
        found: GroupPredictions,
        request: PanelRequest,
        notes: list[str],
    ) -> None:
        """Write all files.

        Parameters
        ----------
        panel
            Members on the sample's genes.
        counts, pooled
            Of the cells.
        found
            Predictions of the groups.
        request
            What the sheet says.
        notes
            In plain words.
        """
        names, drugs = self.groups.names, self.bulk.model.drugs.iloc[self.shown].reset_index(drop=True)
        events = np.array([unknown_events(drugs, known) for known in self.known.known], object)
        drugs["follows"] = drugs["driver_event"]
        drugs["driver_event"] = unknown_events(drugs, bool(self.known.known.all()))
        measured = panel.responses.value
        beyond = (found.ln_ic50 < np.nanmin(measured, 0)) | (found.ln_ic50 > np.nanmax(measured, 0))
        verdict = verdicts(drugs["verdict_ceiling"].to_numpy(), found.fdr[:, self.shown], self.near.none, events)
        apart = separation(found.specific, panel.spread, ~self.near.none & ~self.normal)
        best = self.shown[np.argsort(-apart[self.shown], kind="stable")][: columns.MOST_EMBEDDED]
        share, embedded = self.write_cells(panel, counts, pooled, np.sort(best))
        shown_only = _only(found, self.shown)
        table = panel_table(shown_only, self.groups, share, drugs, events, verdict, beyond[:, self.shown])
        with whole_file(self.outdir / "panel.csv") as partial:
            table.to_csv(partial, index=False, float_format="%.6g")
        flags = self.flags()
        lines = list(self.bulk.lines.obs_names)
        with whole_file(self.outdir / "groups.csv") as partial:
            groups_table(found, self.groups, self.near, lines, flags).to_csv(partial, index=False, float_format="%.6g")
        good = np.flatnonzero(drugs["verdict_ceiling"] == columns.SUPPORTED)
        pairs = pairs_of_drugs(
            shown_only.percentile[:, good],
            list(drugs["drug"].iloc[good]),
            names,
            ~self.normal & ~self.near.none,
            self.normal,
        )
        with whole_file(self.outdir / "combinations.csv") as partial:
            pairs.to_csv(partial, index=False, float_format="%.6g")
        sample = Path(self.cells.file.filename).stem
        write_panel_h5ad(
            Path(self.cells.file.filename),
            self.outdir / f"{sample}.h5ad",
            pd.Categorical.from_codes(self.groups.code, names),
            [self.bulk.responses.drugs[drug] for drug in np.sort(best)],
            embedded,
        )
        facts = self.facts(request, notes + event_notes(list(drugs["driver_event"])), flags)
        truth = measured_responses(self.cells.obs, self.groups, request.label_key, list(drugs["drug"]))
        if len(truth):
            facts["truth"] = score(truth, table)
            with whole_file(self.outdir / "truth.csv") as partial:
                truth.to_csv(partial, index=False, float_format="%.6g")
        had = {name: own for name, own in zip(names, self.known.events, strict=True) if own is not None}
        facts["best_drugs"] = best_drugs(table, pd.Series(apart[self.shown], index=drugs["drug"]), drugs, had)
        write_json(self.outdir / "panel.json", facts)

    def write_cells(
        self, panel: SamplePanel, counts: CountMatrix, pooled: Pooled, embedded: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Write ``cells.parquet``; return the share of sensitive cells and the probabilities of some drugs.

        Parameters
        ----------
        panel, counts, pooled
            As in :meth:`write`.
        embedded
            Drugs whose probabilities are kept, int [n].

        Returns
        -------
        share
            [n_groups, n_shown].
        kept
            float32 [n_cells, n].
        """
        code, names = self.groups.code, self.cells.obs.index.astype(str)
        sensitive = np.zeros((len(self.groups.names), len(self.shown)))
        kept = np.empty((len(code), len(embedded)), np.float32)
        with whole_file(self.outdir / "cells.parquet") as partial:
            file = CellTable(partial, [panel.responses.drugs[drug] for drug in self.shown])
            for where, probability in predict_cells(
                panel, counts, pooled, self.near.tissue[code], self.known.kind[code]
            ):
                own = probability[:, self.shown]
                np.add.at(sensitive, code[where], own >= SENSITIVE)
                kept[where] = probability[:, embedded]
                file.write(names[where], own)
            file.close()
        return sensitive / self.groups.sizes[:, None], kept

    def flags(self) -> list[str]:
        """Return what speaks against ranking a group, empty where nothing does."""
        words = []
        for none, normal in zip(self.near.none, self.normal, strict=True):
            parts = (["resembles no bulk line"] if none else []) + (["normal"] if normal else [])
            words.append("; ".join(parts))
        return words

    def facts(self, request: PanelRequest, notes: list[str], flags: list[str]) -> dict[str, Any]:
        """Return what ``panel.json`` says, but for the best drugs.

        Parameters
        ----------
        request
            What the sheet says.
        notes
            In plain words.
        flags
            Of the groups.
        """
        resembled = "that of the bulk lines that the groups resemble most; unknown where none stands out"
        return {
            "groups": self.groups.how,
            "simulated": bool(self.cells.uns.get("simulated", False)),
            "tissue": {name: str(tissue) for name, tissue in zip(self.groups.names, self.near.tissue, strict=True)},
            "tissue_source": "given" if request.tissue else resembled,
            "platform": self.platform,
            "weights": {
                "penalty": self.bulk.model.choice.penalty,
                "tissue_weight": self.bulk.model.choice.tissue_weight,
                "trust": self.bulk.model.choice.trust,
                "members": self.bulk.model.card["members"],
            },
            "calibration": self.bulk.model.card["calibration"],
            "flagged_groups": {name: flag for name, flag in zip(self.groups.names, flags, strict=True) if flag},
            "notes": [*notes, *self.groups.notes],
            "truth": None,
        }


def _only(found: GroupPredictions, shown: np.ndarray) -> GroupPredictions:
    """Return predictions of some drugs."""
    by_drug = {
        name: getattr(found, name)[:, shown]
        for name in GroupPredictions.__dataclass_fields__
        if getattr(found, name).ndim == 2
    }
    return GroupPredictions(**by_drug, general=found.general, general_percentile=found.general_percentile)
