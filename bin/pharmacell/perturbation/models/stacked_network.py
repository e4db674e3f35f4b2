"""A network of the study as a model: fit an encoding and a stack of replicas, predict, store."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import torch

from pharmacell.core.errors import InputError
from pharmacell.core.seeds import generator, integer
from pharmacell.nn.random import ReplicaRandom
from pharmacell.perturbation.encodings.base import Encoded, Encoder
from pharmacell.perturbation.encodings.registry import ENCODERS, from_parts, parts_of
from pharmacell.perturbation.imitation import unseen_column, validation_rows
from pharmacell.perturbation.models.base import HISTORY_COLUMNS, FitResult
from pharmacell.perturbation.models.network import BODIES, Network, configure
from pharmacell.perturbation.models.training import ROWS_AT_ONCE, Rows, train
from pharmacell.perturbation.outputs import Outputs
from pharmacell.perturbation.settings import FitOptions
from pharmacell.training.settings import TrainingConfig

if TYPE_CHECKING:
    from pharmacell.perturbation.table import PerturbationTable

VALIDATION_SHARE = 0.1
FEWEST_ROWS = 20  # in training, for a part of them to be held back


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
        Genes or components, fitted on the training rows.
    network
        The stack.
    seeds
        Of its replicas.
    genes
        Names of the genes.
    """

    name: str
    config: Any
    encoder: Encoder
    outputs: Outputs
    network: Network
    seeds: list[int]
    genes: list[str]

    @torch.no_grad()
    def predict(self, keys: pd.DataFrame) -> np.ndarray:
        """Return what each replica predicts, float32 [n_replicas, n_rows, n_genes].

        Parameters
        ----------
        keys
            Rows to predict.
        """
        encoded, device = self.encoder.transform(keys), self.network.output.weight.device
        tokens, vector = on_device(encoded, device)
        predicted = np.empty((len(self.seeds), len(keys), len(self.genes)), np.float32)
        for rows in torch.arange(len(keys), device=device).split(ROWS_AT_ONCE):
            every = rows.expand(len(self.seeds), -1)
            found = self.network(tokens[every], None if vector is None else vector[every])
            predicted[:, rows.cpu().numpy()] = self.outputs.decode(found.cpu().numpy())
        return predicted

    def parts(self) -> tuple[dict[str, np.ndarray], dict]:
        """Return arrays by name and json values; see :meth:`from_parts`."""
        content, arrays = parts_of(self.encoder)
        weights = {f"network.{name}": value.cpu().numpy() for name, value in self.network.state_dict().items()}
        weights |= {f"encoder.{name}": value for name, value in arrays.items()}
        if self.outputs.components is not None:
            weights["outputs.components"] = self.outputs.components
        config = {
            "model": self.name,
            "config": asdict(self.config),
            "encoding": self.encoder.name,
            "encoder": content,
            "scale": self.outputs.scale,
            "seeds": self.seeds,
            "genes": self.genes,
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
        outputs = Outputs(weights.get("outputs.components"), config["scale"])
        n_outputs = len(config["genes"]) if outputs.components is None else len(outputs.components)
        network = Network(config["model"], body, encoder.shape(), n_outputs, ReplicaRandom(config["seeds"], device))
        network.load_state_dict({name: torch.as_tensor(value) for name, value in part("network.").items()})
        return cls(config["model"], body, encoder, outputs, network.eval(), config["seeds"], config["genes"])


class StackedNetwork:
    """One of the six networks with an encoding; see :class:`pharmacell.perturbation.models.base.PerturbationModel`.

    Parameters
    ----------
    name
        Of the body.
    options
        The user's choices.
    """

    def __init__(self, name: str, options: FitOptions) -> None:
        self.name, self.options, self.config = name, options, configure(name, options)

    def fit_predict(
        self, train: "PerturbationTable", test_keys: pd.DataFrame, seeds: Sequence[int], device: torch.device | None
    ) -> FitResult:
        """Train one replica for each seed on the training rows, and predict the test keys.

        Parameters
        ----------
        train
            The training rows.
        test_keys
            Rows to predict.
        seeds
            One for each replica.
        device
            Where tensors live; None: on the CPU.
        """
        fitted, history = self.fit(train, test_keys, seeds, device or torch.device("cpu"))
        predictions = fitted.predict(test_keys)
        if not np.isfinite(predictions).all():
            raise InputError(f"{self.name}: training diverged (a prediction is not finite); lower --learning_rate")
        return FitResult(predictions, history, *fitted.parts())

    def fit(
        self,
        table: "PerturbationTable",
        test_keys: pd.DataFrame | None,
        seeds: Sequence[int],
        device: torch.device,
    ) -> tuple[FittedNetwork, pd.DataFrame]:
        """Fit encoding, outputs and a stack of replicas.

        Parameters
        ----------
        table
            The training rows.
        test_keys
            What will be predicted, so that validation can resemble it; None where this is not known. Keys only.
        seeds
            One for each replica.
        device
            Where to train.
        """
        unseen = unseen_column(table.keys, test_keys)
        encoder = ENCODERS[self.options.encoding].fit(table, self.options, unseen)
        outputs = Outputs.fit(table.y, self.options.n_components)
        random = ReplicaRandom([integer(seed, "perturbation network") for seed in seeds], device)
        target = torch.as_tensor(outputs.encode(table.y), device=device)
        network = Network(self.name, self.config, encoder.shape(), target.shape[1], random)
        tokens, vector = on_device(encoder.transform_training(table), device)
        rows = Rows(tokens, vector, target, *self.divide(table, unseen, seeds, device))
        training = TrainingConfig(
            epochs=self.config.epochs,
            batch_size=self.config.batch_size,
            learning_rate=self.config.learning_rate,
            patience=self.options.patience,
            precision=self.options.precision,
        )
        losses = train(network, random, rows, self.options.loss, training, self.name).table()
        history = losses.rename(columns={"replica": "seed", "value": "loss"})[HISTORY_COLUMNS]
        history["seed"] = np.asarray(seeds)[history["seed"].to_numpy()]
        return FittedNetwork(self.name, self.config, encoder, outputs, network, list(seeds), table.genes), history

    def divide(
        self, table: "PerturbationTable", unseen: str | None, seeds: Sequence[int], device: torch.device
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the rows to fit and those to validate on (or None) of each replica, int64 [n_replicas, n].

        Parameters
        ----------
        table
            The training rows.
        unseen
            The column whose values the test rows do not share, or None.
        seeds
            One for each replica.
        device
            Where tensors live.
        """
        n_rows = len(table)
        if not self.options.patience or n_rows < FEWEST_ROWS:
            return torch.arange(n_rows, device=device).expand(len(seeds), -1), None
        parts = [
            validation_rows(table.sm_name, unseen, VALIDATION_SHARE, generator(seed, "perturbation validation"))
            for seed in seeds
        ]
        if not len(parts[0][0]):
            return torch.arange(n_rows, device=device).expand(len(seeds), -1), None
        fit, held = (torch.as_tensor(np.stack(part), device=device) for part in zip(*parts, strict=True))
        return fit, held


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
