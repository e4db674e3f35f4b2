"""Every model of the perturbation task by name."""

from collections.abc import Callable

from pharmacell.perturbation.models.base import FitOptions, PerturbationModel

NETWORKS = ("gru", "lstm", "gru3", "gru3_attn", "transformer", "autoencoder")
CLASSICAL: dict[str, Callable[[], PerturbationModel]] = {}  # floors and classical models: name -> class
MODELS = (*NETWORKS, *CLASSICAL)


def build(name: str, options: FitOptions) -> PerturbationModel:
    """Return a model that has learned nothing yet; ``options`` concern networks only."""
    if name in CLASSICAL:
        return CLASSICAL[name]()
    from pharmacell.perturbation.models.network import NetworkModel

    return NetworkModel(name, options)
