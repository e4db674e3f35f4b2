"""A trained stack on disk: tensors as safetensors, everything else as json beside it; never pickle."""

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar, TypeVar

import numpy as np
import torch

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file, write_json
from pharmacell.core.json_dataclass import NO_OTHER_KEYS, from_json
from pharmacell.data.cells import CHUNK_CELLS, CellMatrix
from pharmacell.data.input_file import reason
from pharmacell.data.matrices import Rows
from pharmacell.data.standardise import Standardiser
from pharmacell.response.baselines import LinearBaselines
from pharmacell.response.ensemble import Ensemble
from pharmacell.response.model_card import REMEDY, ModelCard
from pharmacell.response.network import ATSDP
from pharmacell.response.settings import ATSDPConfig

Value = TypeVar("Value")


@dataclass
class Bundle:
    """What PRETRAIN_BULK hands to FINETUNE_SC, and FINETUNE_SC to PREDICT.

    Attributes
    ----------
    model
        The stack.
    genes
        Shared genes in the order of the input, [n_genes].
    source_scaler, target_scaler
        Standardisation of bulk lines and of cells; the latter is None before fine-tuning.
    baselines
        The linear baselines on the same genes.
    card
        The model card.
    ensemble
        Linear members, weights and calibration; None when the network stands alone.
    autoencoder
        The source encoder as the autoencoder left it, before it met any label: where the networks of the null begin.
        Empty once the sample is adapted.
    """

    model: ATSDP
    genes: list[str]
    source_scaler: Standardiser
    target_scaler: Standardiser | None
    baselines: LinearBaselines
    card: ModelCard
    ensemble: Ensemble | None = None
    autoencoder: dict[str, torch.Tensor] = field(default_factory=dict)

    def standardise_cells(self, x: Rows) -> np.ndarray:
        """Return cells as the target encoder takes them, float32 [n, n_genes].

        Parameters
        ----------
        x
            Expression as quality control left it, [n, n_genes].

        Raises
        ------
        InputError
            If the stack was not adapted to cells.
        """
        if self.target_scaler is None:
            raise InputError(
                "the model was pretrained but not adapted to cells; give the SAMPLE.model.safetensors "
                "that finetune_sc wrote"
            )
        return self.target_scaler.apply(x)

    def standardised_chunks(self, cells: CellMatrix, size: int = CHUNK_CELLS) -> Iterator[tuple[slice, np.ndarray]]:
        """Yield the rows of all cells, as :meth:`standardise_cells` returns them, with their positions.

        Parameters
        ----------
        cells
            The prepared sample.
        size
            Cells of a chunk.

        Raises
        ------
        InputError
            If the stack was not adapted to cells, or the sample lacks some of its genes.
        """
        start = 0
        for block in cells.blocks(self.genes, size):
            yield slice(start, start + block.shape[0]), self.standardise_cells(block)
            start += block.shape[0]

    @torch.no_grad()
    def network_scores(self, x: np.ndarray, domain: str, device: torch.device | str) -> np.ndarray:
        """Return the network's logit differences, [n_replicas, n].

        Parameters
        ----------
        x
            Standardised rows, [n, n_genes].
        domain
            ``source`` or ``target``: whose encoder they pass through.
        device
            Where the model is.
        """
        logits = self.model.logits(torch.as_tensor(x, device=device), domain)
        return (logits[..., 1] - logits[..., 0]).cpu().numpy()

    def score(self, x: np.ndarray, domain: str, device: torch.device | str) -> np.ndarray:
        """Return each replica's score, [n_replicas, n]; higher means more sensitive.

        Parameters
        ----------
        x, domain, device
            As in :meth:`network_scores`.
        """
        network = self.network_scores(x, domain, device)
        return network if self.ensemble is None else self.ensemble.score(network, x)

    def alone(self, network: np.ndarray, x: np.ndarray) -> np.ndarray:
        """Return the scores of the network and of each baseline by themselves, float32 [4, n].

        Parameters
        ----------
        network
            From :meth:`network_scores`.
        x
            Standardised rows, [n, n_genes].
        """
        own = network.mean(0) if self.ensemble is None else self.ensemble.network_alone(network)
        return np.concatenate([own[None], self.baselines.scores(x).T]).astype(np.float32)

    def link_alone(self, scores: np.ndarray) -> np.ndarray:
        """Return the probability of being sensitive that each gives by itself, float32 [4, n].

        Parameters
        ----------
        scores
            From :meth:`alone`, or means of such scores.
        """
        from scipy.special import expit

        slope, intercept = (1.0, 0.0)
        if self.ensemble is not None:
            slope, intercept = self.ensemble.network_slope, self.ensemble.network_intercept
        return np.concatenate([expit(slope * scores[:1] + intercept), self.baselines.link(scores[1:])])

    def link(self, score: np.ndarray) -> np.ndarray:
        """Return the probability of being sensitive, of the shape of the scores.

        Parameters
        ----------
        score
            From :meth:`score`, or a mean of such scores.
        """
        from scipy.special import expit

        return expit(score) if self.ensemble is None else self.ensemble.probability(score)


