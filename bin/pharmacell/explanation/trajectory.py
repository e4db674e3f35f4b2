"""From the cells' principal components to a pseudotime that starts at the most sensitive cells."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.core.seeds import generator
from pharmacell.data.annotations import cells_of_root
from pharmacell.data.cells import CellMatrix
from pharmacell.data.columns import OBS_GROUP
from pharmacell.evaluate.correlation import CORRELATIONS, correlations
from pharmacell.explanation import diffusion
from pharmacell.explanation.ordered_genes import BINS, CURVES, along, expression
from pharmacell.response.columns import OBS_PROBABILITY

MOST_CELLS = 10_000  # in the diffusion map
FEWEST_CELLS = 20  # of one connected part
FEWEST_OF_GROUP = 5  # cells, for its mean to choose the root


class NoTrajectory(Exception):
    """These cells have no pseudotime; the message is a clause that says why."""


@dataclass(frozen=True)
class Trajectory:
    """Cells in order.

    Attributes
    ----------
    cells
        A row for each cell of the sample: ``cell_id``; ``pseudotime``, 0 at the root and at most 1, NaN where there is
        none; ``component``, the connected part of the graph from 0 (largest), missing for cells that were not drawn;
        ``used``, whether it has a finite pseudotime; ``umap_1, umap_2`` in diffusion space.
    summary
        What was done: ``computed, root, root_by, root_cell, grouped_by, n_cells, n_drawn, n_components, n_used,
        n_infinite`` and
        ``notes``, sentences for the user.
    """

    cells: pd.DataFrame
    summary: dict


def empty(obs: pd.DataFrame, reason: str) -> Trajectory:
    """Return the result for cells that have no pseudotime.

    Parameters
    ----------
    obs
        The cells' annotation.
    reason
        Why, as a clause.
    """
    nothing = pd.DataFrame(
        {
            "cell_id": obs.index.astype(str),
            "pseudotime": np.nan,
            "component": pd.array([pd.NA] * len(obs), "Int64"),
            "used": False,
            "umap_1": np.nan,
            "umap_2": np.nan,
        }
    )
    return Trajectory(
        nothing,
        {"computed": False, "n_cells": len(obs), "n_used": 0, "notes": [f"no pseudotime was computed: {reason}"]},
    )


def trace(components: np.ndarray, obs: pd.DataFrame, root: str | None, seed: int, source: str) -> Trajectory:
    """Order the cells from a root: nearest neighbours, diffusion map, diffusion pseudotime.

    Parameters
    ----------
    components
        Principal components, [n_cells, n_components].
    obs
        The cells' annotation with ``pharmacell_probability``, and ``group`` where it is known.
    root
        Name of a group, or a cell's name; None for the group with the highest mean probability, or Leiden cluster
        where there are no groups.
    seed
        The user's seed.
    source
        The file, for a message.

    Raises
    ------
    InputError
        If ``root`` is neither a group nor a cell.
    """
    wanted = None if root is None else cells_of_root(obs, root, source)
    try:
        return _trace(components, obs, root, wanted, seed)
    except NoTrajectory as reason:
        return empty(obs, str(reason))


def _trace(
    components: np.ndarray, obs: pd.DataFrame, root: str | None, wanted: np.ndarray | None, seed: int
) -> Trajectory:
    """Do what ``trace`` says; ``wanted`` marks the cells of the root that the user named, [n_cells]."""
    if len(obs) < FEWEST_CELLS:
        raise NoTrajectory(f"{len(obs)} cells are fewer than {FEWEST_CELLS}")
    if np.ptp(components, axis=0).max() == 0:
        raise NoTrajectory("all cells have the same expression")
    notes = []
    drawn = draw_cells(len(obs), wanted, seed)
    if len(drawn) < len(obs):
        notes.append(f"a random {len(drawn):,} of {len(obs):,} cells are ordered")
    graph = diffusion.neighbour_graph(components[drawn])
    part = diffusion.parts(graph)
    if root is None or wanted is None:
        names = obs[OBS_GROUP].astype(str).to_numpy()[drawn] if OBS_GROUP in obs else diffusion.clusters(graph, seed)
        if OBS_GROUP not in obs:
            notes.append(f"no groups are known: {len(set(names))} clusters of similar cells stand in for them")
        root_name, start = most_sensitive(names, obs[OBS_PROBABILITY].to_numpy(float)[drawn], part, notes)
    else:
        root_name, start = root, wanted[drawn]
    inside = part == np.bincount(part[start]).argmax()
    if part.any():
        notes.append(
            f"the graph of nearest neighbours falls into {part.max() + 1} parts with no path between them: "
            f"the {inside.sum():,} cells of the root's part are ordered, {(~inside).sum():,} are left out"
        )
    if inside.sum() < FEWEST_CELLS:
        raise NoTrajectory(
            f"only {inside.sum()} cells hang together with the root {root_name}, fewer than {FEWEST_CELLS}"
        )
    time, root_cell, umap = _along(graph[inside][:, inside], start[inside], seed)
    finite, used = np.isfinite(time), drawn[inside]
    if not finite.all():
        notes.append(f"{(~finite).sum():,} cells got no finite pseudotime and are left out")
    cells = empty(obs, "").cells
    cells.loc[drawn, "component"] = part
    cells.loc[used, "pseudotime"] = np.where(finite, time, np.nan)
    cells.loc[used, "used"] = finite
    cells.loc[used, ["umap_1", "umap_2"]] = umap
    return Trajectory(
        cells,
        {
            "computed": True,
            "root": root_name,
            "root_by": "--root" if root else "highest mean probability",
            "root_cell": str(obs.index[used[root_cell]]),
            "grouped_by": "group" if OBS_GROUP in obs else "cluster",
            "n_cells": len(obs),
            "n_drawn": len(drawn),
            "n_components": int(part.max()) + 1,
            "n_used": int(finite.sum()),
            "n_infinite": int((~finite).sum()),
            "notes": notes,
        },
    )


def _along(connected: sparse.csr_matrix, start: np.ndarray, seed: int) -> tuple[np.ndarray, int, np.ndarray]:
    """Return pseudotime [n_cells], the root cell's position and the UMAP [n_cells, 2] of one part of the graph."""
    from scipy.sparse.linalg import ArpackNoConvergence

    try:
        found = diffusion.diffusion_map(connected, seed)
    except ArpackNoConvergence as error:
        raise NoTrajectory("the diffusion map did not converge") from error
    coordinates = found.coordinates()
    root_cell = tip(coordinates, np.flatnonzero(start))
    return diffusion.pseudotime(coordinates, root_cell), root_cell, diffusion.diffusion_umap(found, seed)


