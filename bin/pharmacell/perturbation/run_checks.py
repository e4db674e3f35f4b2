"""What can be known to be wrong before anything is trained."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pharmacell.core.errors import InputError
from pharmacell.perturbation.models.registry import NETWORKS, REGISTRY, TRAINED
from pharmacell.perturbation.protocols import Split, folds
from pharmacell.perturbation.settings import FitOptions
from pharmacell.perturbation.treated_cells import FOLD_CHANGE

if TYPE_CHECKING:
    from pharmacell.perturbation.table import PerturbationTable


def check_run(
    table: "PerturbationTable",
    models: Sequence[str],
    protocols: Sequence[str],
    options: FitOptions,
    final: bool,
    predicts: bool,
    seed: int,
) -> dict[str, list[Split]]:
    """Check options against each other and against the table; returns the folds of each protocol.

    Parameters
    ----------
    table
        All rows with their keys.
    models
        Names of the models.
    protocols
        Names of the protocols.
    options
        What the command's user chose.
    final
        Whether models are trained on all rows too.
    predicts
        Whether there are rows to predict after that.
    seed
        Seed of everything random in it.

    Raises
    ------
    InputError
        If something cannot work.
    """
    for name in models:
        if name not in REGISTRY:
            raise InputError(f"--model {name}: no such model; choose among {', '.join(REGISTRY)}")
    if len(set(models)) < len(models) or len(set(protocols)) < len(protocols):
        raise InputError("--model, --protocol: a name was given twice; give each once")
    if not (protocols or final):
        raise InputError("--no_final without --protocol: there is nothing to train; leave one out or add the other")
    if not (protocols or predicts or any(name in NETWORKS for name in models)):
        raise InputError(
            f"--model {models[0]}: only networks are stored, so there is nothing to write; add --protocol or --id_map"
        )
    parts = {protocol: folds(table, protocol, seed) for protocol in protocols}
    networks = [name for name in models if name in TRAINED]
    if networks:
        check_networks(table, networks, options)
    return parts


def check_target_space(options: FitOptions, layer: str | None) -> None:
    """Check that what networks are to see as z-scores are p-values, going by the name of the layer.

    Parameters
    ----------
    options
        What the command's user chose.
    layer
        Of the h5ad that is read; None for a table without layers.

    Raises
    ------
    InputError
        If the layer holds fold changes.
    """
    if options.target_space == "z_score" and FOLD_CHANGE.fullmatch(str(layer)):
        raise InputError(f"--target_space z_score: the layer {layer} holds fold changes, not p-values; leave it out")


def check_networks(table: "PerturbationTable", networks: Sequence[str], options: FitOptions) -> None:
    """Check what concerns networks: layers, the encoding, the table of compound vectors.

    Parameters
    ----------
    table
        All rows with their keys.
    networks
        Names of the networks, and of what holds networks.
    options
        What the command's user chose.
    """
    from pharmacell.perturbation.encodings.registry import ENCODERS
    from pharmacell.perturbation.models.network import configure

    for name in networks:
        if name in NETWORKS:
            configure(name, options)
    ENCODERS[str(options.encoding)].fit(table, options, None)
    if options.compound_embedding and options.encoding not in ("embedding", "joint"):
        raise InputError(
            "--compound_embedding: only the encodings embedding and joint read it; leave it out or choose one of them"
        )
