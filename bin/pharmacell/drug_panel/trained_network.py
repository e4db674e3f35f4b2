"""The panel's trained network: what it says of profiles and drugs, and how it is kept on disk (never as a pickle)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd
import torch

from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file, write_json
from pharmacell.core.json_dataclass import NO_OTHER_KEYS, from_json
from pharmacell.data.fingerprints import morgan_counts, tanimoto
from pharmacell.data.input_file import reason
from pharmacell.data.molecules import canonical_smiles
from pharmacell.data.standardise import LIMIT, Standardiser
from pharmacell.drug_panel.network import DrugQueryNetwork
from pharmacell.drug_panel.settings import PanelNetworkConfig
from pharmacell.nn.random import ReplicaRandom

ROWS_AT_ONCE = 256
REMEDY = "run pretrain_panel again"


@dataclass(frozen=True)
class PanelNetwork:
    """A trained stack with what it needs to answer.

    Attributes
    ----------
    network
        The stack.
    genes
        Its input, all genes of the bulk lines.
    scaler
        Mean and deviation of each gene over the lines.
    drugs
        The measured ones.
    smiles
        Canonical SMILES of each, empty where none is known.
    level, slope
        Of each drug: ln(IC50 / uM) is level + slope z, float32 [n_drugs].
    """

    network: DrugQueryNetwork
    genes: list[str]
    scaler: Standardiser
    drugs: list[str]
    smiles: list[str]
    level: np.ndarray
    slope: np.ndarray

    def inputs(self, profiles: np.ndarray, genes: Sequence[str]) -> np.ndarray:
        """Return profiles as the network takes them, float32 [n, n_genes]; a gene that they lack is 0, the lines' mean.

        Profiles on fewer genes are first brought to the mean and deviation that the lines have on these.

        Parameters
        ----------
        profiles
            Standardised within the profile, [n, n_given].
        genes
            Of the columns; those that the network does not know are left out.
        """
        places = pd.Index(self.genes).get_indexer(pd.Index(genes))
        known = places >= 0
        mean, std = self.scaler.mean[places[known]], self.scaler.std[places[known]]
        own = profiles[:, known] * np.sqrt(mean.var() + np.square(std).mean()) + mean.mean()
        found = np.zeros((len(profiles), len(self.genes)), np.float32)
        found[:, places[known]] = np.clip((own - mean) / std, -LIMIT, LIMIT)
        return found

    def look_up(self, asked: Sequence[str]) -> pd.DataFrame:
        """Find what is asked about among the measured drugs.

        Parameters
        ----------
        asked
            Names of measured drugs, or SMILES of any molecules.

        Returns
        -------
        pandas.DataFrame
            ``asked, measured, drug, tanimoto``, a row each: whether it was measured, else the measured drug whose
            structure is most alike and how much (Tanimoto similarity of Morgan counts, 1 for the same).

        Raises
        ------
        InputError
            If a text is neither, or the network knows drugs by name alone.
        """
        known = [place for place, smiles in enumerate(self.smiles) if smiles]
        by_smiles = {self.smiles[place]: self.drugs[place] for place in known}
        rows = []
        for text in asked:
            smiles = None if text in self.drugs else canonical_smiles(text)
            drug = text if text in self.drugs else by_smiles.get(smiles or "")
            if drug is not None:
                rows.append((text, True, drug, 1.0))
                continue
            if smiles is None:
                raise InputError(f"'{text}' is neither a drug of the panel nor the SMILES of a molecule; correct it")
            if self.network.config.drug_features != "fingerprint":
                raise InputError(
                    f"'{text}' was never measured, and this network knows drugs by name alone; train it with "
                    "--drug_features fingerprint"
                )
            likeness = tanimoto(morgan_counts([smiles]), morgan_counts([self.smiles[place] for place in known]))[0]
            rows.append((text, False, self.drugs[known[int(likeness.argmax())]], float(likeness.max())))
        return pd.DataFrame(rows, columns=["asked", "measured", "drug", "tanimoto"])

    @torch.no_grad()
    def z(self, inputs: np.ndarray, asked: Sequence[str] | None = None) -> np.ndarray:
        """Return the predicted response, standardised by drug, mean of the replicas, float32 [n, n_asked].

        Parameters
        ----------
        inputs
            From :meth:`inputs`.
        asked
            See :meth:`look_up`; all measured drugs by default.
        """
        vectors = self.vectors(self.drugs if asked is None else asked)
        network = self.network.eval()
        blocks = []
        for start in range(0, len(inputs), ROWS_AT_ONCE):
            x = torch.as_tensor(inputs[start : start + ROWS_AT_ONCE], device=vectors.device)
            blocks.append(network(network.latent(x), vectors)[..., 0].mean(0).cpu().numpy())
        return np.concatenate(blocks)

    def vectors(self, asked: Sequence[str]) -> torch.Tensor:
        """Return the vectors of drugs and molecules, [n_replicas, n_asked, drug_width].

        Parameters
        ----------
        asked
            See :meth:`look_up`.
        """
        found = self.look_up(asked)
        embedding = self.network.drugs
        device = embedding.structures.device
        places = torch.tensor([self.drugs.index(drug) for drug in found["drug"]], device=device)
        vectors = embedding(places)
        new = [place for place, measured in enumerate(found["measured"]) if not measured]
        if new:
            smiles = [canonical_smiles(asked[place]) or "" for place in new]
            features = torch.as_tensor(structure_features(smiles), device=device)
            vectors = vectors.index_copy(1, torch.tensor(new, device=device), embedding.of_molecules(features))
        return vectors

    def ln_ic50(self, inputs: np.ndarray, asked: Sequence[str] | None = None) -> np.ndarray:
        """Return predicted ln(IC50 / uM), [n, n_asked]; a molecule never measured has the scale of the nearest drug.

        Parameters
        ----------
        inputs
            From :meth:`inputs`.
        asked
            See :meth:`look_up`; all measured drugs by default.
        """
        names = list(self.drugs if asked is None else asked)
        places = [self.drugs.index(drug) for drug in self.look_up(names)["drug"]]
        return self.level[places] + self.slope[places] * self.z(inputs, names)


def structure_features(smiles: Sequence[str]) -> np.ndarray:
    """Return logarithms of Morgan counts, brought to one length, float32 [n, n_bits]; zeros for an empty text.

    Parameters
    ----------
    smiles
        Of molecules, empty where the structure is not known.
    """
    known = [row for row, text in enumerate(smiles) if text]
    counts = np.log1p(morgan_counts([smiles[row] for row in known]))
    found = np.zeros((len(smiles), counts.shape[1]), np.float32)
    length = np.linalg.norm(counts, axis=1, keepdims=True)
    found[known] = counts * np.sqrt(counts.shape[1]) / np.maximum(length, 1e-6)
    return found


@dataclass(frozen=True)
class NetworkCard:
    """What the json beside the weights holds.

    Attributes
    ----------
    config
        Shape and training.
    genes, drugs, smiles
        See :class:`PanelNetwork`.
    seeds
        Of the replicas.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    config: PanelNetworkConfig
    genes: list[str]
    drugs: list[str]
    smiles: list[str]
    seeds: list[int]

    def fingerprint(self) -> str:
        """Return a digest that ties the json to its weights."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()


def save_network(trained: PanelNetwork, weights: Path) -> None:
    """Write ``<name>.safetensors`` and ``<name>.json``, each whole or not at all.

    Parameters
    ----------
    trained
        What to write.
    weights
        The safetensors file.
    """
    from safetensors.torch import save_file

    network = trained.network
    card = NetworkCard(network.config, trained.genes, trained.drugs, trained.smiles, network.random.seeds)
    arrays = {
        "mean": trained.scaler.mean,
        "std": trained.scaler.std,
        "level": trained.level,
        "slope": trained.slope,
    }
    tensors = {f"network.{name}": value.contiguous().cpu() for name, value in network.state_dict().items()}
    tensors |= {name: torch.as_tensor(value) for name, value in arrays.items()}
    with whole_file(weights) as partial:
        save_file(tensors, partial, metadata={"fingerprint": card.fingerprint()})
    write_json(weights.with_suffix(".json"), asdict(card))


def load_network(weights: Path, device: torch.device | str = "cpu") -> PanelNetwork:
    """Read what :func:`save_network` wrote.

    Parameters
    ----------
    weights
        The safetensors file; its json must lie beside it.
    device
        Where the weights go.

    Raises
    ------
    InputError
        If a file is missing, damaged, of another version or does not belong to the other.
    """
    from safetensors import SafetensorError, safe_open

    described = weights.with_suffix(".json")
    try:
        card = from_json(NetworkCard, json.loads(described.read_text()), str(described), REMEDY)
        with safe_open(weights, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dictionary)
            if (file.metadata() or {}).get("fingerprint") != card.fingerprint():
                raise ValueError(f"{described.name} belongs to other weights")
        state = {name.removeprefix("network."): value for name, value in tensors.items() if "." in name}
        network = DrugQueryNetwork(
            card.config, len(card.genes), state["drugs.structures"], ReplicaRandom(card.seeds, device)
        )
        network.load_state_dict(state)
        arrays = {name: value.numpy() for name, value in tensors.items() if "." not in name}
    except (OSError, SafetensorError, ValueError, KeyError, RuntimeError) as error:
        raise InputError(f"{weights}: not a network of the panel ({reason(error)}); {REMEDY}") from error
    scaler = Standardiser(arrays["mean"], arrays["std"])
    return PanelNetwork(network.eval(), card.genes, scaler, card.drugs, card.smiles, arrays["level"], arrays["slope"])
