"""Train models fold by fold, and write what they predict as it comes."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pharmacell.core.files import whole_file
from pharmacell.core.progress import say
from pharmacell.perturbation.metrics import Scorer
from pharmacell.perturbation.models.registry import ENSEMBLE, NETWORKS, NO_ENCODING, TRAINED, build
from pharmacell.perturbation.protocols import parts_of_test
from pharmacell.perturbation.row_scores import COLUMNS, KEYS, PAIR, PART, ZEROS, example_of, means_by_part
from pharmacell.perturbation.table import split_layers

if TYPE_CHECKING:
    import torch

    from pharmacell.perturbation.settings import FitOptions
    from pharmacell.perturbation.table import PerturbationTable


SECOND = "second_layer"  # folder of what belongs to the second layer of a table


@dataclass
class LayerTables:
    """What is kept of the scores of one layer of the table.

    Attributes
    ----------
    scores
        Mean scores of each fold.
    row_scores, examples
        See :mod:`pharmacell.perturbation.row_scores`.
    """

    scores: list[tuple] = field(default_factory=list)
    row_scores: list[pd.DataFrame] = field(default_factory=list)
    examples: list[pd.DataFrame] = field(default_factory=list)


@dataclass
class Run:
    """Models, what they are trained on, and the tables that their training leaves.

    Parameters
    ----------
    table
        All rows.
    models
        Names.
    options
        Of the networks.
    seeds
        Of networks, and of what holds networks; other models get the first only.
    device
        Where networks live; None when there is none.
    history
        Losses so far; one network learns all layers of the table.
    layers
        Scores so far, of each layer.
    """

    table: "PerturbationTable"
    models: Sequence[str]
    options: "FitOptions"
    seeds: list[int]
    device: "torch.device | None"
    history: list[pd.DataFrame] = field(default_factory=list)
    layers: list[LayerTables] = field(init=False)

    def __post_init__(self) -> None:
        self.layers = [LayerTables() for _ in self.by_layer(self.table.y)]

    def by_layer(self, values: np.ndarray) -> list[np.ndarray]:
        """Return the values of each layer, [..., n_genes] each.

        Parameters
        ----------
        values
            [..., n_layers * n_genes].
        """
        return split_layers(values, len(self.table.genes))

    def encoding(self, model: str) -> str:
        """Return the encoding of a model.

        Parameters
        ----------
        model
            Name of the model.
        """
        return str(self.options.encoding) if model in NETWORKS else NO_ENCODING

    def seeds_of(self, model: str) -> list[int]:
        """Return the seeds of a model.

        Parameters
        ----------
        model
            Name of the model.
        """
        return self.seeds if model in TRAINED else self.seeds[:1]

    def protocol(
        self,
        model: str,
        protocol: str,
        folds: Sequence[tuple[np.ndarray, np.ndarray]],
        append: Sequence[Callable[[pa.Table], None]],
    ) -> None:
        """Train and score a model fold by fold; keeps history, scores and one example row of each layer.

        Parameters
        ----------
        model
            Name of the model.
        protocol
            How rows are held out.
        folds
            Rows that are learned from and rows that are predicted, of each fold.
        append
            Takes the predictions of all seeds of a fold, of each layer; empty: they are not kept.
        """
        before, first = len(self.layers[0].row_scores), []
        for fold, (train, test) in enumerate(folds):
            predictions = self.fold(model, protocol, fold, train, test)
            first.append(predictions[0].copy())  # a view would keep those of all seeds
            for write, of_layer in zip(append, self.by_layer(predictions), strict=False):
                write(self.rows_of(model, protocol, fold, test, of_layer))
        every = zip(self.layers, self.by_layer(self.table.y), self.by_layer(np.concatenate(first)), strict=True)
        for layer, truth, found in every:
            rows = pd.concat(layer.row_scores[before:])
            rows = rows[(rows["seed"] == self.seeds[0]) & (rows["model"] == model)]
            layer.examples.append(example_of(rows, truth, found))

    def fold(self, model: str, protocol: str, fold: int, train: np.ndarray, test: np.ndarray) -> np.ndarray:
        """Train on some rows, predict others, keep history and scores; also those of the mean over seeds.

        Parameters
        ----------
        model
            Name of the model.
        protocol
            How rows are held out.
        fold
            Number of the fold.
        train
            Rows that are learned from, int64 [n_train].
        test
            Rows that are predicted, int64 [n_test].

        Returns
        -------
        numpy.ndarray
            Predictions, float32 [n_seeds, n_test, n_layers * n_genes]; of a model that joins the seeds [1, ...].
        """
        start = time.perf_counter()
        keys = self.table.keys.iloc[test].reset_index(drop=True)
        result = build(model, self.options).fit_predict(self.table.take(train), keys, self.seeds_of(model), self.device)
        self.note(result.history, model, protocol, fold)
        every = zip(self.layers, self.by_layer(self.table.y[test]), self.by_layer(result.predictions), strict=True)
        for layer, truth, predictions in every:
            self.score(layer, (model, protocol, fold), test, truth, predictions)
        say(
            f"{model}, {self.encoding(model)}, {protocol}, fold {fold}: {len(train)} rows in training, {len(test)} "
            f"predicted, {time.perf_counter() - start:.1f} s"
        )
        return result.predictions

    def score(
        self,
        layer: LayerTables,
        fit: tuple[str, str, int],
        test: np.ndarray,
        truth: np.ndarray,
        predictions: np.ndarray,
    ) -> None:
        """Keep the scores of one layer: of each seed, and of the mean over seeds.

        Parameters
        ----------
        layer
            Gets the scores.
        fit
            Name of the model, protocol and number of the fold.
        test
            Rows that were predicted, int64 [n_test].
        truth
            Their targets, float32 [n_test, n_genes].
        predictions
            float32 [n_seeds, n_test, n_genes].
        """
        model, protocol, fold = fit
        scorer = Scorer(truth)
        keys = self.table.keys.iloc[test].reset_index(drop=True)
        parts = parts_of_test(self.table, test, protocol, self.seeds[0])
        known = keys[list(PAIR)].assign(**{"row": test, PART: parts, ZEROS: (truth == 0).mean(axis=1)})
        # a model that joins the seeds has one prediction, which stands under the first
        scored = [(model, seed, predicted) for seed, predicted in zip(self.seeds, predictions, strict=False)]
        if len(predictions) > 1:
            scored.append((model + ENSEMBLE, self.seeds[0], predictions.mean(axis=0)))
        for name, seed, predicted in scored:
            scores = scorer.score(predicted)
            said = dict(zip(KEYS[:-1], (name, self.encoding(model), protocol, seed, fold), strict=True))
            layer.scores += [(*said.values(), *mean) for mean in means_by_part(scores, parts)]
            rows = pd.concat([known, scores.table()], axis=1).assign(**said)
            layer.row_scores.append(rows[list(COLUMNS)])

    def note(self, history: pd.DataFrame, model: str, protocol: str, fold: int | str) -> None:
        """Keep a history.

        Parameters
        ----------
        history
            ``seed, epoch, part, loss``.
        model
            Name of the model.
        protocol
            How rows are held out.
        fold
            Number of the fold; ``final``: trained on all rows.
        """
        if len(history):
            said = pd.DataFrame(
                {"model": model, "encoding": self.encoding(model), "protocol": protocol, "fold": fold},
                index=history.index,
            )
            self.history.append(pd.concat([said, history], axis=1))

    def rows_of(self, model: str, protocol: str, fold: int, test: np.ndarray, predictions: np.ndarray) -> pa.Table:
        """Return one row for each seed and test row: keys, then genes.

        Parameters
        ----------
        model
            Name of the model.
        protocol
            How rows are held out.
        fold
            Number of the fold; ``final``: trained on all rows.
        test
            Rows that are predicted, int64 [n_test].
        predictions
            Of one layer, float32 [n_seeds, n_test, n_genes].
        """
        seeds = self.seeds[: len(predictions)]
        n_rows = len(seeds) * len(test)
        said = {"model": model, "encoding": self.encoding(model), "protocol": protocol}
        values: dict[str, list | np.ndarray] = {name: [value] * n_rows for name, value in said.items()}
        values |= {"seed": np.repeat(seeds, len(test)), "fold": np.full(n_rows, fold), "row": np.tile(test, len(seeds))}
        return pa.Table.from_arrays(
            [pa.array(values[name]) for name in KEYS] + gene_arrays(predictions), names=[*KEYS, *self.table.genes]
        )


def gene_arrays(predictions: np.ndarray) -> list[pa.Array]:
    """Return one float32 array for each gene of [..., n_genes].

    Parameters
    ----------
    predictions
        [..., n_genes].
    """
    by_gene = np.ascontiguousarray(predictions.reshape(-1, predictions.shape[-1]).T)
    return [pa.array(values) for values in by_gene]


@contextmanager
def parquet_writer(path: Path) -> Iterator:
    """Yield a function that appends a table to a parquet file, which appears when all is written.

    Parameters
    ----------
    path
        Of the file.
    """
    with whole_file(path) as partial:
        writer = None

        def append(table: pa.Table) -> None:
            nonlocal writer
            writer = writer or pq.ParquetWriter(partial, table.schema, compression="zstd")
            writer.write_table(table)

        try:
            yield append
        finally:
            if writer:
                writer.close()


def write_tables(run: Run, outdir: Path) -> None:
    """Write history.csv, scores.csv, row_scores.parquet and examples.parquet, as far as there is anything to write.

    Scores of a second layer go to the folder ``second_layer``.

    Parameters
    ----------
    run
        Whose tables are written.
    outdir
        Where the files go.
    """
    if run.history:
        with whole_file(outdir / "history.csv") as partial:
            pd.concat(run.history).to_csv(partial, index=False)
    for layer, folder in zip(run.layers, (outdir, outdir / SECOND), strict=False):
        if layer.scores:
            with whole_file(folder / "scores.csv") as partial:
                pd.DataFrame(layer.scores, columns=[*KEYS[:-1], PART, "metric", "value"]).to_csv(partial, index=False)
            for name, parts in (("row_scores", layer.row_scores), ("examples", layer.examples)):
                with whole_file(folder / f"{name}.parquet") as partial:
                    pd.concat(parts).to_parquet(partial, index=False)
