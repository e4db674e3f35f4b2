"""A network of the study as a model: fit an encoding and a stack of replicas, predict, store."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from typing_extensions import override

from pharmacell.core.errors import InputError
from pharmacell.core.seeds import integer
from pharmacell.nn.random import ReplicaRandom
from pharmacell.perturbation.encodings.base import Encoded, Encoder
from pharmacell.perturbation.encodings.registry import ENCODERS, from_parts, parts_of
from pharmacell.perturbation.imitation import unseen_column
from pharmacell.perturbation.losses import LayerLosses
from pharmacell.perturbation.models.base import HISTORY_COLUMNS, FitResult, PerturbationModel
from pharmacell.perturbation.models.inner import inner_folds
from pharmacell.perturbation.models.network import BODIES, Network, configure
from pharmacell.perturbation.models.training import ROWS_AT_ONCE, Rows, train
from pharmacell.perturbation.models.weights import layer_weights
from pharmacell.perturbation.outputs import LayerOutputs, Outputs
from pharmacell.perturbation.settings import FitOptions
from pharmacell.perturbation.table import PerturbationTable
from pharmacell.perturbation.target_spaces import TARGET_SPACES, of_first_layer
from pharmacell.training.settings import TrainingConfig

FEWEST_ROWS = 20  # in training, for inner folds
INNER_SEED = 0  # of the networks of inner folds, which all seeds share
SHARES = tuple(tenth / 10 for tenth in range(1, 11))  # of what a network puts out, when its loss decides

LAYER_PREFIXES = ("outputs.", "second_outputs.")  # of the stored arrays of each layer


@dataclass
class FittedNetwork:
    """A trained stack with all it needs to predict.

    Parameters
    ----------
    name
        Of the body.
    config
        Of the body.
    encoder
        Fitted on the training rows.
    outputs
        What the network puts out, of each layer of the table, fitted on the training rows.
    network
        The stack.
    seeds
        Of its replicas.
    genes
        Names of the genes.
    target_space
        Of the first layer in the outputs; see :data:`pharmacell.perturbation.target_spaces.TARGET_SPACES`.
    """

    name: str
    config: Any
    encoder: Encoder
    outputs: LayerOutputs
    network: Network
    seeds: list[int]
    genes: list[str]
    target_space: str

    def shrunk(self, shares: Sequence[tuple[float, float]]) -> "FittedNetwork":
        """Return the stack with outputs that count in part.

        Parameters
        ----------
        shares
            See :meth:`pharmacell.perturbation.outputs.LayerOutputs.shrunk`.
        """
        return replace(self, outputs=self.outputs.shrunk(shares))

    def predict(self, keys: pd.DataFrame) -> np.ndarray:
        """Return what each replica predicts in the table's units, float32 [n_replicas, n_rows, n_layers * n_genes].

        Parameters
        ----------
        keys
            Rows to predict.
        """
        return self.in_units(self.put_out(keys), keys)

    @torch.no_grad()
    def put_out(self, keys: pd.DataFrame) -> np.ndarray:
        """Return what each replica puts out, float32 [n_replicas, n_rows, n_outputs].

        Parameters
        ----------
        keys
            Rows to predict.
        """
        encoded, device = self.encoder.transform(keys), self.network.output.weight.device
        tokens, vector = on_device(encoded, device)
        found = []
        for rows in torch.arange(len(keys), device=device).split(ROWS_AT_ONCE):
            every = rows.expand(len(self.seeds), -1)
            found.append(self.network(tokens[every], None if vector is None else vector[every]).cpu().numpy())
        return np.concatenate(found, axis=1)

    def in_target_space(self, put_out: np.ndarray, keys: pd.DataFrame) -> np.ndarray:
        """Return predictions in the target space, float32 [n_replicas, n_rows, n_layers * n_genes].

        Parameters
        ----------
        put_out
            By :meth:`put_out`.
        keys
            Rows that it stands for.
        """
        cell_type = keys["cell_type"].to_numpy(str)
        n_columns = len(self.outputs.layers) * len(self.genes)
        predicted = np.empty((*put_out.shape[:2], n_columns), np.float32)
        for start in range(0, len(keys), ROWS_AT_ONCE):
            rows = slice(start, start + ROWS_AT_ONCE)
            predicted[:, rows] = self.outputs.decode(put_out[:, rows], cell_type[rows])
        return predicted

    def in_units(self, put_out: np.ndarray, keys: pd.DataFrame) -> np.ndarray:
        """Return predictions in the table's units, float32 [n_replicas, n_rows, n_layers * n_genes].

        Parameters
        ----------
        put_out
            By :meth:`put_out`.
        keys
            Rows that it stands for.
        """
        back = TARGET_SPACES[self.target_space].back
        return of_first_layer(back, self.in_target_space(put_out, keys), len(self.genes))

    def parts(self) -> tuple[dict[str, np.ndarray], dict]:
        """Return arrays by name and json values; see :meth:`from_parts`."""
        content, arrays = parts_of(self.encoder)
        weights = {f"network.{name}": value.cpu().numpy() for name, value in self.network.state_dict().items()}
        weights |= {f"encoder.{name}": value for name, value in arrays.items()}
        for prefix, outputs in zip(LAYER_PREFIXES, self.outputs.layers, strict=False):
            for name in ("centre", "scale", "patterns"):
                if (value := getattr(outputs, name)) is not None:
                    weights[f"{prefix}{name}"] = value
        config = {
            "model": self.name,
            "config": asdict(self.config),
            "encoding": self.encoder.name,
            "encoder": content,
            "scaled_cell_types": self.outputs.layers[0].cell_types,
            "seeds": self.seeds,
            "genes": self.genes,
            "target_space": self.target_space,
        }
        return weights, config

    @classmethod
    def from_parts(cls, weights: dict[str, np.ndarray], config: dict, device: torch.device) -> "FittedNetwork":
        """Make a stack again from its parts.

        Parameters
        ----------
        weights
            Arrays by name.
        config
            json values.
        device
            Where tensors live.
        """

        def part(prefix: str) -> dict[str, np.ndarray]:
            return {name.removeprefix(prefix): value for name, value in weights.items() if name.startswith(prefix)}

        body = BODIES[config["model"]][0](
            **{name: tuple(value) if isinstance(value, list) else value for name, value in config["config"].items()}
        )
        encoder = from_parts(config["encoding"], config["encoder"], part("encoder."))
        found = [part(prefix) for prefix in LAYER_PREFIXES]
        outputs = LayerOutputs(tuple(Outputs(config["scaled_cell_types"], **arrays) for arrays in found if arrays))
        random = ReplicaRandom(config["seeds"], device)
        network = Network(config["model"], body, encoder.shape(), sum(outputs.widths), random)
        network.load_state_dict({name: torch.as_tensor(value) for name, value in part("network.").items()})
        facts = [config[name] for name in ("seeds", "genes", "target_space")]
        return cls(config["model"], body, encoder, outputs, network.eval(), *facts)


@dataclass(frozen=True)
class Beside:
    """Rows beside those of a training part.

    Parameters
    ----------
    rows
        With their targets, true or predicted.
    learned
        Whether networks learn from them (pseudolabels); if not, their loss decides when to stop.
    """

    rows: PerturbationTable
    learned: bool


@dataclass(frozen=True)
class InnerFolds:
    """What networks that stopped at their best epoch in inner folds tell of those that learn from all rows.

    Attributes
    ----------
    n_epochs
        How long to train.
    shares
        Of the centre and of what is put out beside it, that count, for each layer; None: all of both.
    predictions
        Of the held-out rows of each fold, by a network that had not learned from them, float32
        [n_held, n_layers * n_genes].
    curve
        Mean loss of the held-out rows by epoch.
    """

    n_epochs: int
    shares: Sequence[tuple[float, float]] | None = None
    predictions: Sequence[np.ndarray] = ()
    curve: pd.Series | None = None


class StackedNetwork(PerturbationModel):
    """One of the networks with an encoding.

    Parameters
    ----------
    name
        Of the body.
    options
        The user's choices.
    """

    def __init__(self, name: str, options: FitOptions) -> None:
        self.name, self.options = name, options.complete()
        self.config = configure(name, self.options)

    @override
    def fit_predict(
        self, train: PerturbationTable, test_keys: pd.DataFrame, seeds: Sequence[int], device: torch.device | None
    ) -> FitResult:
        fitted, history, inner = self.fit(train, test_keys, seeds, device or torch.device("cpu"))
        predictions = fitted.predict(test_keys)
        if not np.isfinite(predictions).all():
            raise InputError(f"{self.name}: training diverged (a prediction is not finite); lower --learning_rate")
        return FitResult(predictions, history, *fitted.parts(), inner)

    def fit(
        self,
        table: PerturbationTable,
        test_keys: pd.DataFrame | None,
        seeds: Sequence[int],
        device: torch.device,
    ) -> tuple[FittedNetwork, pd.DataFrame, list[np.ndarray]]:
        """Find how long to train in inner folds, then train a stack of replicas on all rows for as long.

        Parameters
        ----------
        table
            The training rows.
        test_keys
            What will be predicted, so that the inner folds ask the same; None where this is not known. Keys only.
        seeds
            One for each replica.
        device
            Where to train.

        Returns
        -------
        tuple
            The stack, its history, and for each inner fold what a network that stopped at its best epoch predicts of
            the rows that it had not learned from, float32 [n_held, n_layers * n_genes] each.
        """
        unseen = unseen_column(table.keys, test_keys)
        found = self.train_in_inner_folds(table, test_keys, unseen, device)
        fitted, losses = self.train(table, None, unseen, seeds, found.n_epochs, device)
        fitted = fitted.shrunk(found.shares) if found.shares else fitted
        if self.options.pseudolabels and test_keys is not None:
            labelled = PerturbationTable.of_predictions(test_keys, table.genes, fitted.predict(test_keys).mean(axis=0))
            beside = Beside(labelled, learned=True)
            fitted, losses = self.train(table, beside, unseen, seeds, found.n_epochs, device)
            fitted = fitted.shrunk(found.shares) if found.shares else fitted
        parts = [losses.rename(columns={"replica": "seed", "value": "loss"})]
        if found.curve is not None:  # all seeds share what the inner folds found
            validation = found.curve.rename_axis("epoch").rename("loss").reset_index().assign(part="validation")
            parts += [validation.assign(seed=place) for place in range(len(seeds))]
        history = pd.concat(parts, ignore_index=True)[HISTORY_COLUMNS]
        history["seed"] = np.asarray(seeds)[history["seed"].to_numpy()]
        return fitted, history, list(found.predictions)

    def train_in_inner_folds(
        self, table: PerturbationTable, test_keys: pd.DataFrame | None, unseen: str | None, device: torch.device
    ) -> InnerFolds:
        """Train a network in each inner fold until its held-out rows improve no more.

        Parameters
        ----------
        table
            The training rows.
        test_keys
            What will be predicted; keys only.
        unseen
            What the rows to predict are without in training.
        device
            Where to train.
        """
        if not self.options.patience or len(table) < FEWEST_ROWS:
            return InnerFolds(self.config.epochs)
        stopped, asked, tested = [], [], []
        for known, held in inner_folds(table, test_keys):
            rows = table.take(held)
            beside = Beside(rows, learned=False)
            fitted, losses = self.train(table.take(known), beside, unseen, [INNER_SEED], self.config.epochs, device)
            stopped.append(fitted)
            asked.append(rows)
            tested.append(losses.query("part == 'validation'").set_index("epoch")["value"])
        curve = pd.concat(tested, axis=1).dropna().mean(axis=1)  # as far as all folds went
        put_out = [fitted.put_out(rows.keys) for fitted, rows in zip(stopped, asked, strict=True)]
        shares = None
        if self.options.shrink:
            shares = shrinkage(stopped, asked, put_out)
            stopped = [fitted.shrunk(shares) for fitted in stopped]
        predictions = [
            fitted.in_units(found, rows.keys)[0] for fitted, rows, found in zip(stopped, asked, put_out, strict=True)
        ]
        return InnerFolds(max(1, int(curve.idxmin())), shares, predictions, curve)

    def train(
        self,
        table: PerturbationTable,
        beside: Beside | None,
        unseen: str | None,
        seeds: Sequence[int],
        n_epochs: int,
        device: torch.device,
    ) -> tuple[FittedNetwork, pd.DataFrame]:
        """Train a stack on all rows of a table, in the target space.

        Parameters
        ----------
        table
            The training rows.
        beside
            Rows whose loss decides when to stop, or that are learned from too; encoder and outputs do not know them.
            Without rows whose loss decides, training goes through all epochs.
        unseen
            What the rows to predict are without in training (see :func:`unseen_column`).
        seeds
            One for each replica.
        n_epochs
            Most epochs.
        device
            Where to train.
        """
        seen_as = partial(of_first_layer, TARGET_SPACES[self.options.target_space].to, n_genes=len(table.genes))
        table = replace(table, y=seen_as(table.y))
        outputs = LayerOutputs.fit(table, self.options)
        standard = replace(table, y=outputs.standardised(table.y, table.cell_type))
        encoder = ENCODERS[str(self.options.encoding)].fit(standard, self.options, unseen)
        encoded, y, cell_type = encoder.transform_training(standard), table.y, table.cell_type
        if beside is not None:
            encoded = joined(encoded, encoder.transform(beside.rows.keys))
            y = np.concatenate([y, seen_as(beside.rows.y)])
            cell_type = np.concatenate([cell_type, beside.rows.cell_type])
        random = ReplicaRandom([integer(seed, "perturbation network") for seed in seeds], device)
        network = Network(self.name, self.config, encoder.shape(), sum(outputs.widths), random)
        every = torch.arange(len(y), device=device).expand(len(seeds), -1)
        if beside is None or beside.learned:
            rows = Rows(*on_device(encoded, device), every, None)
        else:
            rows = Rows(*on_device(encoded, device), every[:, : len(table)], every[:, len(table) :])
        training = TrainingConfig(
            epochs=n_epochs,
            batch_size=self.config.batch_size,
            learning_rate=self.config.learning_rate,
            patience=self.options.patience or 0,
            precision=self.options.precision,
        )
        losses = LayerLosses(str(self.options.loss), outputs, y, cell_type, device)
        shares = SHARES if self.options.shrink else (1.0,)
        history = train(network, random, rows, losses, training, self.name, shares).table()
        facts = list(seeds), table.genes, self.options.target_space
        return FittedNetwork(self.name, self.config, encoder, outputs, network, *facts), history


def shrinkage(
    stopped: Sequence[FittedNetwork], asked: Sequence[PerturbationTable], put_out: Sequence[np.ndarray]
) -> list[tuple[float, float]]:
    """Return how much of the centre, and of what is put out beside it, counts on rows that were not learned from.

    The prediction is a mean of nothing, the centre and the network; its weights, of each layer by itself, have the
    least squared error in the target space (see :func:`pharmacell.perturbation.models.weights.blend_weights`).

    Parameters
    ----------
    stopped
        A network of each inner fold.
    asked
        The rows that it had not learned from.
    put_out
        What it puts out for them, float32 [1, n_held, n_outputs].
    """
    n_genes = len(asked[0].genes)
    parts = list(zip(stopped, asked, put_out, strict=True))
    truths = [of_first_layer(TARGET_SPACES[fitted.target_space].to, rows.y, n_genes) for fitted, rows, _ in parts]
    weights = layer_weights(
        {
            "nothing": [np.zeros_like(truth) for truth in truths],
            "centre": [fitted.outputs.centres(rows.cell_type) for fitted, rows, _ in parts],
            "network": [fitted.in_target_space(found, rows.keys)[0] for fitted, rows, found in parts],
        },
        truths,
        n_genes,
    )
    return [(one["centre"] + one["network"], one["network"]) for one in weights]


def joined(first: Encoded, second: Encoded) -> Encoded:
    """Return the rows of two encoded tables.

    Parameters
    ----------
    first, second
        By one encoder.
    """
    tokens = np.concatenate([first.tokens, second.tokens])
    if first.vector is None or second.vector is None:
        return Encoded(tokens)
    return Encoded(tokens, np.concatenate([first.vector, second.vector]))


def on_device(encoded: Encoded, device: torch.device) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return tokens and vector as tensors.

    Parameters
    ----------
    encoded
        Tokens and perhaps a vector of each row.
    device
        Where tensors live.
    """
    vector = None if encoded.vector is None else torch.as_tensor(encoded.vector, device=device)
    return torch.as_tensor(encoded.tokens, device=device), vector
