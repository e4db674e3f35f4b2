"""Every model's scores, gathered from the scores of its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.perturbation.gains import gains
from pharmacell.perturbation.metrics import METRICS, RowScores
from pharmacell.perturbation.models.registry import BASELINES, title_of
from pharmacell.perturbation.row_scores import KEYS, PAIR, PART, Scored, means_by_part, read_row_scores


@dataclass(frozen=True)
class Setting:
    """The scores of one model under one protocol, averaged over its seeds.

    Attributes
    ----------
    protocol, model, encoding
        What was scored.
    rows
        ``fold, row, cell_type, sm_name, part, zeros_in_truth`` of each scored row, [n_rows].
    scores
        Means over seeds.
    n_seeds
        How many.
    """

    protocol: str
    model: str
    encoding: str
    rows: pd.DataFrame
    scores: RowScores
    n_seeds: int

    @property
    def name(self) -> str:
        """How figures name it."""
        return title_of(self.model, self.encoding)


def read_scores(paths: Sequence[Path]) -> list[Scored]:
    """Read the scores of every seed of every file.

    Parameters
    ----------
    paths
        Of the files (see :mod:`pharmacell.perturbation.row_scores`).

    Raises
    ------
    InputError
        If two files hold the same model, protocol and seed.
    """
    found: dict[tuple, Scored] = {}
    for path in sorted(paths):
        for one in read_row_scores(path):
            key = (one.protocol, one.model, one.encoding, one.seed)
            if key in found:
                raise InputError(f"{path}: {', '.join(map(str, key))} stands in {found[key].path} too; give each once")
            found[key] = one
    return [found[key] for key in sorted(found)]


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
    rows: dict[str, pd.DataFrame] = {}
    same = ["row", *PAIR]
    for one in scored:
        if not one.rows[same].equals(rows.setdefault(one.protocol, one.rows)[same]):
            raise InputError(
                f"{one.path}: {one.model} was tested on other rows of the protocol {one.protocol} than "
                "the other models; train all with the same table and --seed"
            )
    found = [
        Setting(*key, group[0].rows, average([one.scores for one in group]), len(group))
        for key, group in groups.items()
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
    """Return ``model, encoding, protocol, seed, fold, part, metric, value``: each fold's mean over its rows.

    ``part`` is ``all``, and where a fold has several parts, such as ``public_test`` and ``private_test``, each of them.

    Parameters
    ----------
    scored
        Scores of each seed and file.
    """
    rows = []
    for one in scored:
        folds = one.rows["fold"].to_numpy()
        for fold in np.unique(folds):
            here = folds == fold
            scores = RowScores(one.scores.value[here], one.scores.weight[here])
            said = (one.model, one.encoding, one.protocol, one.seed, fold)
            rows += [(*said, *mean) for mean in means_by_part(scores, one.rows.loc[here, PART].to_numpy(str))]
    return pd.DataFrame(rows, columns=[*KEYS[:-1], PART, "metric", "value"])


def group_table(settings: list[Setting], name: str) -> pd.DataFrame:
    """Return mean, least and greatest score over the rows of each group.

    Parameters
    ----------
    settings
        As :func:`settings_of` returns them.
    name
        What rows are grouped by: ``cell_type`` or ``sm_name``.

    Returns
    -------
    pandas.DataFrame
        ``protocol, model, encoding, <name>, metric, n_rows, mean, min, max``.
    """
    parts = []
    for one in settings:
        groups = one.rows[name].to_numpy()
        by_group = pd.DataFrame(one.scores.rows()).groupby(groups)
        totals, weights = (
            pd.DataFrame(values).groupby(groups).sum().to_numpy()
            for values in (one.scores.value * one.scores.weight, one.scores.weight)
        )
        mean = np.divide(totals, weights, out=np.full_like(totals, np.nan), where=weights > 0)
        sizes = by_group.size()
        said = {"protocol": one.protocol, "model": one.model, "encoding": one.encoding}
        columns = {
            name: np.repeat(sizes.index.to_numpy(), len(METRICS)),
            "metric": np.tile(METRICS, len(sizes)),
            "n_rows": np.repeat(sizes.to_numpy(), len(METRICS)),
            "mean": mean.ravel(),
            "min": by_group.min().to_numpy().ravel(),
            "max": by_group.max().to_numpy().ravel(),
        }
        parts.append(pd.DataFrame({**said, **columns}))
    return pd.concat(parts, ignore_index=True)


def gain_table(settings: list[Setting], seed: int) -> pd.DataFrame:
    """Return :func:`pharmacell.perturbation.gains.gains` of each protocol, ``protocol, model, encoding`` in front.

    Parameters
    ----------
    settings
        Scores averaged over seeds.
    seed
        Seed of everything random in it.
    """
    parts = []
    for protocol in dict.fromkeys(one.protocol for one in settings):
        here = {(one.model, one.encoding): one for one in settings if one.protocol == protocol}
        baselines = [key for key in here if key[0] in BASELINES]
        compounds = next(iter(here.values())).rows["sm_name"].to_numpy()
        table = gains({key: one.scores for key, one in here.items()}, compounds, baselines, seed)
        model, encoding = zip(*table.pop("model"), strict=True)
        table["baseline"] = [baseline[0] if baseline else None for baseline in table["baseline"]]
        for position, (name, column) in enumerate({"protocol": protocol, "model": model, "encoding": encoding}.items()):
            table.insert(position, name, column)
        parts.append(table)
    return pd.concat(parts, ignore_index=True)
