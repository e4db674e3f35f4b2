"""The verdict on a sample: rules on its diagnostics; docs/methods.md says how they fare."""

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pharmacell.response.columns import Diagnostics

HITS = Path(__file__).parent / "verdict_hits.csv"
FEW_AXES = 3.0  # cells that differ along fewer axes are of two or three lines, which any direction tells apart
LEVEL = 0.05


@dataclass(frozen=True)
class Rule:
    """One question to the diagnostics.

    Attributes
    ----------
    value
        The number that the rule looks at; None or NaN where it is missing.
    against, doubt
        Below these the number speaks against the predictions, or makes them doubtful; None: it never does. For numbers
        of which less is better (``falling``), above these.
    words
        Says in plain words what the number means.
    falling
        Whether less is better.
    evidence
        Whether a good number speaks for the predictions. It does only if it would seldom be good with shuffled
        responses; what only has to be in order (genes, cells, replicas) says nothing when it is.
    """

    value: Callable[[Diagnostics], float | None]
    against: float | None
    doubt: float | None
    words: Callable[[Diagnostics], str]
    falling: bool = False
    evidence: bool = False

    def side(self, diagnostics: Diagnostics) -> str | None:
        """Return ``against``, ``doubt`` or ``support``; None when the number is missing, or says nothing.

        Parameters
        ----------
        diagnostics
            The diagnostics.
        """
        value = self.value(diagnostics)
        if value is None or np.isnan(value):
            return None
        sign = -1 if self.falling else 1
        if self.against is not None and sign * value < sign * self.against:
            return "against"
        if self.doubt is not None and sign * value < sign * self.doubt:
            return "doubt"
        return "support" if self.evidence else None


def interval(value: float, low: float, high: float) -> str:
    """Say an AUROC with its interval.

    Parameters
    ----------
    value, low, high
        The AUROC, and the ends of its 95 % interval.
    """
    return f"AUROC {value:.2f} (95 % interval {low:.2f} to {high:.2f})"


def share_of_genes(diagnostics: Diagnostics) -> float:
    """Return the share of the bulk file's genes that the cells have too.

    Parameters
    ----------
    diagnostics
        The diagnostics.
    """
    return diagnostics["genes_shared"] / diagnostics["genes_bulk"]


def few_lines(diagnostics: Diagnostics) -> bool:
    """Tell whether the cells differ along so few axes that they are of two or three lines.

    Parameters
    ----------
    diagnostics
        The diagnostics.
    """
    return diagnostics.get("cell_axes", np.inf) < FEW_AXES


PREDICTABILITY = Rule(
    lambda d: d.get("predictability_within_low"),
    0.54,
    0.58,
    lambda d: (
        "lines of one tissue are told apart, whatever the sample, with "
        + interval(d["predictability_within"], d["predictability_within_low"], d["predictability_within_high"])
        + f"; lines of any tissue with {d['predictability_pooled']:.2f}"
    ),
    evidence=True,
)
HALVES = Rule(
    lambda d: None if few_lines(d) else d.get("halves_p"),
    None,  # it depends on the seed
    LEVEL,
    lambda d: (
        f"two halves of the lines that share none rank the cells with a correlation of {d['halves_agreement']:.2f} "
        f"(p = {d['halves_p']:.3f})"
    ),
    falling=True,
    evidence=True,
)
RULES = (
    PREDICTABILITY,
    HALVES,
    Rule(
        lambda d: d.get("response_reliability"),
        None,  # poor responses may be predicted rightly all the same
        0.4,
        lambda d: (
            f"releases of the bulk data correlate by only {d['response_reliability']:.2f} on the "
            f"{d['response_reliability_lines']} lines that more than one measured, so the classes of many lines are "
            "uncertain"
        ),
    ),
    Rule(
        share_of_genes,
        0.05,
        0.2,
        lambda d: f"only {d['genes_shared']} genes are shared, {share_of_genes(d):.0%} of the bulk genes",
    ),
    Rule(
        lambda d: d.get("share_beyond_range"),
        None,
        0.5,
        lambda d: f"{d['share_beyond_range']:.0%} of the cells lie beyond what bulk lines show",
        falling=True,
    ),
    Rule(lambda d: d.get("n_cells"), None, 50, lambda d: f"only {d['n_cells']} cells were predicted"),
)
LEADS = {"against": "Against: ", "doubt": "Doubtful: ", "missing": "Missing: ", "support": "For: "}


def quorum(diagnostics: Diagnostics) -> dict[str, Rule]:
    """Return the evidence without which nothing is supported, by what is said when it is missing.

    Parameters
    ----------
    diagnostics
        The diagnostics.
    """
    wanted = {"how well lines of one tissue can be told apart was not measured": PREDICTABILITY}
    if few_lines(diagnostics):
        return wanted
    return wanted | {"halves of the lines were not compared (--validation shifted compares them)": HALVES}


def judge(diagnostics: Diagnostics) -> tuple[str, list[str]]:
    """Return verdict and reasons.

    One number against is ``not supported``; one doubt, or missing evidence, ``uncertain``. Only a sample for which
    all of the evidence was measured and speaks for it is ``supported``.

    Parameters
    ----------
    diagnostics
        The diagnostics.

    Returns
    -------
    verdict
        ``supported``, ``uncertain`` or ``not supported``.
    reasons
        In plain words, the weightiest first; the last says how often such a verdict was right.
    """
    reasons: dict[str, list[str]] = {side: [] for side in LEADS}
    for rule in RULES:
        if side := rule.side(diagnostics):
            reasons[side].append(LEADS[side] + rule.words(diagnostics))
    for what, rule in quorum(diagnostics).items():
        if rule.side(diagnostics) is None:
            reasons["missing"].append(LEADS["missing"] + what)
    unsure = reasons["doubt"] or reasons["missing"]
    verdict = "not supported" if reasons["against"] else "uncertain" if unsure else "supported"
    notes = [hit_rate(verdict)]
    if few_lines(diagnostics):
        notes.insert(
            0,
            f"These cells differ along hardly more than {diagnostics['cell_axes']:.1f} axes, as cells of two or three "
            "lines do: any direction spreads them, so the spread of the scores says nothing here",
        )
    return verdict, [reason for side in LEADS for reason in reasons[side]] + notes


def hit_rate(verdict: str) -> str:
    """Say how often predictions of this verdict were good where the truth is known.

    Parameters
    ----------
    verdict
        ``supported``, ``uncertain`` or ``not supported``.
    """
    with HITS.open(newline="") as file:
        rows = {row["verdict"]: row for row in csv.DictReader(file)}
    own = rows.pop(verdict)
    others = " and ".join(f"{row['n_hits']} of the {row['n_sets']} '{name}'" for name, row in rows.items())
    return (
        f"Of {own['n_sets']} sets with known truth and the verdict '{verdict}', {own['n_hits']} had an AUROC of at "
        f"least {own['auroc']}, beside {others} ({own['yardstick']}): such evidence hardly tells samples apart"
    )
