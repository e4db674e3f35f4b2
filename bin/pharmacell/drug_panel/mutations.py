"""What driver events add to a prediction from expression, drug by drug."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from pharmacell.data.driver_events import driver_events, named_events

FEWEST_LINES = 8  # with an event
MOST_EVENTS = 3  # of a drug
CLEAR = 4.5  # t of an event's lines, of 177 events on 540 drugs
CLEAR_OF_TARGET = 2.0  # of the mean t over the drugs that act on the event's gene, in its standard deviations
ALIKE = 0.5  # correlation of t between drugs that act on one gene
PRIOR_LINES = 5  # without effect, that an event's effect is drawn to


@dataclass(frozen=True)
class EventEffects:
    """Change of a drug's z where a sample has an event.

    Attributes
    ----------
    names
        Events that at least eight lines have.
    rates
        Share of the lines that have each, [n_events].
    effects
        Against a line without the event, 0 where none is clear, [n_events, n_drugs].
    """

    names: list[str]
    rates: np.ndarray
    effects: np.ndarray

    def shift(self, text: str) -> tuple[np.ndarray, list[str]]:
        """Return what a sample's events add to z, [n_drugs], and the events that too few lines have.

        An event that is not named, the sample does not have; what is predicted without events is the mean over lines
        with and without.

        Parameters
        ----------
        text
            Such as ``EGFR;TP53``.

        Raises
        ------
        InputError
            If a name is no known driver event.
        """
        named = named_events(text, driver_events(pd.Index([])).columns)
        has = np.isin(self.names, named).astype(float)
        return (has - self.rates) @ self.effects, [name for name in named if name not in self.names]


def learn_effects(lines: pd.Index, residuals: np.ndarray, targets: Sequence[str]) -> EventEffects:
    """Learn from what held-out predictions from expression leave.

    An event of a gene that several drugs act on counts for all of them where it does so on average; each drug's effect
    is then the mean of its own and theirs.

    For each drug the event with the largest t (its lines against all others) is taken while that is at least 4.5, at
    most three; its effect is the mean difference, drawn to 0 as by five lines without effect, and taken off the
    residuals.

    Parameters
    ----------
    lines
        Canonical names; those that were not looked at have no say.
    residuals
        Measured less predicted z, NaN where not measured, [n_lines, n_drugs].
    targets
        What each drug acts on, as in the table of drugs, [n_drugs].
    """
    table = driver_events(lines)
    looked_at = table.notna().all(axis=1).to_numpy()
    table = table.loc[looked_at]
    table = table.loc[:, table.sum() >= FEWEST_LINES]
    has = table.to_numpy(float)
    left = residuals[looked_at].copy()
    effects = np.zeros((has.shape[1], left.shape[1]))
    if not has.size:
        return EventEffects(list(table.columns), np.zeros(has.shape[1]), effects)
    drugs = np.arange(left.shape[1])
    difference, t, n = event_differences(has, left)
    genes = [set(re.split(r"[^A-Za-z0-9]+", text)) for text in targets]
    for event, name in enumerate(table.columns):
        on = np.array([name in own for own in genes])
        k = np.count_nonzero(on)
        if k and np.abs(t[event, on].mean()) >= CLEAR_OF_TARGET * np.sqrt((1 + (k - 1) * ALIKE) / k):
            own = (difference[event, on] + difference[event, on].mean()) / 2
            effects[event, on] = own * n[event, on] / (n[event, on] + PRIOR_LINES)
    left -= has @ effects
    for _ in range(MOST_EVENTS):
        difference, t, n = event_differences(has, left)
        t[effects != 0] = 0.0
        best = np.abs(t).argmax(0)
        clear = np.abs(t[best, drugs]) >= CLEAR
        effect = np.where(clear, difference[best, drugs] * (n / (n + PRIOR_LINES))[best, drugs], 0.0)
        effects[best[clear], drugs[clear]] = effect[clear]
        left -= has[:, best] * effect
    return EventEffects(list(table.columns), has.mean(0), effects)


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
