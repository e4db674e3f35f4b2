"""The panel of all drugs: which drugs would hit which groups of cells."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.embedding import point_style
from pharmacell.report.figures.style import BLACK, BLUE, GREEN, GREY, ORANGE, VERMILION, panels, thin

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

GROUPS_AT_MOST = 6  # in figures with a panel a group: the largest
GREYED = "#d9d9d9"
VERDICTS = {"supported": GREEN, "uncertain": ORANGE, "not supported": GREY}
SHORT = 28  # letters of a label


def short(name: str) -> str:
    """Return a name that fits beside an axis.

    Parameters
    ----------
    name
        Of a drug, with or without its pathway.
    """
    return name if len(name) <= SHORT else name[: SHORT - 1] + "…"


def draw_heatmap(percentile: "pd.DataFrame", kept: "pd.DataFrame", pathways: Mapping[str, str], title: str) -> "Figure":
    """Draw the percentile of each group and drug, both in the order of a clustering.

    Parameters
    ----------
    percentile
        Groups x drugs, 0 most sensitive.
    kept
        Whether a group and drug is shown in colour, of the same shape.
    pathways
        Of each drug.
    title
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    values = percentile.to_numpy(float)
    groups, drugs = clustered(values), clustered(values.T)
    shown = np.where(kept.to_numpy(bool), values, np.nan)[np.ix_(groups, drugs)].T
    width = max(3.5, 2.6 + 0.32 * len(groups))
    figure, (axis,) = panels(1, 1, title, False, size=(width, 1.2 + 0.16 * len(drugs)))
    axis.set_facecolor(GREYED)
    image = axis.imshow(shown, aspect="auto", vmin=0, vmax=1, cmap="cividis_r", interpolation="nearest")
    names = [percentile.columns[drug] for drug in drugs]
    axis.set_yticks(
        range(len(names)),
        ["  ·  ".join(filter(None, (short(name), short(pathways[name])))) for name in names],
        fontsize=6.5,
    )
    axis.set_xticks(
        range(len(groups)), [short(str(percentile.index[group])) for group in groups], rotation=60, ha="right"
    )
    figure.colorbar(image, ax=axis, location="bottom", shrink=0.7, pad=0.02)
    figure.supxlabel("percentile among bulk lines, 0 most sensitive", fontsize=7)
    return figure


def clustered(values: np.ndarray) -> np.ndarray:
    """Return the order of the rows in an average-linkage clustering.

    Parameters
    ----------
    values
        [n_rows, n_columns].
    """
    from scipy.cluster.hierarchy import leaves_list, linkage

    if len(values) < 3:
        return np.arange(len(values))
    return leaves_list(linkage(np.nan_to_num(values), "average", optimal_ordering=len(values) <= 200))


def draw_ranking(rows: Mapping[str, "pd.DataFrame"], truth: "pd.DataFrame | None", title: str) -> "Figure":
    """Draw the first drugs of each group with their 95 % intervals, and what was measured.

    Parameters
    ----------
    rows
        Group to rows of ``panel.csv``, the first drug first.
    truth
        ``group, drug, ln_ic50``; None where nothing was measured.
    title
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    from matplotlib.lines import Line2D

    most = max(map(len, rows.values()))
    figure, axes = panels(len(rows), 2, title, False, size=(3.6, 0.7 + 0.2 * most))
    for axis, (group, own) in zip(axes, rows.items(), strict=True):
        places = np.arange(len(own))[::-1]
        colour = [VERDICTS.get(verdict, GREY) for verdict in own["verdict"]]
        axis.hlines(places, own["low"], own["high"], colors=colour, linewidth=1.4)
        axis.scatter(own["ln_ic50"], places, c=colour, s=16, zorder=3)
        if truth is not None:
            measured = truth[truth["group"] == group].set_index("drug")["ln_ic50"].reindex(own["drug"])
            axis.scatter(measured, places, marker="D", s=14, facecolors="none", edgecolors=BLACK, zorder=4)
        axis.set_yticks(places, [short(name) for name in own["drug"]])
        axis.set_title(f"{group} ({own['n_cells'].iloc[0]:,} cells)")
        axis.set_xlabel("ln(IC50 / µM), 95 % interval")
    marks = [Line2D([], [], color=colour, marker="o", label=name) for name, colour in list(VERDICTS.items())[:2]]
    if truth is not None:
        marks.append(Line2D([], [], color=BLACK, marker="D", linestyle="", markerfacecolor="none", label="measured"))
    figure.legend(handles=marks, loc="outside lower center", ncols=3)
    return figure


def draw_selectivity(rows: Mapping[str, "pd.DataFrame"], title: str) -> "Figure":
    """Draw how far each group differs from the others, for the drugs that hit it most selectively.

    Parameters
    ----------
    rows
        Group to ``drug, own, others`` (percentiles), the most selective first.
    title
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    from matplotlib.lines import Line2D

    most = max(map(len, rows.values()))
    figure, axes = panels(len(rows), 2, title, False, size=(3.6, 0.7 + 0.2 * most))
    for axis, (group, own) in zip(axes, rows.items(), strict=True):
        places = np.arange(len(own))[::-1]
        axis.hlines(places, own["own"], own["others"], colors=GREY, linewidth=1)
        axis.scatter(own["own"], places, color=BLUE, s=18, zorder=3)
        axis.scatter(own["others"], places, facecolors="none", edgecolors=VERMILION, s=18, zorder=3)
        axis.set_yticks(places, [short(name) for name in own["drug"]])
        axis.set_title(group)
        axis.set(xlim=(0, 1), xlabel="percentile among bulk lines (0 most sensitive)")
    marks = [
        Line2D([], [], color=BLUE, marker="o", linestyle="", label="this group"),
        Line2D([], [], color=VERMILION, marker="o", linestyle="", markerfacecolor="none", label="mean of the others"),
    ]
    figure.legend(handles=marks, loc="outside lower center", ncols=2)
    return figure


def draw_drug_maps(places: np.ndarray, cells: "pd.DataFrame", title: str, seed: int) -> "Figure":
    """Draw the map of the cells for each drug, coloured by the probability of being sensitive to it.

    Parameters
    ----------
    places
        UMAP of the cells, [n_cells, 2]; NaN for cells that were not embedded.
    cells
        Probability of each cell (row) for each drug (column).
    title
        As in :func:`pharmacell.report.figures.style.panels`.
    seed
        Seed of the choice of points and of their order.
    """
    chosen = np.flatnonzero(np.isfinite(places).all(axis=1))
    chosen = chosen[thin(chosen.size, seed)]
    figure, axes = panels(cells.shape[1], 3, title, False, size=(2.3, 2.1))
    for axis, drug in zip(axes, cells.columns, strict=True):
        values = cells[drug].to_numpy(float)[chosen]
        points = axis.scatter(*places[chosen].T, c=values, vmin=0, vmax=1, cmap="cividis", **point_style(len(chosen)))
        axis.set(xticks=[], yticks=[], title=short(drug))
    figure.colorbar(points, ax=axes, location="bottom", shrink=0.4, pad=0.02, label="probability of being sensitive")
    return figure


def largest(groups: Sequence[str], n_cells: Mapping[str, int]) -> list[str]:
    """Return the largest groups, in the order given.

    Parameters
    ----------
    groups
        Names.
    n_cells
        Of each group.
    """
    kept = sorted(groups, key=lambda name: -n_cells[name])[:GROUPS_AT_MOST]
    return [name for name in groups if name in kept]
