"""The verdict on a sample: rules on its diagnostics; docs/methods.md says how their thresholds fare."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pharmacell.response.columns import Diagnostics


@dataclass(frozen=True)
class Rule:
    """One question to the diagnostics.

    Attributes
    ----------
    value
        The number that the rule looks at; the rule is left out when it is None or NaN.
    against, doubt
        Below these the number speaks against the predictions, or makes them doubtful; None: it never does. For numbers
        of which less is better (``falling``), above these.
    words
        Says in plain words what the number means.
    falling
        Whether less is better.
    """

    value: Callable[[Diagnostics], float | None]
    against: float | None
    doubt: float | None
    words: Callable[[Diagnostics], str]
    falling: bool = False

    def side(self, diagnostics: Diagnostics) -> str | None:
        """Return ``against``, ``doubt`` or ``support``; None when the number is missing.

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
        return "support"


def interval(value: float, low: float, high: float) -> str:
    """Say an AUROC with its interval.

    Parameters
    ----------
    value, low, high
        The AUROC, and the ends of its 95 % interval.
    """
    return f"AUROC {value:.2f} (95 % interval {low:.2f} to {high:.2f})"


def predictability(diagnostics: Diagnostics) -> float:
    """Return how well the drug can be predicted at all; NaN without shifted validation.

    Either AUROC alone is noisy: the first rests on few test lines, the second on simulated cells.

    Parameters
    ----------
    diagnostics
        The diagnostics.
    """
    return (diagnostics["source_auroc"] + diagnostics.get("shifted_auroc", np.nan)) / 2


def share_of_genes(diagnostics: Diagnostics) -> float:
    """Return the share of the bulk file's genes that the cells have too.

    Parameters
    ----------
    diagnostics
        The diagnostics.
    """
    return diagnostics["genes_shared"] / diagnostics["genes_bulk"]


RULES: tuple[Rule, ...] = (
    Rule(
        lambda d: d.get("shifted_auroc_low"),
        0.52,
        0.60,
        lambda d: (
            f"bulk lines that were held out and made into simulated cells are told apart with "
            f"{interval(d['shifted_auroc'], d['shifted_auroc_low'], d['shifted_auroc_high'])}"
        ),
    ),
    Rule(
        lambda d: d.get("source_auroc_low"),
        0.45,
        0.58,
        lambda d: (
            "held-out bulk lines are told apart with "
            + interval(d["source_auroc"], d["source_auroc_low"], d["source_auroc_high"])
        ),
    ),
    Rule(
        predictability,
        0.70,
        0.80,
        lambda d: (
            f"how well the drug can be predicted at all: AUROC {predictability(d):.2f}, the mean over "
            "held-out bulk lines and cells simulated from such lines"
        ),
    ),
    # against only when most permutations spread wider: cells of two lines are spread by any direction
    Rule(
        lambda d: d.get("separation_p"),
        0.50,
        0.10,
        lambda d: (
            f"the scores spread {d['separation_ratio']:.1f} times as wide among these cells as under permuted "
            f"bulk responses (p = {d['separation_p']:.2f})"
        ),
        falling=True,
    ),
    Rule(
        lambda d: d.get("separation_ratio"),
        None,
        3.0,
        lambda d: (
            f"where predictions were right, scores mostly spread 3 times as wide as under permuted responses; "
            f"here {d['separation_ratio']:.1f} times"
        ),
    ),
    Rule(
        lambda d: d.get("sign_agreement"),
        0.0,
        0.2,
        lambda d: (
            f"the genes that drive the score point the way of the bulk signature (cosine "
            f"{d['sign_agreement']:.2f}, {d['replicas_reversed']} replicas reversed)"
        ),
    ),
    Rule(
        lambda d: d.get("replicas_reversed"),
        1,
        0,
        lambda d: f"replicas whose direction is reversed: {d['replicas_reversed']}",
        falling=True,
    ),
    Rule(
        lambda d: d.get("replica_agreement"),
        0.2,
        0.5,
        lambda d: (
            f"the replicas rank the cells alike (mean correlation {d['replica_agreement']:.2f}, "
            f"{d['replicas_opposed']} opposed)"
        ),
    ),
    Rule(
        lambda d: d.get("agreement_signature"),
        0.0,
        0.3,
        lambda d: (
            f"rank correlation with the gene-correlation signature is {d['agreement_signature']:.2f}, with "
            f"ridge {d['agreement_ridge']:.2f}, with logistic regression {d['agreement_logistic']:.2f}"
        ),
    ),
    Rule(
        lambda d: d.get("stability_half_genes"),
        0.3,
        0.6,
        lambda d: (
            f"with half of the genes the ranking stays (correlation {d['stability_half_genes']:.2f}), with half "
            f"of the lines too ({d['stability_half_lines']:.2f})"
        ),
    ),
    Rule(
        share_of_genes,
        0.05,
        0.2,
        lambda d: f"{d['genes_shared']} genes are shared, {share_of_genes(d):.0%} of the bulk genes",
    ),
    Rule(
        lambda d: d.get("share_beyond_range"),
        None,
        0.5,
        lambda d: f"{d['share_beyond_range']:.0%} of the cells lie beyond what bulk lines show",
        falling=True,
    ),
    Rule(lambda d: d.get("n_cells"), None, 20, lambda d: f"{d['n_cells']} cells were predicted"),
)
LEADS = {"against": "Against: ", "doubt": "Doubtful: ", "support": "For: "}


def judge(diagnostics: Diagnostics) -> tuple[str, list[str]]:
    """Return verdict and reasons: one number against is ``not supported``, one doubt ``uncertain``.

    Parameters
    ----------
    diagnostics
        The diagnostics.

    Returns
    -------
    verdict
        ``supported``, ``uncertain`` or ``not supported``.
    reasons
        In plain words, the weightiest first.
    """
    reasons: dict[str, list[str]] = {side: [] for side in LEADS}
    for rule in RULES:
        side = rule.side(diagnostics)
        if side:
            reasons[side].append(LEADS[side] + rule.words(diagnostics))
    verdict = "not supported" if reasons["against"] else "uncertain" if reasons["doubt"] else "supported"
    return verdict, [reason for side in LEADS for reason in reasons[side]]
