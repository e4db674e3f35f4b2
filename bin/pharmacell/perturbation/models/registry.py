"""Every model of the perturbation task by name."""

from pharmacell.perturbation.models.base import PerturbationModel
from pharmacell.perturbation.models.blend import Blend
from pharmacell.perturbation.models.simple import SIMPLE
from pharmacell.perturbation.settings import FitOptions

NETWORKS = ("gru", "lstm", "gru3", "gru3_attn", "transformer", "autoencoder")
CLASSICAL: dict[str, PerturbationModel] = {**SIMPLE, "blend": Blend()}  # baselines too; they hold no state
MODELS = (*NETWORKS, *CLASSICAL)


def build(name: str, options: FitOptions) -> PerturbationModel:
    """Return a model that has learned nothing yet; ``options`` concern networks only."""
    if name in CLASSICAL:
        return CLASSICAL[name]
    from pharmacell.perturbation.models.stacked_network import NetworkModel

    return NetworkModel(name, options)
