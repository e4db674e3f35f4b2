"""Every model of the perturbation task: name, title, kind, and what builds it."""

from dataclasses import dataclass
from typing import Literal

from pharmacell.perturbation.models.base import PerturbationModel
from pharmacell.perturbation.models.blend import Blend
from pharmacell.perturbation.models.simple import SIMPLE
from pharmacell.perturbation.settings import FitOptions

ENSEMBLE = "_ensemble"  # ends the name under which the mean over a network's seeds is scored
NO_ENCODING = "none"  # of models that see a row in their own way
Kind = Literal["network", "baseline", "classical"]


@dataclass(frozen=True)
class Entry:
    """A model of the perturbation task.

    Parameters
    ----------
    name
        As in ``--perturbation_models``.
    title
        For figures and the report.
    kind
        ``network``; ``baseline``, which always runs; or ``classical``.
    """

    name: str
    title: str
    kind: Kind


_ENTRIES = (
    Entry("gru", "GRU", "network"),
    Entry("lstm", "LSTM", "network"),
    Entry("gru3", "GRU, three layers", "network"),
    Entry("gru3_attn", "GRU, three layers, attention", "network"),
    Entry("transformer", "transformer", "network"),
    Entry("autoencoder", "autoencoder", "network"),
    Entry("cnn", "1-D convolutions", "network"),
    Entry("zeros", "zeros", "baseline"),
    Entry("gene_mean", "gene mean", "baseline"),
    Entry("median", "gene median", "baseline"),
    Entry("mean_per_cell_type", "cell type mean", "baseline"),
    Entry("mean_per_compound", "compound mean", "baseline"),
    Entry("additive", "additive", "baseline"),
    Entry("scaled_additive", "additive, scaled by cell type", "classical"),
    Entry("knn", "nearest compounds", "classical"),
    Entry("ridge", "ridge regression", "classical"),
    Entry("extra_trees", "extra trees", "classical"),
    Entry("gradient_boosting", "gradient boosting", "classical"),
    Entry("blend", "blend", "classical"),
)
REGISTRY: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}


def names_of(kind: Kind) -> tuple[str, ...]:
    """Return the names of the models of one kind.

    Parameters
    ----------
    kind
        ``network``, ``baseline`` or ``classical``.
    """
    return tuple(entry.name for entry in _ENTRIES if entry.kind == kind)


def title_of(model: str, encoding: str) -> str:
    """Return how figures and the report name a model: its title, with its encoding where it has one.

    Parameters
    ----------
    model
        Its name.
    encoding
        Of a network; ``none`` for the others.
    """
    one = model.removesuffix(ENSEMBLE)
    title = REGISTRY[one].title if one in REGISTRY else one
    title = title if one == model else f"{title}, mean of seeds"
    return title if encoding == NO_ENCODING else f"{title}, {encoding}"


# lib/PerturbationPlan.groovy has the same three lists
NETWORKS, BASELINES, CLASSICAL = names_of("network"), names_of("baseline"), names_of("classical")
TRAINED = (*NETWORKS, "blend")  # what seeds, a device and the options of networks concern


def build(name: str, options: FitOptions) -> PerturbationModel:
    """Return a model that has learned nothing yet.

    Parameters
    ----------
    name
        Of the model.
    options
        Concern networks and what holds networks.
    """
    if name == "blend":
        return Blend(options)
    if name not in NETWORKS:
        return SIMPLE[name]
    from pharmacell.perturbation.models.stacked_network import StackedNetwork

    return StackedNetwork(name, options)