@dataclass(frozen=True)
class Description:
    """What the json beside the weights holds.

    Attributes
    ----------
    config
        Shape of the network.
    genes
        Its input, in order.
    n_replicas
        Replicas of the stack.
    card
        The model card.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    config: ATSDPConfig
    genes: list[str]
    n_replicas: int
    card: ModelCard

    def fingerprint(self) -> str:
        """Return a digest of the genes, their order and the network, which ties the json to its weights."""
        tied = {"config": asdict(self.config), "genes": self.genes, "n_replicas": self.n_replicas}
        return hashlib.sha256(json.dumps(tied, sort_keys=True).encode()).hexdigest()


def json_path(weights: str | Path) -> Path:
    """Return the json that belongs to a safetensors file.

    Parameters
    ----------
    weights
        The safetensors file.
    """
    return Path(weights).with_suffix(".json")


def save_bundle(bundle: Bundle, weights: str | Path) -> None:
    """Write ``<name>.safetensors`` and ``<name>.json``, each whole or not at all.

    Parameters
    ----------
    bundle
        What to write.
    weights
        The safetensors file.
    """
    from safetensors.torch import save_file

    tensors = {f"model.{name}": value.contiguous().cpu() for name, value in bundle.model.state_dict().items()}
    arrays = {
        "source_scaler.mean": bundle.source_scaler.mean,
        "source_scaler.std": bundle.source_scaler.std,
        "baselines.weights": bundle.baselines.weights,
        "baselines.slope": bundle.baselines.slope,
        "baselines.intercept": bundle.baselines.intercept,
    }
    if bundle.target_scaler is not None:
        arrays |= {"target_scaler.mean": bundle.target_scaler.mean, "target_scaler.std": bundle.target_scaler.std}
    if bundle.ensemble is not None:
        arrays |= {f"ensemble.{name}": np.asarray(value, np.float32) for name, value in vars(bundle.ensemble).items()}
    tensors |= {f"autoencoder.{name}": value.contiguous().cpu() for name, value in bundle.autoencoder.items()}
    tensors |= {name: torch.tensor(np.asarray(value)) for name, value in arrays.items()}
    description = Description(bundle.model.config, list(bundle.genes), bundle.model.n_replicas, bundle.card)
    with whole_file(weights) as partial:
        save_file(tensors, partial, metadata={"fingerprint": description.fingerprint()})
    write_json(json_path(weights), asdict(description))


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
        If a file is missing, damaged, of another version or does not belong to the other.
    """
    from safetensors import SafetensorError, safe_open

    for path in (Path(weights), json_path(weights)):
        if not path.is_file():
            raise InputError(f"{path}: no such file; a model is a .safetensors and a .json of the same name")
    description = load_description(json_path(weights))
    n_replicas = description.n_replicas
    try:
        with safe_open(weights, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dictionary)
            if (file.metadata() or {}).get("fingerprint") != description.fingerprint():
                raise ValueError(f"{json_path(weights).name} belongs to other weights")
        model = ATSDP(
            description.config, len(description.genes), seeds(n_replicas) if seeds else range(n_replicas), device
        )
        model.load_state_dict(below(tensors, "model."))
        arrays = {name: value.numpy() for name, value in tensors.items() if not name.startswith("model.")}
        target_scaler, ensemble = below(arrays, "target_scaler."), below(arrays, "ensemble.")
        return Bundle(
            model=model.eval(),
            genes=description.genes,
            source_scaler=Standardiser(**below(arrays, "source_scaler.")),
            target_scaler=Standardiser(**target_scaler) if target_scaler else None,
            baselines=LinearBaselines(**below(arrays, "baselines.")),
            card=description.card,
            ensemble=ensemble_of(ensemble) if ensemble else None,
            autoencoder=below(tensors, "autoencoder."),
        )
    except (SafetensorError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
        raise InputError(f"{weights}: not a PharmaCell model ({reason(error)}); {REMEDY}") from error


def load_description(path: Path) -> Description:
    """Read the json beside the weights.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        If it is damaged or of another version.
    """
    try:
        content = json.loads(path.read_text())
    except ValueError as error:
        raise InputError(f"{path}: not a PharmaCell model ({reason(error)}); {REMEDY}") from error
    return from_json(Description, content, str(path), REMEDY)


def below(values: Mapping[str, Value], prefix: str) -> dict[str, Value]:
    """Return the entries whose name begins with the prefix, without it.

    Parameters
    ----------
    values
        By name.
    prefix
        With its dot.
    """
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def ensemble_of(arrays: Mapping[str, np.ndarray]) -> Ensemble:
    """Return the ensemble of stored arrays, whose links are numbers.

    Parameters
    ----------
    arrays
        Its fields, by name.
    """
    return Ensemble(
        linear=arrays["linear"],
        centre=arrays["centre"],
        scale=arrays["scale"],
        weights=arrays["weights"],
        slope=float(arrays["slope"].item()),
        intercept=float(arrays["intercept"].item()),
        network_slope=float(arrays["network_slope"].item()),
        network_intercept=float(arrays["network_intercept"].item()),
    )
