"""The verdict on a sample: rules on its facts; docs/methods.md says how their thresholds fare."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Rule:
    """One question to the facts.

    Parameters
    ----------
    fact
        Name of the number that is judged; the rule is left out when it is missing or NaN.
    against, doubt
        Below these the fact speaks against the predictions, or makes them doubtful; None: it never does. For facts of
        which less is better (``falling``), above these.
    words
        Says in plain words what the number means; receives the facts.
    falling
        Whether less is better.
    """

    fact: str
    against: float | None
    doubt: float | None
    words: Callable[[dict], str]
    falling: bool = False

    def weigh(self, facts: dict) -> str | None:
        """Return ``against``, ``doubt`` or ``support``; None when the fact is missing."""
        value = facts.get(self.fact)
        if value is None or np.isnan(value):
            return None
        sign = -1 if self.falling else 1
        if self.against is not None and sign * value < sign * self.against:
            return "against"
        if self.doubt is not None and sign * value < sign * self.doubt:
            return "doubt"
        return "support"


def _interval(facts: dict, name: str) -> str:
    return f"AUROC {facts[name]:.2f} (95 % interval {facts[f'{name}_low']:.2f} to {facts[f'{name}_high']:.2f})"


RULES = (
    Rule(
        "shifted_auroc_low",
        0.52,
        0.60,
        lambda f: (
            f"bulk lines that were held out and made into simulated cells are told apart with "
            f"{_interval(f, 'shifted_auroc')}"
        ),
    ),
    Rule(
        "source_auroc_low",
        0.45,
        0.58,
        lambda f: f"held-out bulk lines are told apart with {_interval(f, 'source_auroc')}",
    ),
    Rule(
        "predictability",
        0.70,
        0.80,
        lambda f: (
            f"how well the drug can be predicted at all: AUROC {f['predictability']:.2f}, the mean over "
            "held-out bulk lines and cells simulated from such lines"
        ),
    ),
    # against only when most permutations spread wider: cells of two lines are spread by any direction
    Rule(
        "separation_p",
        0.50,
        0.10,
        lambda f: (
            f"the scores spread {f['separation_ratio']:.1f} times as wide among these cells as under permuted "
            f"bulk responses (p = {f['separation_p']:.2f})"
        ),
        falling=True,
    ),
    Rule(
        "separation_ratio",
        None,
        3.0,
        lambda f: (
            f"where predictions were right, scores mostly spread 3 times as wide as under permuted responses; "
            f"here {f['separation_ratio']:.1f} times"
        ),
    ),
    Rule(
        "sign_agreement",
        0.0,
        0.2,
        lambda f: (
            f"the genes that drive the score point the way of the bulk signature (cosine "
            f"{f['sign_agreement']:.2f}, {f['replicas_reversed']} replicas reversed)"
        ),
    ),
    Rule(
        "replicas_reversed",
        1,
        0,
        lambda f: f"replicas whose direction is reversed: {f['replicas_reversed']}",
        falling=True,
    ),
    Rule(
        "replica_agreement",
        0.2,
        0.5,
        lambda f: (
            f"the replicas rank the cells alike (mean correlation {f['replica_agreement']:.2f}, "
            f"{f['replicas_opposed']} opposed)"
        ),
    ),
    Rule(
        "agreement_signature",
        0.0,
        0.3,
        lambda f: (
            f"rank correlation with the gene-correlation signature is {f['agreement_signature']:.2f}, with "
            f"ridge {f['agreement_ridge']:.2f}, with logistic regression {f['agreement_logistic']:.2f}"
        ),
    ),
    Rule(
        "stability_half_genes",
        0.3,
        0.6,
        lambda f: (
            f"with half of the genes the ranking stays (correlation {f['stability_half_genes']:.2f}), with half "
            f"of the lines too ({f['stability_half_lines']:.2f})"
        ),
    ),
    Rule(
        "genes_shared_share",
        0.05,
        0.2,
        lambda f: f"{f['genes_shared']} genes are shared, {f['genes_shared_share']:.0%} of the bulk genes",
    ),
    Rule(
        "share_beyond_range",
        None,
        0.5,
        lambda f: f"{f['share_beyond_range']:.0%} of the cells lie beyond what bulk lines show",
        falling=True,
    ),
    Rule("n_cells", None, 20, lambda f: f"{f['n_cells']} cells were predicted"),
)
LEADS = {"against": "Against: ", "doubt": "Doubtful: ", "support": "For: "}


def judge(facts: dict) -> dict:
    """Return ``verdict`` and ``reasons`` for the facts: one strike is ``not supported``, one doubt ``uncertain``."""
    facts = facts | {
        "genes_shared_share": facts["genes_shared"] / facts["genes_bulk"],
        # either alone is noisy: the first rests on few test lines, the second on simulated cells
        "predictability": (facts["source_auroc"] + facts.get("shifted_auroc", np.nan)) / 2,
    }
    weighed: dict[str, list[str]] = {"against": [], "doubt": [], "support": []}
    for rule in RULES:
        side = rule.weigh(facts)
        if side:
            weighed[side].append(LEADS[side] + rule.words(facts))
    verdict = "not supported" if weighed["against"] else "uncertain" if weighed["doubt"] else "supported"
    return {"verdict": verdict, "reasons": weighed["against"] + weighed["doubt"] + weighed["support"]}
