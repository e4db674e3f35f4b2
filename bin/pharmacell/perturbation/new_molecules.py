"""Predict molecules that may not have been trained on, and say how far from the training compounds they are."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.fingerprints import morgan_counts, tanimoto
from pharmacell.data.molecules import canonical_smiles, unparsable
from pharmacell.perturbation.encodings.base import categories
from pharmacell.perturbation.table import split_layers, texts_of
from pharmacell.perturbation.text_files import read_text

if TYPE_CHECKING:
    from pharmacell.perturbation.models.stacked_network import FittedNetwork

COLUMNS = ["cell_type", "SMILES"]


def read_pairs(path: Path | None, smiles: tuple[str, ...], cell_types: tuple[str, ...]) -> pd.DataFrame:
    """Return the pairs to predict, ``cell_type, SMILES``: rows of a table, or every SMILES in every cell type.

    Parameters
    ----------
    path
        csv or tsv of ``cell_type, SMILES``; None takes the next two.
    smiles, cell_types
        Every molecule is predicted in every cell type.

    Raises
    ------
    InputError
        If there are none, one stands there twice, or rdkit cannot parse a SMILES.
    """
    if path is None:
        pairs = pd.DataFrame([(cell_type.strip(), one) for one in smiles for cell_type in cell_types], columns=COLUMNS)
        said = "--smiles and --cell_type"
    else:
        pairs = read_text(path, COLUMNS)
        pairs = pd.DataFrame({name: texts_of(path, pairs[name]) for name in COLUMNS})
        said = str(path)
    if not len(pairs):
        raise InputError(f"{said}: nothing to predict; give {' and '.join(COLUMNS)}")
    if pairs.duplicated(COLUMNS).any():
        row = pairs[pairs.duplicated(COLUMNS)].iloc[0]
        raise InputError(f"{said}: ({row['cell_type']}, {row['SMILES']}) stands there twice; give it once")
    if bad := unparsable(pairs["SMILES"]):
        raise InputError(f"{said}: '{bad[0]}' is not the SMILES of a molecule, and nothing else; correct it")
    return pairs


def nearest_compounds(pairs: pd.DataFrame, compounds: pd.DataFrame) -> pd.DataFrame:
    """Find the training compound most like each molecule.

    Parameters
    ----------
    pairs
        ``cell_type, SMILES`` to predict.
    compounds
        Of the training rows: ``sm_name, sm_lincs_id, SMILES``.

    Returns
    -------
    pandas.DataFrame
        ``cell_type, SMILES, nearest_compound, nearest_smiles, tanimoto, in_training``, a row for each pair;
        ``in_training`` when both are the same molecule, however it is written.
    """
    own, known = (frame["SMILES"].map(canonical_smiles).tolist() for frame in (pairs, compounds))
    likeness = tanimoto(morgan_counts(own), morgan_counts(known))
    place = {smiles: number for number, smiles in reversed(list(enumerate(known)))}
    # counts of two molecules can be alike although they differ (stereochemistry): the same molecule comes first
    best = np.array([place.get(smiles, int(row.argmax())) for smiles, row in zip(own, likeness, strict=True)])
    found = compounds.iloc[best].reset_index(drop=True)
    return pairs.assign(
        nearest_compound=found["sm_name"],
        nearest_smiles=found["SMILES"],
        tanimoto=likeness[np.arange(len(pairs)), best],
        in_training=[smiles in place for smiles in own],
    )


def keys_of(nearest: pd.DataFrame, compounds: pd.DataFrame) -> pd.DataFrame:
    """Return keys that an encoder takes: those of training for a molecule that was in it, else its canonical SMILES.

    Parameters
    ----------
    nearest
        From :func:`nearest_compounds`.
    compounds
        Of the training rows: ``sm_name, sm_lincs_id, SMILES``.
    """
    known = compounds.set_index("SMILES").loc[nearest["nearest_smiles"]].reset_index()
    inside = nearest["in_training"].to_numpy()
    smiles = np.where(inside, known["SMILES"], nearest["SMILES"].map(canonical_smiles))
    return pd.DataFrame(
        {
            "cell_type": nearest["cell_type"],
            "sm_name": np.where(inside, known["sm_name"], smiles),
            "sm_lincs_id": np.where(inside, known["sm_lincs_id"], ""),
            "SMILES": smiles,
        }
    )


def predict_pairs(fitted: "FittedNetwork", card: dict, pairs: pd.DataFrame) -> tuple[list[pd.DataFrame], pd.DataFrame]:
    """Predict the differential expression of pairs.

    Parameters
    ----------
    fitted
        The networks.
    card
        Of the model: ``cell_types`` and ``compounds`` of its training.
    pairs
        ``cell_type, SMILES`` to predict.

    Returns
    -------
    predictions
        For each layer that the networks were trained on: ``cell_type, SMILES, gene, prediction, std, low, high``, a row
        for each gene of each pair: mean, standard deviation, smallest and largest of the replicas.
    nearest
        See :func:`nearest_compounds`.

    Raises
    ------
    InputError
        If a cell type was not in training.
    """
    known = card["cell_types"]
    unknown = [one for one in categories(pairs["cell_type"]) if one not in known]
    if unknown:
        raise InputError(f"cell type {unknown[0]}: the model was not trained on it; it knows {', '.join(known)}")
    compounds = pd.DataFrame(card["compounds"], columns=["sm_name", "sm_lincs_id", "SMILES"]).drop_duplicates("SMILES")
    nearest = nearest_compounds(pairs, compounds)
    values = fitted.predict(keys_of(nearest, compounds))
    return [of_replicas(one, pairs, fitted.genes) for one in split_layers(values, len(fitted.genes))], nearest


def of_replicas(values: np.ndarray, pairs: pd.DataFrame, genes: list[str]) -> pd.DataFrame:
    """Return mean and spread over the replicas, a row for each gene of each pair.

    Parameters
    ----------
    values
        Predictions of one layer, float32 [n_replicas, n_pairs, n_genes].
    pairs
        ``cell_type, SMILES``.
    genes
        Their names.
    """
    spread = values.std(0, ddof=1) if len(values) > 1 else np.full_like(values[0], np.nan)
    predictions = pairs.loc[pairs.index.repeat(len(genes))].reset_index(drop=True)
    found = {"prediction": values.mean(0), "std": spread, "low": values.min(0), "high": values.max(0)}
    return predictions.assign(gene=np.tile(genes, len(pairs)), **{name: value.ravel() for name, value in found.items()})
