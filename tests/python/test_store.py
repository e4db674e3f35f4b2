"""Models on disk: a round trip keeps every number, and a bad file ends with a clear message."""

import json
import struct

import numpy as np
import pytest
import torch
from synthetic_cells import CONFIG, GENES, TRAINING, equal, make_lines, weights_of

from pharmacell.core.errors import InputError
from pharmacell.data.standardise import Standardiser
from pharmacell.response.pretrain_bulk import train_source
from pharmacell.response.store import load_bundle, save_bundle

NAME = "s.model.safetensors"


@pytest.fixture(scope="module")
def trained():
    bundle = train_source(make_lines(), CONFIG, TRAINING, 2, 7, torch.device("cpu")).bundle
    bundle.card |= {"drug": "d", "sample": "s"}
    return bundle


@pytest.fixture
def stored(trained, tmp_path):
    save_bundle(trained, tmp_path / NAME)
    return tmp_path / NAME


def test_round_trip(trained, stored):
    loaded = load_bundle(stored)
    assert equal(weights_of(trained.model), weights_of(loaded.model))
    assert loaded.model.config == trained.model.config
    assert loaded.genes == trained.genes
    assert loaded.card == json.loads(json.dumps(trained.card))
    assert loaded.target is None
    for part in ("mean", "std"):
        assert np.array_equal(getattr(loaded.source, part), getattr(trained.source, part))
    for part in ("weights", "slope", "intercept"):
        assert np.array_equal(getattr(loaded.baselines, part), getattr(trained.baselines, part))
    x = torch.randn(9, len(GENES))
    with torch.no_grad():
        assert torch.equal(loaded.model.probability(x, "source"), trained.model.eval().probability(x, "source"))


def test_target_scaling_survives(trained, tmp_path):
    trained_target = Standardiser(np.arange(60, dtype=np.float32), np.ones(60, np.float32))
    trained.target = trained_target
    try:
        save_bundle(trained, tmp_path / NAME)
    finally:
        trained.target = None
    assert np.array_equal(load_bundle(tmp_path / NAME).target.mean, trained_target.mean)


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
    "config of another kind": rewrite(lambda facts: facts.update(config=[1])),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_bad_file_is_an_input_error_that_names_it(damage, stored):
    damage(stored)
    with pytest.raises(InputError, match=r"s\.model\.(safetensors|json)") as caught:
        load_bundle(stored)
    assert "\n" not in str(caught.value)


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
