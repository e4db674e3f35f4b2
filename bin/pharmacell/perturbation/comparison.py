"""All that is told about a comparison of perturbation models."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file
from pharmacell.data.input_file import check_file, reason
from pharmacell.perturbation.models.registry import REGISTRY, title_of
from pharmacell.perturbation.row_scores import EXAMPLE_COLUMNS, ZEROS, read_columns
from pharmacell.perturbation.summary import gain_table, group_table, read_scores, score_table, settings_of
from pharmacell.perturbation.treated_cells import FOLD_CHANGE

HISTORY = ("model", "encoding", "protocol", "fold", "seed", "epoch", "part", "loss")
RANKED_BY = "mrrmse"
P_VALUES = re.compile(r"log10|log_?p|signed", re.IGNORECASE)  # in the names of layers of signed p-values


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
        Signed -log10 p, or what the layer holds, [n_genes].
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
        Of each protocol, one row of the best model that has one.
    simulated
        Whether the table's values were simulated.
    zeros
        Of each protocol, the share of the true values that are exactly 0, a third sign.
    layer
        Of the table, whose values were predicted; None: the file has no layers, or it is the default one.
    of_several
        Whether the run compared another layer beside it.
    """

    scores: pd.DataFrame
    per_cell_type: pd.DataFrame
    per_compound: pd.DataFrame
    gains: pd.DataFrame
    history: pd.DataFrame
    examples: dict[str, ExampleRow]
    simulated: bool
    zeros: dict[str, float]
    layer: str | None = None
    of_several: bool = False

    @property
    def p_values(self) -> bool:
        """Whether the values are signed p-values, going by the name of the layer."""
        return self.layer is None or bool(P_VALUES.search(self.layer))

    @property
    def unit(self) -> str:
        """What the values are, as axes name it."""
        if self.p_values:
            return "signed −log10 p"
        return "log2 fold change" if FOLD_CHANGE.fullmatch(str(self.layer)) else f"value of {self.layer}"

    def label(self, protocol: str) -> str:
        """Return how figures and the report name a protocol: with the layer, where the run has several.

        Parameters
        ----------
        protocol
            How rows are held out.
        """
        return f"{protocol}, {self.layer}" if self.of_several else protocol

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
        baselines = rows[rows["kind"] == "baseline"] if (rows["kind"] == "baseline").any() else rows
        return self.top(protocol, 1)[0], baselines["name"].iloc[0]

    def top(self, protocol: str, n: int) -> list[str]:
        """Name the models that are no baselines with the least MRRMSE, the best first; baselines where there are none.

        Parameters
        ----------
        protocol
            How rows are held out.
        n
            How many at most.
        """
        rows = self.of(self.gains, protocol).query(f"metric == '{RANKED_BY}'").sort_values("value", kind="stable")
        models = rows[rows["kind"] != "baseline"]
        return (models if len(models) else rows)["name"].head(n).tolist()

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
    paths: Sequence[Path], examples: Sequence[Path], histories: Sequence[Path], simulated: bool, seed: int
) -> Comparison:
    """Compare the models by the scores of their rows.

    Parameters
    ----------
    paths
        Files of row scores (see :mod:`pharmacell.perturbation.row_scores`).
    examples
        Files of one row's truth and prediction of each model, may be empty.
    histories
        Losses (csv), may be empty.
    simulated
        Whether the table's values were simulated.
    seed
        The user's seed.

    Raises
    ------
    InputError
        If a file cannot be used.
    """
    scored = read_scores(paths)
    settings = settings_of(scored)
    found = Comparison(
        score_table(scored),
        _named(group_table(settings, "cell_type")),
        _named(group_table(settings, "sm_name")),
        _named(gain_table(settings, seed)),
        _named(read_histories(histories)),
        {},
        simulated,
        {one.protocol: float(one.rows[ZEROS].mean()) for one in settings},
    )
    rows = pd.concat([read_columns(path, EXAMPLE_COLUMNS) for path in sorted(examples)]) if examples else None
    for protocol in found.protocols if rows is not None else ():
        here = _named(found.of(rows, protocol)).drop_duplicates("name").set_index("name", drop=False)
        # the mean over seeds, which may be the best, has no example of its own
        with_example = [name for name in found.top(protocol, len(found.gains)) if name in here.index]
        if with_example:
            found.examples[protocol] = example_row(here.loc[with_example[0]])
    return found


def example_row(row: pd.Series) -> ExampleRow:
    """Return an example as the figure takes it.

    Parameters
    ----------
    row
        Of a file of examples, with ``name``.
    """
    return ExampleRow(
        row["name"],
        row["cell_type"],
        row["sm_name"],
        np.asarray(row["truth"]),
        np.asarray(row["prediction"]),
        float(row["pearson"]),
        float(row["mrrmse"]),
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
