"""The figures of the panel, as a table; each draws what the results allow."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figure_table import FigureEntry, by_name, draw_all
from pharmacell.report.figures.panel import draw_drug_maps, draw_heatmap, draw_ranking, draw_selectivity, largest
from pharmacell.report.figures.style import Drawn, caption_of_points
from pharmacell.report.panel_results import NOT_SUPPORTED, PanelResults

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

HEATMAP_DRUGS = 40
RANKED = 10  # drugs of a group


def draw_panel(results: PanelResults, folder: Path, seed: int) -> dict[str, Drawn]:
    """Draw every figure that the panel allows, as png and svg.

    Parameters
    ----------
    results
        The panel of one sample.
    folder
        Where the files go.
    seed
        Seed of the choice of points in large samples.
    """
    drawn = draw_all(PANEL_FIGURES, folder, results, seed)
    if "panel_maps" in drawn:
        points = caption_of_points(len(results.cells))
        drawn["panel_maps"] = replace(drawn["panel_maps"], note=drawn["panel_maps"].note + points)
    return drawn


def ranked_groups(results: PanelResults) -> dict[str, "pd.DataFrame"]:
    """Return the drugs of each of the largest groups that are not ruled out, in their order.

    Parameters
    ----------
    results
        The panel of one sample.
    """
    rows = {str(name): own for name, own in results.table.groupby("group", sort=False)}
    n_cells = {name: int(own["n_cells"].iloc[0]) for name, own in rows.items()}
    kept = {name: rows[name][rows[name]["verdict"] != NOT_SUPPORTED] for name in largest(list(rows), n_cells)}
    return {name: own for name, own in kept.items() if len(own)}


def told_apart(results: PanelResults, n: int) -> list[str]:
    """Return the drugs whose percentile differs most between groups, after those named as best and those measured.

    Parameters
    ----------
    results
        The panel of one sample.
    n
        At most so many.
    """
    wide, kept = results.wide, results.supported.all()
    spread = (wide.max() - wide.min()) if len(wide) > 1 else -wide.min()
    order = spread[kept[kept].index].sort_values(ascending=False, kind="stable").index
    measured = [] if results.truth is None else [drug for drug in results.truth["drug"] if drug in wide]
    return list(dict.fromkeys([*(each["drug"] for each in results.best), *measured, *order]))[:n]


def _maps(results: PanelResults, seed: int) -> "Figure | None":
    """Draw the map of the cells for the first nine drugs."""
    if results.places is None or not np.isfinite(results.places).all(axis=1).any() or not results.cells.shape[1]:
        return None
    return draw_drug_maps(results.places, results.cells, f"First drugs: {results.name}", seed)


def _heatmap(results: PanelResults, _seed: int) -> "Figure | None":
    """Draw groups x drugs; ruled out ones are grey."""
    drugs = told_apart(results, HEATMAP_DRUGS)
    poor = [drug for drug in results.wide if drug not in drugs and not results.supported[drug].any()]
    drugs += poor[: max(0, HEATMAP_DRUGS - len(drugs))]
    if not drugs:
        return None
    pathways = results.table.drop_duplicates("drug").set_index("drug")["pathway"].fillna("").astype(str).to_dict()
    title = f"Groups and drugs: {results.name}"
    return draw_heatmap(results.wide[drugs], results.supported[drugs], pathways, title)


def _ranking(results: PanelResults, _seed: int) -> "Figure | None":
    """Draw the first drugs of each group with their intervals."""
    rows = {name: own.head(RANKED) for name, own in ranked_groups(results).items()}
    return draw_ranking(rows, results.truth, f"First drugs of each group: {results.name}") if rows else None


def _selectivity(results: PanelResults, _seed: int) -> "Figure | None":
    """Draw each group against the rest."""
    wide = results.wide
    if len(wide) < 2:
        return None
    rows = {}
    for name, own in ranked_groups(results).items():
        drugs = own["drug"].to_numpy()
        pairs = own[["drug"]].assign(
            own=wide.loc[name, drugs].to_numpy(), others=wide.drop(index=name)[drugs].mean().to_numpy()
        )
        order = (pairs["own"] - pairs["others"]).sort_values(kind="stable").index
        rows[name] = pairs.loc[order].head(RANKED)
    return draw_selectivity(rows, f"Each group against the others: {results.name}") if rows else None


PANEL_FIGURES = by_name(
    (
        FigureEntry(
            "panel_maps",
            _maps,
            "panel",
            "map of the cells for the first nine drugs",
            "See which part of the cells each drug would hit (yellow).",
            note="The drugs that separate the groups best, those that were measured, then the first ones of each "
            "ranking.",
        ),
        FigureEntry(
            "panel_heatmap",
            _heatmap,
            "panel",
            "groups and drugs",
            "A row that is yellow in one column and dark in the others is a drug for that group alone.",
            note="The drugs whose percentile differs most between groups; 0 is the most sensitive bulk line. Both "
            "sides are clustered, each drug has its pathway beside it, and grey means that the prediction is not "
            "supported.",
        ),
        FigureEntry(
            "panel_ranking",
            _ranking,
            "panel",
            "first drugs of each group",
            "A drug further to the left is more potent; intervals that overlap cannot be ranked.",
            note="In the order of the drug-specific rank, from which the group's general sensitivity is taken out; "
            "so a potent drug that hits everything need not come first. At most the six largest groups are drawn.",
        ),
        FigureEntry(
            "panel_selectivity",
            _selectivity,
            "panel",
            "each group against the others",
            "The longer the line from the full to the open dot, the more the drug hits this group alone.",
            note="The ten most selective drugs of each group that are not ruled out.",
        ),
    )
)