def draw_cells(n_cells: int, wanted: np.ndarray | None, seed: int) -> np.ndarray:
    """Return the positions of at most 10,000 cells, sorted; up to 100 of the wanted root are always among them.

    Parameters
    ----------
    n_cells
        Of the sample.
    wanted
        Marks the cells of the root that the user named, [n_cells]; None when none was.
    seed
        The user's seed.
    """
    if n_cells <= MOST_CELLS:
        return np.arange(n_cells)
    rng = generator(seed, "cells of the diffusion map")
    order = rng.permutation(n_cells)
    if wanted is not None:
        first = order[wanted[order]][:100]
        order = np.concatenate([first, order[~np.isin(order, first)]])
    return np.sort(order[:MOST_CELLS])


def compare(found: Trajectory, cells: CellMatrix, genes: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """Set the pseudotime against the predictions and follow key genes along it, over the cells that are used.

    Parameters
    ----------
    found
        The order.
    cells
        The sample.
    genes
        ``gene`` and ``class`` of those to follow; may be empty.
    seed
        The user's seed.

    Returns
    -------
    dict
        ``correlations`` of :func:`pharmacell.evaluate.correlation.correlations`; ``curves`` and ``bins`` of
        :func:`pharmacell.explanation.ordered_genes.along`, the probability first. Without a pseudotime no rows.
    """
    used = np.flatnonzero(found.cells["used"])
    if not len(used):
        return {
            "correlations": pd.DataFrame(columns=list(CORRELATIONS)),
            "curves": pd.DataFrame(columns=list(CURVES)),
            "bins": pd.DataFrame(columns=list(BINS)),
        }
    time = found.cells["pseudotime"].to_numpy()[used]
    probability = cells.obs[OBS_PROBABILITY].to_numpy(float)[used]
    groups = cells.obs[OBS_GROUP].astype(str).to_numpy()[used] if OBS_GROUP in cells.obs else None
    values = pd.DataFrame(expression(cells, list(genes["gene"]), used), columns=list(genes["gene"]))
    values.insert(0, "probability", probability)
    curves, bins = along(time, values, ["prediction", *genes["class"]])
    return {"correlations": correlations(time, probability, groups, seed), "curves": curves, "bins": bins}


def require_predictions(obs: pd.DataFrame, source: str) -> None:
    """Check that the cells have predictions.

    Parameters
    ----------
    obs
        The cells' annotation.
    source
        The file, for the message.

    Raises
    ------
    InputError
        If they have none.
    """
    if OBS_PROBABILITY not in obs:
        raise InputError(f"{source}: obs has no {OBS_PROBABILITY}; give the h5ad that predict wrote")


def most_sensitive(
    names: np.ndarray, probability: np.ndarray, part: np.ndarray, notes: list[str]
) -> tuple[str, np.ndarray]:
    """Return the group with the highest mean probability, and which cells are in it, [n_cells].

    A group whose part of the graph has less than half the cells of the largest part would leave most cells without an
    order; then it is chosen within the largest part, and a note says so. Groups of fewer than five cells are passed
    over while there is a larger one.

    Parameters
    ----------
    names
        Each cell's group, [n_cells].
    probability
        Of being sensitive, [n_cells].
    part
        From :func:`pharmacell.explanation.diffusion.parts`, [n_cells].
    notes
        Sentences for the user; one may be added.
    """
    name = _highest_mean(names, probability)
    start = names == name
    sizes = np.bincount(part)
    if sizes[np.bincount(part[start]).argmax()] < sizes.max() / 2:
        largest = part == 0
        aside, name = name, _highest_mean(names[largest], probability[largest])
        start = (names == name) & largest
        notes.append(
            f"the most sensitive group, {aside}, lies apart from most cells: {name} is the root, the most "
            "sensitive of those that hang together"
        )
    return name, start


def _highest_mean(names: np.ndarray, probability: np.ndarray) -> str:
    table = pd.Series(probability).groupby(names).agg(["mean", "size"])
    enough = table[table["size"] >= FEWEST_OF_GROUP]
    return str((enough if len(enough) else table)["mean"].idxmax())


def tip(coordinates: np.ndarray, candidates: np.ndarray) -> int:
    """Return the candidate farthest from the mean of all cells: the end of the path, not its middle.

    The probability of single cells plays no part, so that the order within the root's group owes nothing to it.

    Parameters
    ----------
    coordinates
        In diffusion space, [n_cells, n_components].
    candidates
        Positions of the cells to choose from.
    """
    distance = np.linalg.norm(coordinates[candidates] - coordinates.mean(0), axis=1)
    return int(candidates[np.argmax(distance)])
