"""Every model's scores, gathered from its out-of-fold predictions."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.perturbation.gains import gains
from pharmacell.perturbation.metrics import METRICS, RowScores, Scorer
from pharmacell.perturbation.models.registry import BASELINES, title_of
from pharmacell.perturbation.out_of_fold import OutOfFold, read_out_of_fold

if TYPE_CHECKING:
    from pharmacell.perturbation.table import PerturbationTable


@dataclass(frozen=True)
class Scored:
    """The scores of one model with one seed under one protocol.

    Attributes
    ----------
    model, encoding, protocol, seed
        What was scored.
    fold, row
        Of each scored row, [n_rows].
    scores
        Of each row.
    path
        File of the predictions.
    """

    model: str
    encoding: str
    protocol: str
    seed: int
    fold: np.ndarray
    row: np.ndarray
    scores: RowScores
    path: Path


@dataclass(frozen=True)
class Setting:
    """The scores of one model under one protocol, averaged over its seeds.

    Attributes
    ----------
    protocol, model, encoding
        What was scored.
    row
        Of each scored row, [n_rows].
    scores
        Means over seeds.
    n_seeds
        How many.
    """

    protocol: str
    model: str
    encoding: str
    row: np.ndarray
    scores: RowScores
    n_seeds: int

    @property
    def name(self) -> str:
        """How figures name it."""
        return title_of(self.model, self.encoding)


def score_files(paths: Sequence[Path], table: "PerturbationTable") -> list[Scored]:
    """Score every seed of every file; only one prediction is in memory at a time.

    Parameters
    ----------
    paths
        Of the files.
    table
        All rows with their keys.

    Raises
    ------
    InputError
        If a file does not belong to the table, or two hold the same model, protocol and seed.
    """
    scorers: dict[bytes, Scorer] = {}
    found: dict[tuple, Scored] = {}
    for path in sorted(paths):
        for predicted in read_out_of_fold(path, table):
            key = (predicted.protocol, predicted.model, predicted.encoding, predicted.seed)
            if key in found:
                raise InputError(f"{path}: {', '.join(map(str, key))} stands in {found[key].path} too; give each once")
            found[key] = _score(predicted, table, scorers, path)
    return [found[key] for key in sorted(found)]


def _score(predicted: OutOfFold, table: "PerturbationTable", scorers: dict[bytes, Scorer], path: Path) -> Scored:
    rows = predicted.row.tobytes()
    if rows not in scorers:
        scorers[rows] = Scorer(table.y[predicted.row])
    return Scored(
        predicted.model,
        predicted.encoding,
        predicted.protocol,
        predicted.seed,
        predicted.fold,
        predicted.row,
        scorers[rows].score(predicted.values),
        path,
    )


def settings_of(scored: list[Scored]) -> list[Setting]:
    """Average over seeds; in the order protocol, baselines, others.

    Parameters
    ----------
    scored
        Scores of each seed and file.

    Raises
    ------
    InputError
        If two models of one protocol were tested on different rows.
    """
    groups: dict[tuple[str, str, str], list[Scored]] = {}
    for one in scored:
        groups.setdefault((one.protocol, one.model, one.encoding), []).append(one)
    rows: dict[str, np.ndarray] = {}
    for one in scored:
        if not np.array_equal(one.row, rows.setdefault(one.protocol, one.row)):
            raise InputError(
                f"{one.path}: {one.model} was tested on other rows of the protocol {one.protocol} than "
                "the other models; train all with the same table and --seed"
            )
    found = [
        Setting(*key, group[0].row, average([one.scores for one in group]), len(group)) for key, group in groups.items()
    ]
    return sorted(found, key=lambda one: (one.protocol, one.model not in BASELINES, one.model, one.encoding))


def average(scores: Sequence[RowScores]) -> RowScores:
    """Return the mean over seeds, such that means over rows stay means over all (seed, row, gene).

    Parameters
    ----------
    scores
        Of each seed.
    """
    weight = np.mean([one.weight for one in scores], axis=0)
    total = np.mean([one.value * one.weight for one in scores], axis=0)
    return RowScores(np.divide(total, weight, out=np.zeros_like(total), where=weight > 0), weight)


def score_table(scored: list[Scored]) -> pd.DataFrame:
    """Return ``model, encoding, protocol, seed, fold, metric, value``: each fold's mean over its rows.

    Parameters
    ----------
    scored
        Scores of each seed and file.
    """
    rows = []
    for one in scored:
        for fold in np.unique(one.fold):
            for metric, value in one.scores.mean(one.fold == fold).items():
                rows.append((one.model, one.encoding, one.protocol, one.seed, fold, metric, value))
    return pd.DataFrame(rows, columns=["model", "encoding", "protocol", "seed", "fold", "metric", "value"])


def group_table(settings: list[Setting], groups: np.ndarray, name: str) -> pd.DataFrame:
    """Return mean, least and greatest score over the rows of each group.

    Parameters
    ----------
    settings
        As :func:`settings_of` returns them.
    groups
        Group of each row of the training table: its cell type or its compound.
    name
        Of the groups' column.

    Returns
    -------
    pandas.DataFrame
        ``protocol, model, encoding, <name>, metric, n_rows, mean, min, max``.
    """
    parts = []
    for one in settings:
        by_row = one.scores.rows()
        for group in np.unique(groups[one.row]):
            chosen = groups[one.row] == group
            values = pd.DataFrame(by_row[chosen])
            parts.append(
                pd.DataFrame(
                    {
                        "protocol": one.protocol,
                        "model": one.model,
                        "encoding": one.encoding,
                        name: group,
                        "metric": METRICS,
                        "n_rows": int(chosen.sum()),
                        "mean": one.scores.mean(chosen).values(),
                        "min": values.min().to_numpy(),
                        "max": values.max().to_numpy(),
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def gain_table(settings: list[Setting], compounds: np.ndarray, seed: int) -> pd.DataFrame:
    """Return :func:`pharmacell.perturbation.gains.gains` of each protocol, ``protocol, model, encoding`` in front.

    Parameters
    ----------
    settings
        Scores averaged over seeds.
    compounds
        Compound of each row.
    seed
        Seed of everything random in it.
    """
    parts = []
    for protocol in dict.fromkeys(one.protocol for one in settings):
        here = {(one.model, one.encoding): one for one in settings if one.protocol == protocol}
        baselines = [key for key in here if key[0] in BASELINES]
        row = next(iter(here.values())).row
        table = gains({key: one.scores for key, one in here.items()}, compounds[row], baselines, seed)
        model, encoding = zip(*table.pop("model"), strict=True)
        table["baseline"] = [baseline[0] if baseline else None for baseline in table["baseline"]]
        for position, (name, column) in enumerate({"protocol": protocol, "model": model, "encoding": encoding}.items()):
            table.insert(position, name, column)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)
