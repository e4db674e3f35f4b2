"""The row of the first screen: what was found in one sample for one drug, and how far to believe it."""

import base64
import io
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.words import sentence, share_sensitive, with_interval
from pharmacell.response.columns import CLASS_NAMES, OBS_PROBABILITY, main_model
from pharmacell.response.verdict import LEADS

if TYPE_CHECKING:
    from pharmacell.report.results import Results

DECIDING = 2  # reasons that stand in the row; the others are folded away
THUMBNAIL = 1.1  # inches, shown at half its dots so that it is sharp on every screen
THUMBNAIL_DOTS = 180
THUMBNAIL_COLOURS = 64
THUMBNAIL_POINTS = 4000


def answer(results: "Results", seed: int) -> dict:
    """Return the row: verdict with its hit rate, share sensitive, reasons and a small map.

    Parameters
    ----------
    results
        One sample's results.
    seed
        Seed of the choice of points of the map.

    Returns
    -------
    dict
        ``verdict, hit_rate, cells, share, truth, reasons, thumbnail, alt``; ``reasons`` are the weightiest first.
    """
    found = results.diagnostics
    reasons = [str(reason) for reason in found.get("reasons", [])]
    hits = [reason for reason in reasons if reason.startswith("Of ")]
    map_of_cells = None
    if results.umap is not None and OBS_PROBABILITY in results.obs:
        map_of_cells = thumbnail(results.umap, results.obs[OBS_PROBABILITY].to_numpy(float), seed)
    return {
        "verdict": str(found.get("verdict", "uncertain")),
        "hit_rate": sentence(hits[-1]) if hits else "",
        "cells": f"{len(results.predictions):,}",
        "share": f"{share_sensitive(results)} sensitive",
        "truth": truth(results),
        "reasons": [sentence(reason) for reason in reasons if reason not in hits],
        "thumbnail": map_of_cells,
        "alt": f"Map of {results.label} coloured by the probability of being {CLASS_NAMES[1]} to {results.drug}",
    }


def deciding(verdict: str, reasons: list[str]) -> tuple[list[str], list[str]]:
    """Split reasons into those that decide and the others.

    Parameters
    ----------
    verdict
        Of the sample.
    reasons
        The weightiest first.

    Returns
    -------
    first, rest
        For *supported* those that speak for it; else those against it, in doubt or missing.
    """
    leads = (LEADS["support"],) if verdict == "supported" else tuple(LEADS[side] for side in LEADS if side != "support")
    first = [reason for reason in reasons if reason.startswith(leads)]
    first = (first + [reason for reason in reasons if reason not in first])[:DECIDING]
    return first, [reason for reason in reasons if reason not in first]


def truth(results: "Results") -> str:
    """Say how well the known truth was met; empty where none is known.

    Parameters
    ----------
    results
        One sample's results.
    """
    if results.model_metrics is None:
        return ""
    scores = results.model_metrics.query("metric == 'auroc'").set_index("model")
    return f"AUROC {with_interval(*scores.loc[main_model(scores.index), ['value', 'low', 'high']])} on known truth"


def thumbnail(places: np.ndarray, values: np.ndarray, seed: int, vmin: float = 0, vmax: float = 1) -> str | None:
    """Return a small map of the cells as a data URI; None where no cell has a place.

    Parameters
    ----------
    places
        Coordinates, [n_cells, 2]; NaN for cells that were not embedded.
    values
        What colours them, [n_cells].
    seed
        Seed of the choice of points.
    vmin, vmax
        Ends of the colour scale.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    from pharmacell.core.seeds import generator

    chosen = np.flatnonzero(np.isfinite(places).all(axis=1))
    if not chosen.size:
        return None
    chosen = generator(seed, "points of the thumbnail").permutation(chosen)[:THUMBNAIL_POINTS]
    figure = Figure(figsize=(THUMBNAIL, THUMBNAIL))
    axis = figure.add_axes((0.02, 0.02, 0.96, 0.96))
    size = float(np.clip(4000 / chosen.size, 1, 8))
    axis.scatter(*places[chosen].T, c=values[chosen], vmin=vmin, vmax=vmax, cmap="cividis", s=size, linewidths=0)
    axis.set_axis_off()
    file, small = io.BytesIO(), io.BytesIO()
    FigureCanvasAgg(figure).print_figure(file, dpi=THUMBNAIL_DOTS)
    with Image.open(file) as image:
        image.convert("RGB").quantize(THUMBNAIL_COLOURS).save(small, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(small.getvalue()).decode()}"
