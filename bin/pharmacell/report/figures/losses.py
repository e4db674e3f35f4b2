"""Training history: every loss term of every stage."""

from typing import TYPE_CHECKING

from pharmacell.report.figures.style import BLUE, SEQUENCE, VERMILION, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def draw_losses(history: "pd.DataFrame", title: str, simulated: bool) -> "Figure":
    """Draw one panel for each term of each stage: replicas thin, their mean thick, one colour for each part.

    Parameters
    ----------
    history
        Long table ``stage, epoch, term, part, replica, value``; ``part`` is a part of the split such as ``train``.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    facets = list(history.groupby(["stage", "term"], sort=False))
    parts = list(history["part"].unique())
    colour = dict(zip(parts, (BLUE, VERMILION, *SEQUENCE), strict=False))
    figure, axes = panels(max(1, len(facets)), 4, title, simulated, size=(1.9, 1.7))
    for axis, ((stage, term), facet) in zip(axes, facets, strict=False):
        for part, lines in facet.groupby("part", sort=False):
            by_epoch = lines.pivot_table(index="epoch", columns="replica", values="value")
            axis.plot(by_epoch.index, by_epoch.to_numpy(), color=colour[part], linewidth=0.5, alpha=0.4)
            axis.plot(by_epoch.index, by_epoch.mean(axis=1), color=colour[part], linewidth=1.6, label=part)
        axis.set(title=f"{stage}\n{term}".replace("_", " "), xlabel="epoch")
        axis.xaxis.get_major_locator().set_params(integer=True)
        if facet["epoch"].nunique() < 2:
            for line in axis.lines:
                line.set_marker("o")
    if parts:
        handles = {
            label: handle for axis in axes for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
        }
        figure.legend(handles.values(), handles.keys(), loc="outside lower center", ncols=len(handles))
    return figure
