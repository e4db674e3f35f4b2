"""A trained stack on disk: tensors as safetensors, everything else as json beside it; never pickle."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file, write_json
from pharmacell.data.input_file import reason
from pharmacell.data.standardise import Standardiser
from pharmacell.response.baselines import LinearBaselines
from pharmacell.response.ensemble import Ensemble
from pharmacell.response.network import ATSDP
from pharmacell.response.settings import ATSDPConfig


@dataclass
class Bundle:
    """What PRETRAIN_BULK hands to FINETUNE_SC, and FINETUNE_SC to PREDICT.

    Parameters
    ----------
    model
        The stack.
    genes
        Shared genes in the order of the input, [n_genes].
    source, target
        Standardisation of bulk lines and of cells; ``target`` is None before fine-tuning.
    baselines
        The linear baselines on the same genes.
    card
        Facts for the model card: drug, sample, seed, settings, metrics; json values only.
    ensemble
        Linear members, weights and calibration; None when the network stands alone.
    autoencoder
        The source encoder as the autoencoder left it, before it met any label: where the networks of the null begin.
        Empty once the sample is adapted.
    """

    model: ATSDP
    genes: list[str]
    source: Standardiser
    target: Standardiser | None
    baselines: LinearBaselines
    card: dict
    ensemble: Ensemble | None = None
    autoencoder: dict[str, torch.Tensor] = field(default_factory=dict)

    @torch.no_grad()
    def network_scores(self, x: np.ndarray, domain: str, device: torch.device | str) -> np.ndarray:
        """Return the network's logit differences of standardised rows [n, n_genes], [n_replicas, n]."""
        logits = self.model.logits(torch.as_tensor(x, device=device), domain)
        return (logits[..., 1] - logits[..., 0]).cpu().numpy()

    def score(self, x: np.ndarray, domain: str, device: torch.device | str) -> np.ndarray:
        """Return each replica's score of standardised rows, [n_replicas, n]; higher means more sensitive."""
        network = self.network_scores(x, domain, device)
        return network if self.ensemble is None else self.ensemble.score(network, x)

    def link(self, score: np.ndarray) -> np.ndarray:
        """Return the probability of being sensitive for scores of any shape."""
        from scipy.special import expit

        return expit(score) if self.ensemble is None else self.ensemble.probability(score)


def json_path(weights: str | Path) -> Path:
    """Return the json that belongs to a safetensors file."""
    return Path(weights).with_suffix(".json")


def fingerprint(facts: dict) -> str:
    """Return a digest of the genes, their order and the network, which ties a json to its weights."""
    said = {key: facts[key] for key in ("config", "genes", "n_replicas")}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def save_bundle(bundle: Bundle, weights: str | Path) -> None:
    """Write ``<name>.safetensors`` and ``<name>.json``, each whole or not at all."""
    from safetensors.torch import save_file

    tensors = {f"model.{name}": value.contiguous().cpu() for name, value in bundle.model.state_dict().items()}
    arrays = {
        "source.mean": bundle.source.mean,
        "source.std": bundle.source.std,
        "baselines.weights": bundle.baselines.weights,
        "baselines.slope": bundle.baselines.slope,
        "baselines.intercept": bundle.baselines.intercept,
    }
    if bundle.target is not None:
        arrays |= {"target.mean": bundle.target.mean, "target.std": bundle.target.std}
    if bundle.ensemble is not None:
        arrays |= {f"ensemble.{name}": np.asarray(value, np.float32) for name, value in vars(bundle.ensemble).items()}
    tensors |= {f"autoencoder.{name}": value.contiguous().cpu() for name, value in bundle.autoencoder.items()}
    tensors |= {name: torch.tensor(np.asarray(value)) for name, value in arrays.items()}
    facts = {
        "config": asdict(bundle.model.config),
        "genes": list(bundle.genes),
        "n_replicas": bundle.model.n_replicas,
        "card": bundle.card,
    }
    with whole_file(weights) as partial:
        save_file(tensors, partial, metadata={"fingerprint": fingerprint(facts)})
    write_json(json_path(weights), facts)


def load_bundle(
    weights: str | Path, seeds: Callable[[int], list[int]] | None = None, device: torch.device | str = "cpu"
) -> Bundle:
    """Read a bundle.

    Parameters
    ----------
    weights
        The safetensors file; its json must lie beside it.
    seeds
        Maps the number of replicas to the seeds of their random streams, for further training; not needed to predict.
    device
        Where the weights go.

    Raises
    ------
    InputError
        If a file is missing, damaged or does not belong to the other.
    """
    from safetensors import SafetensorError, safe_open

    for path in (Path(weights), json_path(weights)):
        if not path.is_file():
            raise InputError(f"{path}: no such file; a model is a .safetensors and a .json of the same name")
    try:
        facts = json.loads(json_path(weights).read_text())
        with safe_open(weights, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dictionary)
            if (file.metadata() or {}).get("fingerprint") != fingerprint(facts):
                raise ValueError(f"{json_path(weights).name} belongs to other weights")
        config = ATSDPConfig(
            **{key: tuple(value) if isinstance(value, list) else value for key, value in facts["config"].items()}
        )
        n_replicas = facts["n_replicas"]
        model = ATSDP(config, len(facts["genes"]), seeds(n_replicas) if seeds else range(n_replicas), device)
        model.load_state_dict(part_of(tensors, "model."))
        arrays = {name: value.numpy() for name, value in tensors.items() if not name.startswith("model.")}
        ensemble = part_of(arrays, "ensemble.")
        for name in ("slope", "intercept") if ensemble else ():
            ensemble[name] = float(ensemble[name].item())
        return Bundle(
            model=model.eval(),
            genes=facts["genes"],
            source=Standardiser(arrays["source.mean"], arrays["source.std"]),
            target=Standardiser(arrays["target.mean"], arrays["target.std"]) if "target.mean" in arrays else None,
            baselines=LinearBaselines(
                arrays["baselines.weights"], arrays["baselines.slope"], arrays["baselines.intercept"]
            ),
            card=facts["card"],
            ensemble=Ensemble(**ensemble) if ensemble else None,
            autoencoder=part_of(tensors, "autoencoder."),
        )
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise InputError(f"{weights}: not a PharmaCell model ({reason(error)}); train it again") from error


def part_of(tensors: dict, prefix: str) -> dict:
    """Return the entries whose name begins with the prefix, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
