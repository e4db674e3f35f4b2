"""All that is told about a comparison of perturbation models."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file
from pharmacell.data.input_file import check_file, reason
from pharmacell.perturbation.metrics import METRICS
from pharmacell.perturbation.models.registry import REGISTRY, title_of
from pharmacell.perturbation.out_of_fold import read_out_of_fold
from pharmacell.perturbation.summary import (
    Scored,
    Setting,
    gain_table,
    group_table,
    score_files,
    score_table,
    settings_of,
)

if TYPE_CHECKING:
    from pharmacell.perturbation.table import PerturbationTable

HISTORY = ("model", "encoding", "protocol", "fold", "seed", "epoch", "part", "loss")
RANKED_BY = "mrrmse"


@dataclass(frozen=True)
class ExampleRow:
    """One row's truth and prediction.

    Attributes
    ----------
    name
        Of the model.
    cell_type, sm_name
        Of the row.
    truth, prediction
        Signed -log10 p, [n_genes].
    pearson, rmse
        Of this row and seed.
    """

    name: str
    cell_type: str
    sm_name: str
    truth: np.ndarray
    prediction: np.ndarray
    pearson: float
    rmse: float


@dataclass(frozen=True)
class Comparison:
    """Tables of a comparison; each has ``protocol, model, encoding`` and, but for ``scores``, ``name`` and ``kind``.

    Attributes
    ----------
    scores, per_cell_type, per_compound, gains
        See :mod:`pharmacell.perturbation.summary`.
    history
        Losses of the networks, may be empty.
    examples
        Of each protocol, one row of the best model.
    simulated
        Whether the table's values were simulated.
    """

    scores: pd.DataFrame
    per_cell_type: pd.DataFrame
    per_compound: pd.DataFrame
    gains: pd.DataFrame
    history: pd.DataFrame
    examples: dict[str, ExampleRow]
    simulated: bool

    @property
    def protocols(self) -> list[str]:
        """The protocols in alphabetical order."""
        return sorted(self.gains["protocol"].unique())

    @staticmethod
    def of(table: pd.DataFrame, protocol: str) -> pd.DataFrame:
        """Return a table's rows of one protocol.

        Parameters
        ----------
        table
            With a column ``protocol``.
        protocol
            How rows are held out.
        """
        return table[table["protocol"] == protocol]

    def best(self, protocol: str) -> tuple[str, str]:
        """Name the model that is no baseline (if there is one) and the baseline with the least MRRMSE.

        The best model is chosen on the same rows that are shown: good enough to draw, not to report as its score.

        Parameters
        ----------
        protocol
            How rows are held out.
        """
        rows = self.of(self.gains, protocol).query(f"metric == '{RANKED_BY}'").sort_values("value", kind="stable")
        models = rows[rows["kind"] != "baseline"] if (rows["kind"] != "baseline").any() else rows
        baselines = rows[rows["kind"] == "baseline"] if (rows["kind"] == "baseline").any() else rows
        return models["name"].iloc[0], baselines["name"].iloc[0]

    def write(self, folder: Path) -> None:
        """Write ``scores.csv``, ``per_cell_type.csv``, ``per_compound.csv`` and ``gains.csv``.

        Parameters
        ----------
        folder
            Where the files go.
        """
        for name in ("scores", "per_cell_type", "per_compound", "gains"):
            with whole_file(folder / f"{name}.csv") as partial:
                getattr(self, name).drop(columns=["name", "kind"], errors="ignore").to_csv(partial, index=False)


def compare(
    paths: Sequence[Path], histories: Sequence[Path], table: "PerturbationTable", simulated: bool, seed: int
) -> Comparison:
    """Score out-of-fold predictions and compare the models.

    Parameters
    ----------
    paths
        Files of out-of-fold predictions (see :mod:`pharmacell.perturbation.out_of_fold`).
    histories
        Losses (csv), may be empty.
    table
        What was trained on.
    simulated
        Whether its values were simulated.
    seed
        The user's seed.

    Raises
    ------
    InputError
        If a file cannot be used.
    """
    scored = score_files(paths, table)
    settings = settings_of(scored)
    found = Comparison(
        score_table(scored),
        _named(group_table(settings, table.cell_type, "cell_type")),
        _named(group_table(settings, table.sm_name, "sm_name")),
        _named(gain_table(settings, table.sm_name, seed)),
        _named(read_histories(histories)),
        {},
        simulated,
    )
    for protocol in found.protocols:
        best, _ = found.best(protocol)
        found.examples[protocol] = example_row(
            next(one for one in settings if one.protocol == protocol and one.name == best), scored, table
        )
    return found


def example_row(setting: Setting, scored: list[Scored], table: "PerturbationTable") -> ExampleRow:
    """Return the row with the median Pearson correlation of a model's first seed, read again from its file.

    Parameters
    ----------
    setting
        The model, with its encoding and protocol.
    scored
        Scores of each seed and file.
    table
        All rows with their keys.
    """
    one = next(
        one
        for one in scored
        if (one.protocol, one.model, one.encoding) == (setting.protocol, setting.model, setting.encoding)
    )
    pearson = one.scores.value[:, METRICS.index("pearson")]
    place = int(np.argsort(pearson, kind="stable")[len(pearson) // 2])
    predicted = next(
        found
        for found in read_out_of_fold(one.path, table)
        if (found.protocol, found.model, found.encoding, found.seed)
        == (one.protocol, one.model, one.encoding, one.seed)
    )
    row = int(one.row[place])
    return ExampleRow(
        setting.name,
        table.cell_type[row],
        table.sm_name[row],
        table.y[row],
        predicted.values[place],
        float(pearson[place]),
        float(one.scores.value[place, METRICS.index("mrrmse")]),
    )


def read_histories(paths: Sequence[Path]) -> pd.DataFrame:
    """Join the losses of all trainings.

    Parameters
    ----------
    paths
        ``history.csv`` of each training.

    Raises
    ------
    InputError
        If a file cannot be read or lacks a column.
    """
    parts = []
    for path in sorted(paths):
        check_file(path, [".csv"])
        try:
            part = pd.read_csv(path)
        except (ValueError, OSError) as error:
            raise InputError(f"{path}: cannot be read ({reason(error)}); run kaggle_train again") from error
        if missing := [name for name in HISTORY if name not in part]:
            raise InputError(f"{path}: the column {missing[0]} is missing; run kaggle_train again")
        parts.append(part)
    parts = [part for part in parts if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(HISTORY))


def _named(table: pd.DataFrame) -> pd.DataFrame:
    """Add ``name`` (how figures name the model) and ``kind`` (of the registry)."""
    return table.assign(
        name=[title_of(*pair) for pair in zip(table["model"], table["encoding"], strict=True)],
        kind=[REGISTRY[model].kind if model in REGISTRY else "network" for model in table["model"]],
    )
