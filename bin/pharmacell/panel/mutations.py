"""Driver events of lines and of a sample, beside their expression: with a weight for each drug."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from pharmacell.data.driver_events import driver_events, named_events

FEWEST_LINES = 8  # with an event
MOST = 6.0  # standard deviations of an event: a rare one must not be all
WEIGHTS = (3.0, 10.0, 30.0, 100.0)  # of the product of two lines' events beside that of their genes
LEAST_GAIN = 0.02  # in the correlation of held-out lines of one tissue, from which on a drug's events count


@dataclass(frozen=True)
class Events:
    """Driver events, standardised over the lines.

    Attributes
    ----------
    names
        Of the events that at least eight lines have.
    mean, spread
        Of each over the lines that were looked at, [n_events].
    lines
        float64 [n_lines, n_events]; 0, the mean, for lines that were not looked at.
    """

    names: pd.Index
    mean: np.ndarray
    spread: np.ndarray
    lines: np.ndarray

    @classmethod
    def of(cls, lines: pd.Index) -> "Events":
        """Look the lines up.

        Parameters
        ----------
        lines
            Canonical names.
        """
        table = driver_events(lines)
        table = table.loc[:, table.sum() >= FEWEST_LINES]
        mean, spread = table.mean().to_numpy(), table.std(ddof=0).to_numpy()
        standardised = np.clip((table.to_numpy() - mean) / np.where(spread > 0, spread, 1), -MOST, MOST)
        return cls(table.columns, mean, spread, np.nan_to_num(standardised))

    def of_sample(self, text: str) -> tuple[np.ndarray, list[str]]:
        """Return a sample's events, [n_events], and those named that too few lines have.

        What is not named, the sample does not have.

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
        found = np.isin(self.names, named).astype(float)
        standardised = np.clip((found - self.mean) / np.where(self.spread > 0, self.spread, 1), -MOST, MOST)
        return standardised, [name for name in named if name not in self.names]


def within_correlations(truth: np.ndarray, found: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return, drug by drug, the correlation of predicted and measured responses within groups, [n_drugs].

    Parameters
    ----------
    truth
        NaN where not measured, [n_lines, n_drugs].
    found
        [n_lines, n_drugs].
    groups
        Of the lines.
    """
    x, y = centred_within(truth, found, groups)
    return (x * y).sum(0) / np.maximum(np.sqrt((x**2).sum(0) * (y**2).sum(0)), 1e-12)


def centred_within(truth: np.ndarray, found: np.ndarray, groups: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return measured and predicted responses less their means within groups, 0 where not measured.

    Parameters
    ----------
    truth, found, groups
        As in :func:`within_correlations`.
    """
    x, y = np.zeros(truth.shape), np.zeros(truth.shape)
    known = np.isfinite(truth)
    for group in np.unique(groups):
        rows = groups == group
        own = known[rows]
        n = np.maximum(own.sum(0), 1)
        for target, values in ((x, truth[rows]), (y, found[rows])):
            values = np.where(own, values, 0)
            target[rows] = np.where(own, values - values.sum(0) / n, 0)
    return x, y


def event_weights(truth: np.ndarray, found: dict[float, np.ndarray], groups: np.ndarray) -> np.ndarray:
    """Choose for each drug what events count, by the correlation of held-out lines within groups, [n_drugs].

    Parameters
    ----------
    truth
        Measured z, [n_lines, n_drugs].
    found
        Predicted with each weight, 0 among them.
    groups
        Of the lines: tissue and fold.
    """
    weights = np.array(list(found))
    scores = np.stack([within_correlations(truth, one, groups) for one in found.values()])
    best = scores.argmax(0)
    gained = scores.max(0) - scores[list(found).index(0.0)] >= LEAST_GAIN
    return np.where(gained, weights[best], 0.0)
