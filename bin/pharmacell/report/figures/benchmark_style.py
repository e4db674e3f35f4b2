"""Names, order and colours of the compared models, the same in every figure of a benchmark."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pharmacell.benchmark.paper_tables import METRIC_TITLES
from pharmacell.benchmark.registry import REGISTRY
from pharmacell.report.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION, YELLOW

if TYPE_CHECKING:
    import pandas as pd

METRIC_NAMES = {name: title for name, title in METRIC_TITLES.items() if name != "prevalence"} | {
    "brier": "Brier (lower is better)",
    "expected_calibration_error": "calibration error\n(lower is better)",
}
CHANCE = {"auroc": 0.5, "lift": 0.0, "mcc": 0.0, "balanced_accuracy": 0.5}
# yellow is too pale for lines and stands last
COLOURS = (VERMILION, BLUE, GREEN, ORANGE, PURPLE, SKY, YELLOW)
MARKERS = ("s", "^", "D", "v", "P", "X", "*")


@dataclass(frozen=True)
class Look:
    """How a model is drawn: its name, its colour, its marker, and whether it stands out from the grey ones."""

    title: str
    colour: str
    marker: str
    coloured: bool


def looks(means: "pd.DataFrame", reference: str) -> dict[str, Look]:
    """Give each model its look, in the order in which figures list them.

    Parameters
    ----------
    means
        Mean scores of the settings that stand for the models: ``model, dataset, protocol, metric, mean``.
    reference
        The model that all others are compared with; first, and black.

    Returns
    -------
    dict
        Model to look: the reference, then by mean rank of AUROC over datasets and protocols, models with a gap last.
        The first seven after the reference are coloured, the others grey; no choice rests on the order.
    """
    auroc = means[means["metric"] == "auroc"].pivot(index=["dataset", "protocol"], columns="model", values="mean")
    order = auroc.rank(axis=1, ascending=False).mean(skipna=False).sort_values(na_position="last", kind="stable").index
    others = [name for name in order if name != reference]
    given = dict(zip(others, zip(COLOURS, MARKERS, strict=True), strict=False))
    found = {reference: Look(title_of(reference), BLACK, "o", True)} if reference in auroc else {}
    for name in others:
        colour, marker = given.get(name, (GREY, "."))
        found[name] = Look(title_of(name), colour, marker, name in given)
    return found


def title_of(model: str) -> str:
    """Return a model's name as figures show it.

    Parameters
    ----------
    model
        Name in the registry.
    """
    return REGISTRY[model].title if model in REGISTRY else model
