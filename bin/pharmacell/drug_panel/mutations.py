"""What driver events add to a prediction from expression, drug by drug."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pharmacell.data.driver_events import driver_events
from pharmacell.data.folds import UNKNOWN

FEWEST_LINES = 8  # with an event
MOST_EVENTS = 3  # of a drug, beside those of its targets
CLEAR = 4.5  # t of an event's lines, of 177 events on 540 drugs
PRIOR_LINES = 10  # without effect, that an event's effect over all tissues is drawn to
PRIOR_OF_TISSUE = 2  # lines with the effect over all tissues, that the effect in one tissue is drawn to
DRIVING = 0.5  # standard deviations of a drug, from which an event's effect is told
# genes that fusions activate: no event of the table says so
FUSIONS = ("ALK", "NTRK1", "NTRK2", "NTRK3", "RET", "ROS1")


@dataclass(frozen=True)
class EventEffects:
    """Change of a drug's z where a sample has an event.

    Attributes
    ----------
    names
        Events that at least eight lines have.
    rates
        Share of the lines that have each, [n_events].
    tissues
        Of the lines.
    event, drug
        Pairs that have an effect, int [n_pairs].
    effects
        Against a line without the event, in each tissue and last in any other, [n_tissues + 1, n_pairs].
    """

    names: list[str]
    rates: np.ndarray
    tissues: list[str]
    event: np.ndarray
    drug: np.ndarray
    effects: np.ndarray

    def place(self, tissue: str) -> int:
        """Return the row of a tissue.

        Parameters
        ----------
        tissue
            Of a sample; any that the lines do not have stands for not known.
        """
        return self.tissues.index(tissue) if tissue in self.tissues else len(self.tissues)

    def shift(self, named: list[str], n_drugs: int) -> tuple[np.ndarray, list[str]]:
        """Return what a sample's events add to z, [n_tissues + 1, n_drugs], and the events that too few lines have.

        An event that is not named, the sample does not have; what is predicted without events is the mean over lines
        with and without.

        Parameters
        ----------
        named
            Events, as the table calls them.
        n_drugs
            How many there are.
        """
        has = np.isin(self.names, named) - self.rates
        found = np.zeros((n_drugs, len(self.effects)))
        np.add.at(found, self.drug, (self.effects * has[self.event]).T)
        return found.T, [name for name in named if name not in self.names]

    def driving(self, n_drugs: int) -> list[str]:
        """Return the events of each drug whose effect is at least half a standard deviation in some tissue.

        Parameters
        ----------
        n_drugs
            How many there are.

        Returns
        -------
        list of str
            Such as ``BRAF;NRAS``; empty where there is none.
        """
        strongest = np.abs(self.effects).max(0, initial=0)
        found: list[list[str]] = [[] for _ in range(n_drugs)]
        for pair in np.argsort(-strongest, kind="stable"):
            if strongest[pair] >= DRIVING:
                found[self.drug[pair]].append(self.names[self.event[pair]])
        return [";".join(names) for names in found]


def genes_of(targets: Sequence[str]) -> list[set[str]]:
    """Return the genes that each drug acts on.

    Parameters
    ----------
    targets
        As in the table of drugs, such as ``MET, ALK, ROS1``.
    """
    return [set(re.split(r"[^A-Za-z0-9]+", text)) for text in targets]


def fusions_of(targets: Sequence[str]) -> list[str]:
    """Return the fusions that each drug is known to act on and no table here holds, such as ``ALK fusion``.

    Parameters
    ----------
    targets
        See :func:`genes_of`.
    """
    return [";".join(f"{gene} fusion" for gene in FUSIONS if gene in genes) for genes in genes_of(targets)]


def learn_effects(lines: pd.Index, residuals: np.ndarray, targets: Sequence[str], tissues: np.ndarray) -> EventEffects:
    """Learn from what held-out predictions from expression leave.

    An event of a gene that a drug acts on always has its effect on it: the mean difference between lines with and
    without, drawn to 0 as by ten lines without effect. In a tissue it is the mean of that tissue's lines with the
    event, drawn to the effect over all tissues as by two lines: a mutation of EGFR makes lines of the lung sensitive,
    and hardly others. Then, for each drug, the event with the largest t is taken while that is at least 4.5, at most
    three.

    Parameters
    ----------
    lines
        Canonical names; those that were not looked at have no say.
    residuals
        Measured less predicted z, NaN where not measured, [n_lines, n_drugs].
    targets
        What each drug acts on, as in the table of drugs, [n_drugs].
    tissues
        Of the lines.
    """
    table = driver_events(lines)
    looked_at = table.notna().all(axis=1).to_numpy()
    table = table.loc[looked_at]
    table = table.loc[:, table.sum() >= FEWEST_LINES]
    has, left, own = table.to_numpy(float), residuals[looked_at].copy(), tissues[looked_at]
    known_tissues = sorted(set(own) - {UNKNOWN})
    rows = [np.flatnonzero(own == tissue) for tissue in known_tissues]
    tissue = np.full(len(own), len(rows))  # row of each line's effects; the last is that of any other tissue
    for number, of_tissue in enumerate(rows):
        tissue[of_tissue] = number
    acts_on = genes_of(targets)
    pairs = [
        (event, drug) for event, name in enumerate(table.columns) for drug, genes in enumerate(acts_on) if name in genes
    ]
    chosen = places = np.array(pairs, int).reshape(-1, 2)
    found = [pair_effects(has, left, rows, chosen)]
    for _ in range(MOST_EVENTS if has.size else 0):
        for (event, drug), effect in zip(chosen, found[-1].T, strict=True):
            left[:, drug] -= has[:, event] * effect[tissue]
        _, t, _ = event_differences(has, left)
        t[places[:, 0], places[:, 1]] = 0.0
        best = np.abs(t).argmax(0)
        clear = np.flatnonzero(np.abs(t[best, np.arange(t.shape[1])]) >= CLEAR)
        chosen = np.column_stack([best[clear], clear])
        places = np.concatenate([places, chosen])
        found.append(pair_effects(has, left, rows, chosen))
    return EventEffects(
        list(table.columns),
        has.sum(0) / max(len(has), 1),
        known_tissues,
        places[:, 0],
        places[:, 1],
        np.concatenate(found, axis=1),
    )


def pair_effects(has: np.ndarray, values: np.ndarray, rows: list[np.ndarray], pairs: np.ndarray) -> np.ndarray:
    """Return the effects of events on drugs, in each tissue and last over all, [n_tissues + 1, n_pairs].

    Parameters
    ----------
    has
        1 or 0, [n_lines, n_events].
    values
        NaN where not measured, [n_lines, n_drugs].
    rows
        Lines of each tissue.
    pairs
        Event and drug, int [n_pairs, 2].
    """
    own, y = has[:, pairs[:, 0]], values[:, pairs[:, 1]]
    known, y = np.isfinite(y), np.nan_to_num(y)
    without = ((1 - own) * y).sum(0) / np.maximum(((1 - own) * known).sum(0), 1)
    n = (own * known).sum(0)
    difference = own * known * (y - without)
    everywhere = difference.sum(0) / (n + PRIOR_LINES)
    found = np.empty((len(rows) + 1, len(pairs)))
    for number, place in enumerate(rows):
        n_own = (own * known)[place].sum(0)
        found[number] = (difference[place].sum(0) + PRIOR_OF_TISSUE * everywhere) / (n_own + PRIOR_OF_TISSUE)
    found[-1] = everywhere
    return found


def event_differences(has: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compare lines with an event with those without.

    Parameters
    ----------
    has
        1 or 0, [n_lines, n_events].
    values
        NaN where not measured, [n_lines, n_drugs].

    Returns
    -------
    difference, t, n
        Mean difference, its t (one variance for both), and the lines with the event, each [n_events, n_drugs].
    """
    known = np.isfinite(values).astype(float)
    filled = np.nan_to_num(values)
    n, all_lines = has.T @ known, known.sum(0)
    total, squares = filled.sum(0), np.square(filled).sum(0)
    mean = (has.T @ filled) / np.maximum(n, 1)
    rest = (total - has.T @ filled) / np.maximum(all_lines - n, 1)
    within = squares - n * mean**2 - (all_lines - n) * rest**2
    error = np.sqrt(np.maximum(within, 1e-12) / np.maximum(all_lines - 2, 1) * (1 / np.maximum(n, 1) + 1 / all_lines))
    difference = np.where(n >= FEWEST_LINES, mean - rest, 0.0)
    return difference, difference / error, n
