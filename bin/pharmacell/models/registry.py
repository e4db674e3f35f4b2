"""The compared models by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Protocol

import numpy as np

from pharmacell.errors import InputError

if TYPE_CHECKING:
    import torch

    from pharmacell.benchmark.fold import Fold

BULK_LINES = 1000  # that predictions of memory reckon with; GDSC has 975


class ComparedModel(Protocol):
    """What the benchmark asks of a model."""

    def fit_predict(self, folds: Sequence["Fold"], device: "torch.device") -> list[np.ndarray]:
        """Fit one model for each fold and return its probabilities of being sensitive, float32 [n_test] each.

        The probabilities of a fold do not depend on the folds that stand beside it.
        """

    def stack_bytes(self, n_genes: int, n_train: int, n_test: int) -> int:
        """Return the predicted peak memory in bytes that one more fold of a stack takes."""


@dataclass(frozen=True)
class Entry:
    """A compared model.

    Parameters
    ----------
    name
        As in ``--models``.
    title
        For tables and figures.
    source
        Where the method was published.
    load
        Imports the model's module and returns the model's class and its configuration's class.
    uses_labels
        Whether it learns from cell labels where the protocol gives them.
    uses_heads
        Whether the sweeps over attention heads and over sampling concern it.
    """

    name: str
    title: str
    source: str
    load: Callable[[], tuple[type, type]]
    uses_labels: bool = False
    uses_heads: bool = False


def _atsdp() -> tuple[type, type]:
    from pharmacell.models.compared.atsdp import ATSDPSettings, CrossValidatedATSDP

    return CrossValidatedATSDP, ATSDPSettings


def _prevalence() -> tuple[type, type]:
    from pharmacell.models.compared.prevalence import Prevalence, PrevalenceConfig

    return Prevalence, PrevalenceConfig


def _signature() -> tuple[type, type]:
    from pharmacell.models.compared.signature import SignatureConfig, SignatureModel

    return SignatureModel, SignatureConfig


def _ridge() -> tuple[type, type]:
    from pharmacell.models.compared.ridge import RidgeConfig, RidgeModel

    return RidgeModel, RidgeConfig


def _logistic() -> tuple[type, type]:
    from pharmacell.models.compared.logistic import LogisticConfig, LogisticModel

    return LogisticModel, LogisticConfig


def _mlp() -> tuple[type, type]:
    from pharmacell.models.compared.mlp import MLPConfig, MLPModel

    return MLPModel, MLPConfig


_ENTRIES = (
    Entry("atsdp", "ATSDP-NET", "Front. Med. 2025, 10.3389/fmed.2025.1631898", _atsdp, uses_labels=True,
          uses_heads=True),
    Entry("prevalence", "Prevalence", "the share of sensitive rows; no method", _prevalence, uses_labels=True),
    Entry("signature", "Signature", "Wold 1966 (partial least squares, one component)", _signature),
    Entry("ridge", "Ridge", "Hoerl and Kennard 1970, 10.1080/00401706.1970.10488634", _ridge),
    Entry("logistic", "Logistic regression", "Cox 1958, 10.1111/j.2517-6161.1958.tb00292.x", _logistic,
          uses_labels=True),
    Entry("mlp", "Perceptron", "Rumelhart, Hinton and Williams 1986, 10.1038/323533a0", _mlp, uses_labels=True),
)
REGISTRY: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}


def model_names() -> list[str]:
    """Return the names of all compared models."""
    return list(REGISTRY)


def check_names(names: Sequence[str]) -> None:
    """Check the names of models without importing one.

    Raises
    ------
    InputError
        If a name is unknown; the message lists all names.
    """
    for name in names:
        if name not in REGISTRY:
            raise InputError(f"--models {name}: no such model; there are {', '.join(model_names())}")


def get(name: str, **chosen) -> ComparedModel:
    """Return a model with its defaults, changed by every setting that is not None.

    Parameters
    ----------
    name
        Of the model.
    chosen
        Settings by the name of the configuration's field. A setting shared by many models, such as ``epochs``, may be
        given to all: a model whose configuration lacks it goes without.

    Raises
    ------
    InputError
        If there is no such model.
    """
    check_names([name])
    model, config = REGISTRY[name].load()
    known = {field.name for field in fields(config)}
    return model(config(**{key: value for key, value in chosen.items() if value is not None and key in known}))


def settings_of(name: str) -> list[str]:
    """Return the names of a model's settings."""
    check_names([name])
    return [field.name for field in fields(REGISTRY[name].load()[1])]
