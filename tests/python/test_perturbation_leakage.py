"""Nothing of a test row reaches what is learned, and a training row's input does not hold its own values."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic_perturbation import CPU, ENCODINGS, options, small

from pharmacell.perturbation.encodings import target_stats
from pharmacell.perturbation.encodings.registry import ENCODERS, parts_of
from pharmacell.perturbation.fold_runs import Run
from pharmacell.perturbation.imitation import blocks, unseen_column
from pharmacell.perturbation.protocols import folds
from pharmacell.perturbation.settings import FitOptions

TABLE = small()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("protocol", ["kaggle", "leave_compound_out"])
def test_poisoned_test_rows_change_nothing(protocol, encoding, tmp_path):
    train, test = folds(TABLE, protocol, 0)[0]
    y = TABLE.y.copy()
    y[test] = 1e6
    chosen = options(encoding, tmp_path, epochs=2, n_components=3, pseudolabels=encoding == "joint")
    clean, poisoned = (
        Run(table, ["gru"], chosen, [0], CPU).fold("gru", protocol, 0, train, test)
        for table in (TABLE, replace(TABLE, y=y))
    )
    assert np.array_equal(clean, poisoned)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encoders_know_training_keys_only(encoding, tmp_path):
    train, test = folds(TABLE, "leave_compound_out", 0)[0]
    inside = TABLE.take(train)
    encoder = ENCODERS[encoding].fit(inside, options(encoding, tmp_path), "sm_name")
    facts, _ = parts_of(encoder)
    held_out = set(TABLE.sm_name[test]) | set(TABLE.sm_lincs_id[test])
    assert not held_out & set(
        np.concatenate(
            [
                np.ravel(value).astype(str)
                for value in facts.values()
                if isinstance(value, list) and encoding != "ordinal"
            ]
            or [[""]]
        )
    )
    encoded = encoder.transform(TABLE.keys.iloc[test])
    assert len(encoded.tokens) == len(test)
    assert encoded.tokens.max() < encoder.shape().n_embeddings
    if encoding == "ordinal":
        assert (encoded.tokens[:, 1] == 1000).all()  # the token of an unseen name
        assert not held_out & {value for column in facts["known"] for value in column}


def test_own_values_are_not_in_the_statistics_of_a_training_row(monkeypatch):
    monkeypatch.setattr(target_stats, "components", lambda y: y[:, :4])  # the basis itself is that of all training rows
    row, y = 5, TABLE.y.copy()
    y[row] += 100
    before, after = (
        ENCODERS["target_stats"].fit(table, FitOptions(), None).transform_training(table).vector
        for table in (TABLE, replace(TABLE, y=y))
    )
    assert np.array_equal(before[row], after[row])
    assert np.abs(after - before).max() > 1  # others of its compound and cell type do hold them


@pytest.mark.parametrize("unseen", [None, "sm_name"])
def test_joint_vector_shows_effects_only_where_prediction_will(unseen):
    encoder = ENCODERS["joint"].fit(TABLE, FitOptions(), unseen)
    vector, width = encoder.transform_training(TABLE).vector, encoder.effects.shape[1] + 1
    assert (vector[:, :width] == 0).all() == (unseen == "sm_name")
    new = encoder.transform(TABLE.keys.iloc[:1].assign(sm_name="new")).vector
    assert (new[:, :width] == 0).all()


@pytest.mark.parametrize(("unseen", "part"), [("sm_name", -1), ("cell_type", 0)])
def test_training_shows_what_prediction_will(unseen, part):
    """Where compounds (cell types) are new, training rows are without statistics of theirs, too."""
    vector = ENCODERS["target_stats"].fit(TABLE, FitOptions(), unseen).transform_training(TABLE).vector
    half = vector.shape[1] // 2
    own = vector[:, half:] if part == -1 else vector[:, :half]
    assert (own == 0).all()
    assert (vector != 0).any()


def test_what_is_unseen():
    keys = TABLE.keys
    expected = {"leave_compound_out": "sm_name", "leave_cell_type_out": "cell_type", "kaggle": None, "random": None}
    for protocol, column in expected.items():
        train, test = folds(TABLE, protocol, 0)[0]
        assert unseen_column(keys.iloc[train], keys.iloc[test]) == column
    assert unseen_column(keys, None) == "sm_name"
    block = blocks(keys, "sm_name", 5)
    assert keys.groupby("sm_name").apply(lambda rows: len(set(block[rows.index])), include_groups=False).max() == 1
