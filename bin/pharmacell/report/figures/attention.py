"""Which attention heads choose among their tokens, and where those look."""

from typing import TYPE_CHECKING

from pharmacell.report.figures.style import GREY, RESPONSE_COLOURS, RESPONSE_NAMES, panels

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

UNIFORM = 0.9  # from this share of the largest entropy on, a head looks at all tokens nearly alike
MAPS_AT_MOST = 3


def draw_attention(entropy: "pd.DataFrame", maps: "pd.DataFrame", title: str, simulated: bool) -> "Figure":
    """Draw how evenly each head looks, and the maps of those that choose most.

    Parameters
    ----------
    entropy
        ``replica, head, class, entropy, std``.
    maps
        ``replica, head, class, query, key, weight``.
    title, simulated
        As in :func:`pharmacell.report.figures.style.panels`.
    """
    chosen = choosing(entropy)[:MAPS_AT_MOST]
    figure, (first, *others) = panels(1 + len(chosen), 2, title, simulated, size=(3.4, 2.6))
    draw_entropies(first, entropy)
    for axis, (replica, head) in zip(others, chosen, strict=True):
        rows = maps[(maps["replica"] == replica) & (maps["head"] == head)]
        square = rows.pivot_table(index="query", columns="key", values="weight").to_numpy()
        image = axis.imshow(square, vmin=0, cmap="cividis")
        figure.colorbar(image, ax=axis, shrink=0.7, label="attention weight")
        axis.set(xticks=[], yticks=[], xlabel="token looked at", ylabel="token that looks")
        axis.set_title(f"replica {replica + 1}, head {head + 1}")
    return figure


def choosing(entropy: "pd.DataFrame") -> list[tuple[int, int]]:
    """Return replica and head of those that differ from uniform, the most different first.

    Parameters
    ----------
    entropy
        ``replica, head, class, entropy, std``.
    """
    lowest = entropy.groupby(["replica", "head"])["entropy"].min().sort_values(kind="stable")
    return [(int(replica), int(head)) for replica, head in lowest.index[lowest < UNIFORM]]


def draw_entropies(axis: "Axes", entropy: "pd.DataFrame") -> None:
    """Draw a dot for each replica, head and class; the bar is the standard deviation over cells.

    Parameters
    ----------
    axis
        Where to draw.
    entropy
        ``replica, head, class, entropy, std``.
    """
    heads, replicas = sorted(entropy["head"].unique()), sorted(entropy["replica"].unique())
    for label in (1, 0):
        rows = entropy[entropy["class"] == RESPONSE_NAMES[label]]
        within = (rows["replica"] - sum(replicas) / len(replicas)) * 0.6 / max(len(replicas), 2)
        x = rows["head"] + within + (0.04 if label else -0.04)
        colour = RESPONSE_COLOURS[label]
        axis.errorbar(x, rows["entropy"], rows["std"], fmt="o", color=colour, ms=3, lw=0.7, label=RESPONSE_NAMES[label])
    axis.axhline(1, color=GREY, linestyle=":", linewidth=1)
    axis.axhline(UNIFORM, color=GREY, linestyle="--", linewidth=0.8)
    axis.set_xticks(heads, [head + 1 for head in heads])
    axis.set(xlabel="attention head (a dot a replica)", ylabel="entropy, share of the largest")
    axis.legend(loc="lower left", ncols=2)
    axis.set_title(f"{len(choosing(entropy))} of {len(heads) * len(replicas)} heads differ from uniform")
