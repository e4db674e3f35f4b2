"""Encodings: what they make of known and unknown rows."""

import numpy as np
import pytest
import torch
from synthetic_perturbation import small

from pharmacell.core.errors import InputError
from pharmacell.nn.random import ReplicaRandom
from pharmacell.perturbation.encodings.base import PAD, InputShape
from pharmacell.perturbation.encodings.embedding import read_vectors
from pharmacell.perturbation.encodings.registry import ENCODERS
from pharmacell.perturbation.encodings.smiles import tokenise
from pharmacell.perturbation.models.inputs import Inputs
from pharmacell.perturbation.settings import FitOptions

TABLE = small()


def test_tokens_of_a_smiles():
    assert tokenise("C[C@@H](Cl)c1ccc(Br)cc1%12") == [
        "C",
        "[C@@H]",
        "(",
        "Cl",
        ")",
        "c",
        "1",
        "c",
        "c",
        "c",
        "(",
        "Br",
        ")",
        "c",
        "c",
        "1",
        "%12",
    ]
    assert all("".join(tokenise(smiles)) == smiles for smiles in TABLE.smiles)


def test_ordinal_has_five_columns_of_their_own():
    encoded = ENCODERS["ordinal"].fit(TABLE, FitOptions(), None).transform(TABLE.keys)
    assert encoded.tokens.shape == (len(TABLE), 5)
    assert (encoded.tokens // 1000 == np.arange(5)).all()
    lengths = encoded.tokens[:, 4]
    order = np.argsort([len(smiles) for smiles in TABLE.smiles], kind="stable")
    assert (np.diff(lengths[order]) >= 0).all()  # longer SMILES, higher number


def test_smiles_end_with_the_cell_type():
    encoder = ENCODERS["smiles"].fit(TABLE, FitOptions(), None)
    encoded = encoder.transform(TABLE.keys)
    assert len(np.unique(encoded.tokens[:, -1])) == len(np.unique(TABLE.cell_type))
    lengths = [len(tokenise(smiles)) for smiles in TABLE.smiles]
    assert ((encoded.tokens != PAD).sum(1) - 1 == lengths).all()
    keys = TABLE.keys.head(1).assign(SMILES="[Se]" + "C" * 300 + "[Te]", cell_type="unheard of")
    odd = encoder.transform(keys).tokens[0]
    assert odd[-2] == 0
    assert odd[-1] == len(encoder.vocabulary) + 1
    assert len(odd) == encoder.n_tokens


def test_fingerprint_is_bounded_and_the_same_for_the_same_molecule():
    encoder = ENCODERS["fingerprint"].fit(TABLE, FitOptions(), None)
    keys = TABLE.keys.head(2).assign(SMILES=["OC(=O)c1ccccc1OC(C)=O", "CC(=O)Oc1ccccc1C(=O)O"])
    vector = encoder.transform(keys).vector
    np.testing.assert_allclose(vector[0], vector[1], atol=1e-4)
    far = encoder.transform(TABLE.keys.head(1).assign(SMILES="C" * 200)).vector
    assert np.isfinite(far).all()
    assert np.abs(far).max() <= max(5, np.log1p(200))


def test_unseen_embeddings_are_the_mean_of_the_seen():
    shape = InputShape(6, 2, 0, ((0, 1, 3), (3, 4, 6)))
    inputs = Inputs(shape, ReplicaRandom([0, 1]))
    inputs.settle()
    for unseen, start, stop in shape.unseen:
        torch.testing.assert_close(inputs.embedding[:, unseen], inputs.embedding[:, start:stop].mean(1))


def test_vectors_that_cannot_be_used(tmp_path):
    def refused(text: str, words: str) -> None:
        (tmp_path / "v.csv").write_text(text)
        with pytest.raises(InputError, match=words):
            read_vectors(tmp_path / "v.csv")

    refused("compound,a\nx,1\n", "no column names the compounds")
    refused("SMILES,a\nC,one\n", "column a holds text")
    refused("SMILES,a\nC,1\nC,2\n", "C stands there twice")
    refused("SMILES,a\nC,inf\n", "not finite")
    (tmp_path / "v.csv").write_text("SMILES,a\nC,1\n")
    with pytest.raises(InputError, match="no vector for SMILES"):
        ENCODERS["embedding"].fit(TABLE, FitOptions(compound_embedding=tmp_path / "v.csv"), None)
    with pytest.raises(InputError, match="--compound_embedding"):
        ENCODERS["embedding"].fit(TABLE, FitOptions(), None)
