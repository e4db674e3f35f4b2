"""Results in plain words."""

import html
import math

from pharmacell.report.results import Results
from pharmacell.response.columns import HIGHER, LOWER, NOT_SIGNIFICANT, Diagnostics
from pharmacell.response.treatment import notes as treatment_notes

MEANING = {
    "supported": "Responses to this drug can be predicted among bulk lines, and no check speaks against this sample; "
    "single samples can be wrong all the same.",
    "uncertain": "The evidence is doubtful, or some is missing; do not rest a conclusion on these predictions alone.",
    "not supported": "The checks speak against these predictions; do not use them.",
}
NETWORK_ALONE = (
    "Nothing is drawn here: the network stands alone (as with --config published), and calibration, weights and "
    "shuffled responses come with the ensemble."
)
TOLD_ELSEWHERE = {"verdict", "reasons", "drug"}


def with_interval(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return ``0.84 (0.77 to 0.90)``, the value alone without an interval, or ``not defined``.

    Lines may break before the brackets, not inside them.

    Parameters
    ----------
    value
        The score; None or not finite: not defined.
    low
        Lower end of its interval.
    high
        Upper end of its interval.
    """
    if value is None or not math.isfinite(value):
        return "not defined"
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return f"{value:.2f}"
    return f"{value:.2f} ({low:.2f}\u00a0to\u00a0{high:.2f})"


def share_sensitive(results: Results) -> str:
    """Return the share of cells that are predicted to be sensitive.

    Parameters
    ----------
    results
        One sample's results.
    """
    return f"{100 * results.predictions['label'].mean():.0f} %"


def prediction(results: Results) -> str:
    """Say how many cells are predicted sensitive and how far the replicas differ.

    Parameters
    ----------
    results
        One sample's results.
    """
    table = results.predictions
    sensitive = int(table["label"].sum())
    text = (
        f"{sensitive:,} of {len(table):,} cells ({share_sensitive(results)}) are predicted to be sensitive to "
        f"{results.drug}. The median probability is {table['probability'].median():.2f}; the replicas differ by "
        f"{table['probability_std'].median():.2f} (median standard deviation)."
    )
    if "truth" in table:
        text += f" In truth, {100 * table['truth'].mean():.0f} % are sensitive."
    return text


def treatment(results: Results) -> str:
    """Say how many cells of each part are predicted sensitive, how well, and what that means; html.

    Parameters
    ----------
    results
        One sample's results; its table of the treatment must be there.
    """
    if results.treatment is None:
        return ""
    told = []
    for part, rows in results.treatment.groupby("treatment", sort=False):
        own = rows[rows["model"] == rows["model"].iloc[0]].set_index("metric")
        text = (
            f"{part}: {own.loc['n_cells', 'value']:,.0f} cells, "
            f"{100 * own.loc['share_sensitive', 'value']:.0f} % predicted sensitive"
        )
        if "auroc" in own.index:
            text += f", AUROC {with_interval(*own.loc['auroc', ['value', 'low', 'high']])}"
        elif "n_known" in own.index and own.loc["n_known", "value"]:
            text += ", all known responses of one class and so no score"
        told.append(text)
    notes = [sentence(note) for note in treatment_notes(results.diagnostics)]
    return html.escape(" ".join([sentence("; ".join(told)), *notes]))


def significance(results: Results) -> str:
    """Say how many cells stand out; empty when that was not computed.

    Parameters
    ----------
    results
        One sample's results.
    """
    if results.significance is None:
        return ""
    calls = results.significance["call"].value_counts()
    one_sided = calls.get(HIGHER, 0) + calls.get(LOWER, 0)
    text = (
        f"{calls.get('sensitive', 0):,} of {len(results.significance):,} cells are called sensitive and "
        f"{calls.get('resistant', 0):,} resistant at a false discovery rate of 5 %; "
        f"{calls.get(NOT_SIGNIFICANT, 0):,} are not significant."
    )
    if one_sided:
        text += (
            f" {one_sided:,} more stand out, but their probability is that of the other class: they are only higher or "
            "lower than the sample."
        )
    return f"{text} {test_words(results.diagnostics)}".strip()


def test_words(found: Diagnostics) -> str:
    """Say what was tested, and what the test with the network found; empty where nothing is recorded of it.

    Parameters
    ----------
    found
        The sample's diagnostics.
    """
    if found.get("largest_deviation_p") is None:
        return ""
    text = (
        f"A cell's p-value compares it with itself under {len(found['separation_null']):,} permutations, by the linear "
        f"members alone (their score and the one shown correlate by {found['linear_score_correlation']:.2f}). "
    )
    if (p := found.get("network_separation_p")) is None:
        return text + "The network hardly counts here and was not tested."
    return f"{text}With the network, which is too slow for as many, 39 give p = {p:.2f} for the sample as a whole."


def response_reliability(results: Results) -> str:
    """Say how far releases of the bulk data agree on the drug.

    Parameters
    ----------
    results
        One sample's results.
    """
    found = results.diagnostics
    if (correlation := found.get("response_reliability")) is None:
        return (
            f"How reliable the bulk responses to {results.drug} are is not known: it takes 20 lines that more than one "
            "release measured."
        )
    return (
        f"Where more than one release measured a line, their responses to {results.drug} correlate by "
        f"{correlation:.2f} ({found['response_reliability_lines']:,} lines)."
    )


def quality(results: Results) -> str:
    """Say how many cells were read and kept, and what was noted about the file.

    Parameters
    ----------
    results
        One sample's results.
    """
    kept = int(results.qc_metrics["kept"].astype(bool).sum())
    notes = [sentence(str(note)) for note in results.qc_summary.get("notes", [])]
    return " ".join([f"{kept:,} of {len(results.qc_metrics):,} cells were kept.", *notes])


def sentence(text: str) -> str:
    """Return a clause with a capital letter and a full stop.

    Parameters
    ----------
    text
        The clause.
    """
    return text[:1].upper() + text[1:].rstrip(".") + "."


def settings(results: Results) -> dict[str, str]:
    """Return every recorded number and setting by name; those of a group begin with the group's name.

    Parameters
    ----------
    results
        One sample's results.
    """
    merged = {"sample": results.sample, "drug": results.drug}
    for content in (results.diagnostics, results.qc_summary, results.sample_summary, *card_groups(results)):
        for name, value in content.items():
            group = {f"{name}: {key}": item for key, item in value.items()} if isinstance(value, dict) else {}
            for key, item in (group or {name: value}).items():
                if key not in TOLD_ELSEWHERE and is_scalar(item):
                    merged.setdefault(key, plain(item))
    return {name.replace("_", " "): value for name, value in merged.items()}


def card_groups(results: Results) -> list[dict]:
    """Return the groups of the model card, and what stands in none.

    Parameters
    ----------
    results
        One sample's results.
    """
    if results.card is None:
        return []
    content = results.card.to_json()
    groups = [content.pop(name) for name, value in list(content.items()) if isinstance(value, dict)]
    return [content, *groups]


def is_scalar(value: object) -> bool:
    """Tell whether a value is one number, word or truth value.

    Parameters
    ----------
    value
        Anything that was recorded.
    """
    return (
        value is None
        or isinstance(value, (str, bool, int, float))
        or (hasattr(value, "item") and getattr(value, "ndim", 0) == 0)
    )


def plain(value: object) -> str:
    """Return a value as text: four significant digits, thousands apart, yes or no.

    Parameters
    ----------
    value
        A number, a word, a truth value or None.
    """
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
