"""The groups of cells that a panel is predicted for: those of the sheet, or clusters."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.core.seeds import generator, integer
from pharmacell.data.cells import CellMatrix
from pharmacell.data.frames import group_names
from pharmacell.data.neighbour_graph import memberships, nearest_neighbours
from pharmacell.drug_panel.profiles import CountMatrix

if TYPE_CHECKING:
    import igraph

FEWEST_CELLS = 20  # to look for clusters
RESOLUTIONS = (0.1, 0.2, 0.3, 0.5, 0.8, 1.2)
STABLE = 0.9  # adjusted Rand index between clusterings of resampled cells
RESAMPLES, SHARE = 5, 0.8
MOST_CLUSTERED = 5_000  # cells of larger samples are drawn, and the others join the cluster of their nearest
NEIGHBOURS, COMPONENTS = 15, 20
MOST_GENES = 0.5  # share of the genes that tissue shows and a single cell does not
SMALLEST = 0.01  # share of the cells; smaller clusters join the nearest
NORMAL = {"true", "t", "yes", "y", "1", "1.0", "normal", "healthy"}


@dataclass(frozen=True)
class Groups:
    """Groups of cells.

    Attributes
    ----------
    code
        Group of each cell, from 0, [n_cells].
    names
        Of the groups.
    how
        How they were made, in a sentence.
    notes
        What the user should know about them.
    """

    code: np.ndarray
    names: list[str]
    how: str
    notes: list[str]

    @property
    def sizes(self) -> np.ndarray:
        """Cells of each group, [n_groups]."""
        return np.bincount(self.code, minlength=len(self.names))


def groups_of(obs: pd.DataFrame, components: np.ndarray | None, group_key: str | None, seed: int) -> Groups:
    """Return the groups of ``group_key``, or clusters.

    Parameters
    ----------
    obs
        Of the prepared sample.
    components
        Principal components, [n_cells, n_components]; None where there are none.
    group_key
        Column of ``obs``, or None.
    seed
        Seed of the clustering.

    Raises
    ------
    InputError
        If there is no such column.
    """
    if group_key is not None:
        if group_key not in obs:
            raise InputError(
                f"--group_key: the sample has no column '{group_key}'; it has {', '.join(map(str, obs.columns))}"
            )
        code, found = pd.factorize(np.array(group_names(obs[group_key]), object), sort=True)
        return _with_notes(code, list(found), f"{len(found)} groups of the column '{group_key}'")
    if len(obs) < FEWEST_CELLS or components is None:
        how = f"all {len(obs)} cells are one group: fewer than {FEWEST_CELLS} are not clustered"
        return Groups(np.zeros(len(obs), int), ["all"], how, [])
    code, how = clusters(components, seed)
    return _with_notes(code, [f"cluster {number + 1}" for number in range(int(code.max()) + 1)], how)


def _with_notes(code: np.ndarray, names: list[str], how: str) -> Groups:
    """Return groups; those of one cell are named in a note."""
    single = [name for name, size in zip(names, np.bincount(code), strict=True) if size == 1]
    notes = []
    if single and len(single) < len(names):
        shown = ", ".join(single[:5]) + (f" and {len(single) - 5} more" if len(single) > 5 else "")
        notes = [f"{len(single)} groups have one cell ({shown}): a profile of one cell is poor, see their intervals"]
    return Groups(code, names, how, notes)


def holds_patients(cells: CellMatrix, counts: CountMatrix) -> bool:
    """Tell whether the rows of a sample are tissue or pseudo-bulks.

    Quality control says so of a table whose rows show most of its genes. Of values by million it is enough that most of
    the shared genes are there.

    Parameters
    ----------
    cells
        The prepared sample.
    counts
        Its values on the shared genes.
    """
    if cells.uns.get("rows") == "tissue":
        return True
    if cells.uns.get("scale") != "tpm":
        return False
    _, first = next(iter(counts))
    detected = np.asarray((first > 0).mean(1)).ravel()
    return bool(np.median(detected) > MOST_GENES)


def patients(obs: pd.DataFrame) -> Groups:
    """Return every row as a group of its own.

    Parameters
    ----------
    obs
        Of the prepared sample.
    """
    how = f"each of the {len(obs)} rows is a group: a table of tissue or pseudo-bulks"
    return Groups(np.arange(len(obs)), list(obs.index.astype(str)), how, [])


def clusters(components: np.ndarray, seed: int) -> tuple[np.ndarray, str]:
    """Cluster cells (Leiden, Traag et al. 2019) with the finest resolution that is stable.

    Each resolution is tried on five random fifths left out; a resolution is stable where the clusters of two such
    draws agree on the cells that both have (mean adjusted Rand index of at least 0.9). Where none is, the one that
    agrees most is taken, and said to.

    Parameters
    ----------
    components
        [n_cells, n_components].
    seed
        Seed of draws and clustering.

    Returns
    -------
    code
        Cluster of each cell, from 0, the largest first, [n_cells].
    how
        In a sentence.
    """
    rng = generator(seed, "panel clusters")
    x = np.ascontiguousarray(components[:, :COMPONENTS], np.float32)
    chosen = np.arange(len(x))
    if len(x) > MOST_CLUSTERED:
        chosen = np.sort(rng.choice(len(x), MOST_CLUSTERED, replace=False))
    own = x[chosen]
    draws = [np.sort(rng.choice(len(own), round(SHARE * len(own)), replace=False)) for _ in range(RESAMPLES)]
    graphs = [_graph(own[rows]) for rows in draws]
    agreement = {one: _agreement(draws, [_leiden(graph, one, seed) for graph in graphs]) for one in RESOLUTIONS}
    stable = [one for one in RESOLUTIONS if agreement[one] >= STABLE]
    resolution = max(stable) if stable else max(RESOLUTIONS, key=lambda one: agreement[one])
    code = _joined(own, _leiden(_graph(own), resolution, seed))
    if len(x) > MOST_CLUSTERED:
        from sklearn.neighbors import KNeighborsClassifier

        code = KNeighborsClassifier(NEIGHBOURS, algorithm="brute").fit(own, code).predict(x)
    n = int(code.max()) + 1
    index = f"adjusted Rand index {agreement[resolution]:.2f}"
    why = (
        f"the finest whose clusters agree between random draws of the cells, {index}"
        if stable
        else f"no resolution's clusters agree between random draws of the cells, this one's most, {index} of the "
        f"{STABLE:g} asked for"
    )
    return code, f"{n} {'clusters' if n > 1 else 'cluster'} (Leiden, resolution {resolution:g}: {why})"


def _graph(x: np.ndarray) -> "igraph.Graph":
    """Return the weighted graph of nearest neighbours."""
    import igraph

    weights = memberships(*nearest_neighbours(x, min(NEIGHBOURS, len(x) - 1))).tocoo()
    upper = weights.row < weights.col
    edges = np.column_stack([weights.row[upper], weights.col[upper]])
    return igraph.Graph(len(x), edges, edge_attrs={"weight": weights.data[upper].astype(float)})


def _leiden(graph: "igraph.Graph", resolution: float, seed: int) -> np.ndarray:
    """Return the cluster of each node, from 0."""
    import random

    import igraph

    igraph.set_random_number_generator(random.Random(integer(seed, "panel clusters")))
    found = graph.community_leiden("modularity", weights="weight", resolution=resolution, n_iterations=5)
    return np.array(found.membership)


def _agreement(draws: list[np.ndarray], found: list[np.ndarray]) -> float:
    """Return the mean adjusted Rand index over pairs of draws, on the cells that both have."""
    from sklearn.metrics import adjusted_rand_score

    scores = []
    for first in range(len(draws)):
        for second in range(first):
            _, a, b = np.intersect1d(draws[first], draws[second], return_indices=True)
            scores.append(adjusted_rand_score(found[first][a], found[second][b]))
    return float(np.mean(scores))


def _joined(x: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Let clusters of less than a hundredth of the cells join the nearest; number by size, the largest first."""
    size = np.bincount(code)
    large = np.flatnonzero(size >= max(2, SMALLEST * len(code)))
    if len(large) == 0:
        return np.zeros(len(code), int)
    centres = np.stack([x[code == one].mean(0) for one in range(len(size))])
    nearest = large[((centres[:, None] - centres[large]) ** 2).sum(2).argmin(1)]
    code = nearest[code]
    order = np.argsort(-np.bincount(code, minlength=len(size)), kind="stable")
    rank = np.empty(len(size), int)
    rank[order] = np.arange(len(size))
    return rank[code]


def normal_groups(obs: pd.DataFrame, groups: Groups, normal_key: str | None) -> np.ndarray:
    """Return whether most cells of each group are normal, bool [n_groups].

    Parameters
    ----------
    obs
        Of the prepared sample.
    groups
        Of its cells.
    normal_key
        Column of ``obs`` whose value is true, yes, 1 or normal where a cell is; None: no group is.

    Raises
    ------
    InputError
        If there is no such column.
    """
    if normal_key is None:
        return np.zeros(len(groups.names), bool)
    if normal_key not in obs:
        raise InputError(
            f"--normal_key: the sample has no column '{normal_key}'; it has {', '.join(map(str, obs.columns))}"
        )
    normal = obs[normal_key].astype(object).astype(str).str.strip().str.lower().isin(NORMAL).to_numpy()
    return np.bincount(groups.code, weights=normal, minlength=len(groups.names)) / groups.sizes > 0.5
