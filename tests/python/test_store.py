"""Models on disk: a round trip keeps every number, and a bad file ends with a clear message."""

import json
import math
import struct
from dataclasses import replace

import numpy as np
import pytest
import torch
from synthetic_cells import GENES, equal, pretrain_small, weights_of

from pharmacell.core.errors import InputError
from pharmacell.data.standardise import Standardiser
from pharmacell.response.model_card import Interval
from pharmacell.response.store import load_bundle, save_bundle

NAME = "s.model.safetensors"


@pytest.fixture(scope="module")
def trained():
    return pretrain_small().bundle


@pytest.fixture
def stored(trained, tmp_path):
    save_bundle(trained, tmp_path / NAME)
    return tmp_path / NAME


def test_round_trip(trained, stored):
    loaded = load_bundle(stored)
    assert equal(weights_of(trained.model), weights_of(loaded.model))
    assert loaded.model.config == trained.model.config
    assert loaded.genes == trained.genes
    assert loaded.card == trained.card
    assert loaded.target_scaler is None
    for part in ("mean", "std"):
        assert np.array_equal(getattr(loaded.source_scaler, part), getattr(trained.source_scaler, part))
    for part in ("weights", "slope", "intercept"):
        assert np.array_equal(getattr(loaded.baselines, part), getattr(trained.baselines, part))
    x = torch.randn(9, len(GENES))
    with torch.no_grad():
        assert torch.equal(loaded.model.probability(x, "source"), trained.model.eval().probability(x, "source"))


def test_target_scaling_survives(trained, tmp_path):
    scaler = Standardiser(np.arange(60, dtype=np.float32), np.ones(60, np.float32))
    save_bundle(replace(trained, target_scaler=scaler), tmp_path / NAME)
    assert np.array_equal(load_bundle(tmp_path / NAME).target_scaler.mean, scaler.mean)


def test_files_hold_tensors_and_json_only(stored):
    content = stored.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    header.pop("__metadata__", None)
    assert {entry["dtype"] for entry in header.values()} == {"F32"}
    assert max(entry["data_offsets"][1] for entry in header.values()) == len(content) - 8 - length
    assert sorted(path.name for path in stored.parent.iterdir()) == ["s.model.json", NAME]


def cut(path):
    path.write_bytes(path.read_bytes()[:1000])


def rewrite(change):
    def damage(path):
        facts = json.loads(path.with_suffix(".json").read_text())
        change(facts)
        path.with_suffix(".json").write_text(json.dumps(facts))

    return damage


DAMAGE = {
    "no weights": lambda path: path.unlink(),
    "no json": lambda path: path.with_suffix(".json").unlink(),
    "truncated weights": cut,
    "empty weights": lambda path: path.write_bytes(b""),
    "a pickle": lambda path: path.write_bytes(b"\x80\x04\x95" + b"x" * 100),
    "broken json": lambda path: path.with_suffix(".json").write_text("{"),
    "json of another kind": lambda path: path.with_suffix(".json").write_text("[1, 2]"),
    "json without genes": rewrite(lambda facts: facts.pop("genes")),
    "fewer genes": rewrite(lambda facts: facts["genes"].pop()),
    "genes in another order": rewrite(lambda facts: facts["genes"].reverse()),
    "other replicas": rewrite(lambda facts: facts.update(n_replicas=3)),
    "other network": rewrite(lambda facts: facts["config"].update(bottleneck=32)),
    "unknown setting": rewrite(lambda facts: facts["config"].update(colour="blue")),
    "number of another kind": rewrite(lambda facts: facts["card"]["pretraining"].update(seed="many")),
    "config of another kind": rewrite(lambda facts: facts.update(config=[1])),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_bad_file_is_an_input_error_that_names_it(damage, stored):
    damage(stored)
    with pytest.raises(InputError, match=r"s\.model\.(safetensors|json)") as caught:
        load_bundle(stored)
    assert "\n" not in str(caught.value)


def test_a_card_of_an_older_version_says_what_to_do(stored):
    rewrite(lambda facts: facts.update(card={"drug": "d", "seed": 0, "training": {}, "genes_bulk": 60}))(stored)
    with pytest.raises(InputError, match=r"s\.model\.json: .*card\.pretraining.*train the model again") as caught:
        load_bundle(stored)
    assert "\n" not in str(caught.value)


def test_what_could_not_be_measured_stays_unknown(trained, tmp_path):
    unknown = {"ensemble": Interval(0.7, math.nan, math.nan)}  # as where every resample has one class only
    card = replace(trained.card, pretraining=replace(trained.card.pretraining, source_auroc=unknown))
    save_bundle(replace(trained, card=card), tmp_path / NAME)
    found = load_bundle(tmp_path / NAME).card.pretraining.source_auroc["ensemble"]
    assert found.value == 0.7
    assert math.isnan(found.low)


def test_weights_without_baselines_are_an_input_error(stored):
    from safetensors.torch import load_file, save_file

    save_file({name: value for name, value in load_file(stored).items() if name.startswith("model.")}, stored)
    with pytest.raises(InputError, match=NAME):
        load_bundle(stored)


def test_a_failed_write_leaves_the_finished_model(trained, stored, monkeypatch):
    import safetensors.torch

    before = stored.read_bytes()

    def fail(_, path):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(safetensors.torch, "save_file", lambda tensors, path, **_: fail(tensors, path))
    with pytest.raises(OSError, match="No space"):
        save_bundle(trained, stored)
    assert stored.read_bytes() == before
    assert len(list(stored.parent.iterdir())) == 2
