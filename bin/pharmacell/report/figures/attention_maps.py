"""Which token each attention head looks at, in sensitive and in resistant cells."""

from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.style import panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

CLASSES = ("sensitive", "resistant")


def draw_attention_maps(maps: "pd.DataFrame", title: str, simulated: bool) -> "Figure":
    """Draw a row for each head of the first replica: the mean map of each class, then their difference.

    Parameters
    ----------
    maps
        ``replica, head, class, query, key, weight``.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    first = maps[maps["replica"] == maps["replica"].min()]
    squares = {
        key: rows.pivot(index="query", columns="key", values="weight").to_numpy()
        for key, rows in first.groupby(["head", "class"])
    }
    heads = sorted({head for head, _ in squares})
    shown = [name for name in CLASSES if any(name == of for _, of in squares)]
    columns = len(shown) + (len(shown) == 2)
    figure, axes = panels(len(heads) * columns, columns, title, simulated, size=(1.75, 1.45))
    low, high = np.min(list(squares.values())), np.max(list(squares.values()))
    differences = [squares[head, shown[0]] - squares[head, shown[-1]] for head in heads]
    limit = max(float(np.abs(differences).max()), 1e-9)
    for row, head in enumerate(heads):
        own = axes[row * columns : (row + 1) * columns]
        for axis, name in zip(own, shown, strict=False):
            weights = axis.imshow(squares[head, name], vmin=low, vmax=high, cmap="cividis")
            axis.set_title(f"head {head + 1}, {name}", fontsize=7)
        if len(shown) == 2:
            change = own[-1].imshow(differences[row], vmin=-limit, vmax=limit, cmap="PuOr_r")
            own[-1].set_title(f"head {head + 1}, difference", fontsize=7)
    for axis in axes:
        axis.set(xticks=[], yticks=[])
    axes[(len(heads) - 1) * columns].set(xlabel="token looked at", ylabel="token that looks")
    figure.colorbar(weights, ax=axes, location="bottom", shrink=0.4, aspect=30, pad=0.01, label="attention weight")
    if len(shown) == 2:
        figure.colorbar(
            change, ax=axes, location="bottom", shrink=0.4, aspect=30, pad=0.01, label="sensitive minus resistant"
        )
    return figure
