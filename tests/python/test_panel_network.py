"""The panel's network: one for all drugs, each a query."""

from dataclasses import replace

import anndata as ad
import numpy as np
import pandas as pd
import pytest
import torch
from click.testing import CliRunner
from panel_bulk import lines_and_drugs, write_bulk, write_cells

from pharmacell.cli.predict_panel import predict_panel
from pharmacell.cli.pretrain_panel import pretrain_panel
from pharmacell.core.errors import InputError
from pharmacell.drug_panel.blend import network_weight
from pharmacell.drug_panel.bulk_stage import bulk_stage
from pharmacell.drug_panel.linear import LinearChoice
from pharmacell.drug_panel.molecules import molecules_table
from pharmacell.drug_panel.network import DrugQueryNetwork
from pharmacell.drug_panel.profiles import BulkScale
from pharmacell.drug_panel.responses import Responses
from pharmacell.drug_panel.settings import PanelNetworkConfig
from pharmacell.drug_panel.store import read_panel_model, write_panel_model
from pharmacell.drug_panel.train_network import (
    LinesAndDrugs,
    held_lines,
    learnt_from,
    losses,
    masked,
    train_network,
    training_data,
)
from pharmacell.drug_panel.trained_network import load_network, save_network
from pharmacell.nn.random import ReplicaRandom

SMALL = PanelNetworkConfig(
    latent=16, tokens=4, heads=2, drug_width=4, hidden=8, replicas=2, epochs=6, batch_size=16, dropout=0.0
)
DRUGS = ["Erlotinib", "Gefitinib", "Cisplatin", "Nutlin-3a (-)", "no structure"]
ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


def made_lines(n: int = 120, n_genes: int = 60) -> tuple[BulkScale, Responses]:
    """Lines whose response to the first two drugs follows one gene, and to the third another."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, n_genes)).astype(np.float32)
    z = x[:, [0, 0, 1, 1, 2]] + 0.3 * rng.standard_normal((n, len(DRUGS)))
    z[rng.random(z.shape) < 0.2] = np.nan
    cut = np.nanquantile(z, 0.3, axis=0)
    lines = pd.Index([f"LINE{number}" for number in range(n)])
    nothing = np.full(len(DRUGS), np.nan)
    responses = Responses(lines, DRUGS, z, 2 + 0.5 * z, cut, nothing, [])
    return BulkScale.fit(x, [f"G{number}" for number in range(n_genes)]), responses


@pytest.fixture(scope="module")
def lines() -> tuple[BulkScale, Responses]:
    return made_lines()


@pytest.fixture(scope="module")
def trained(lines):
    return train_network(*lines, replace(SMALL, drug_features="fingerprint", epochs=25, learning_rate=0.01), seed=1)


def small_network(n_genes: int = 30) -> DrugQueryNetwork:
    return DrugQueryNetwork(SMALL, n_genes, torch.zeros(len(DRUGS), 1), ReplicaRandom([1, 2])).eval()


def some_data(measured: torch.Tensor) -> LinesAndDrugs:
    sensitive = torch.zeros(measured.shape)
    sensitive[:3] = 1
    return LinesAndDrugs(torch.randn(1, 10, 30), torch.randn(2, 10, 5), measured, sensitive * measured)


def test_a_missing_measurement_has_no_gradient():
    measured = torch.ones(10, 5, dtype=torch.bool)
    measured[4, 2] = False
    data = some_data(measured)
    found = torch.randn(2, 10, 5, 2, requires_grad=True)
    rows = torch.arange(10).expand(2, 10)
    losses(found, data, data.class_weights(), rows, 0.3)["total"].sum().backward()
    assert not found.grad[:, 4, 2].any()
    assert found.grad[:, 3, 2].all()
    assert found.grad[:, 4, 1].all()


def test_the_classes_of_each_drug_weigh_the_same():
    measured = torch.rand(10, 5) < 0.8
    measured[[0, 9]] = True
    data = some_data(measured)
    weights = data.class_weights()
    assert not weights[~measured].any()
    sensitive = (weights * data.sensitive).sum(0)
    torch.testing.assert_close(sensitive, (weights * (1 - data.sensitive)).sum(0))


def test_a_drug_does_not_depend_on_which_others_are_asked():
    network = small_network()
    z = network.latent(torch.randn(7, 30))
    together = network(z, network.drugs(torch.arange(5)))
    alone = network(z, network.drugs(torch.tensor([3])))
    torch.testing.assert_close(together[:, :, 3:4], alone)


def test_attention_is_over_tokens_and_differs_between_drugs():
    network = small_network()
    weights, _ = network.attention(network.latent(torch.randn(7, 30)), network.drugs(torch.arange(5)))
    assert weights.shape == (2, 7, 5, SMALL.heads, SMALL.tokens)
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
    assert (weights[:, :, 0] - weights[:, :, 1]).abs().max() > 1e-4


def test_training_masks_whole_genes_and_stays_a_line():
    profiles = torch.randn(2, 10, 500)
    rows = torch.arange(10).expand(2, 10)
    x = masked(profiles, rows, 0.0, ReplicaRandom([1, 2]))
    gone = (x == 0).all(1)  # [R, n_genes]
    assert ((x == 0) == gone[:, None]).all()
    assert (gone.float().mean(1) < 0.75).all()
    assert gone.any()
    assert (gone[0] != gone[1]).any()
    for row, found in enumerate(x[0]):
        kept = ~gone[0]
        assert any(torch.equal(found[kept], copy[kept]) for copy in profiles[:, row])


def test_a_gene_that_a_sample_lacks_is_zero(lines, trained):
    scale, _ = lines
    network = trained.network
    profile = scale.x[:3] * scale.scaler.std + scale.scaler.mean
    whole, part = (network.inputs(profile[:, :n], scale.genes[:n]) for n in (60, 40))
    assert not part[:, 40:].any()
    assert part[:, :40].all()
    assert np.corrcoef(part[:, :40].ravel(), whole[:, :40].ravel())[0, 1] > 0.98
    extra = network.inputs(np.c_[profile, profile[:, :1]], [*scale.genes, "unknown"])
    np.testing.assert_array_equal(extra, whole)


def test_it_learns_without_the_lines_that_it_is_held_out_from(lines, trained):
    _, responses = lines
    known = np.isfinite(responses.z[:, 0]) & np.isfinite(trained.held_out[:, 0])
    assert 30 < known.sum() < 60  # two replicas hold out a fifth each
    assert np.corrcoef(trained.held_out[known, 0], responses.z[known, 0])[0, 1] > 0.3


def test_no_replica_learns_from_the_lines_that_it_stops_by(lines):
    scale, responses = lines
    held = held_lines(120, 2, seed=4)
    other = responses.z.copy()
    other[held[0]] *= -1
    found = []
    for z in (responses.z, other):
        own = replace(responses, z=z)
        learned = [own.learned(rows.numpy()) for rows in learnt_from(120, held)]
        found.append(training_data(scale.x[None], own, learned, held).z)
    assert not found[0][0, held[0]].any()
    assert found[0][1, held[0]].any()
    assert torch.equal(found[0][0], found[1][0])
    assert not torch.equal(found[0][1], found[1][1])


def test_same_seed_same_numbers_and_a_replica_alone(lines):
    scale, responses = lines
    config = replace(SMALL, epochs=2)
    one, same = (train_network(scale, responses, config, seed=3).held_out for _ in range(2))
    np.testing.assert_array_equal(one, same)
    other = train_network(scale, responses, config, seed=5).held_out
    assert not np.array_equal(one, other, equal_nan=True)


def test_a_new_molecule_is_answered_and_said_to_be_new(lines, trained):
    network = trained.network
    inputs = network.inputs(lines[0].x[:4], lines[0].genes)
    found = network.look_up(["Erlotinib", ASPIRIN])
    assert list(found["measured"]) == [True, False]
    assert found["tanimoto"][1] < 0.7
    assert found["drug"][1] in DRUGS
    values = network.ln_ic50(inputs, ["Erlotinib", ASPIRIN])
    assert values.shape == (4, 2)
    assert np.isfinite(values).all()
    np.testing.assert_allclose(values[:, 0], network.ln_ic50(inputs)[:, 0], rtol=1e-5)
    erlotinib = network.smiles[0]
    assert network.look_up([erlotinib])["drug"][0] == "Erlotinib"
    with pytest.raises(InputError, match="neither"):
        network.look_up(["no such thing"])


def test_a_network_that_learned_its_drugs_knows_no_new_molecule(lines):
    network = train_network(*lines, replace(SMALL, replicas=1, epochs=1), seed=1).network
    with pytest.raises(InputError, match="by name alone"):
        network.look_up([ASPIRIN])


def test_saved_and_read_it_says_the_same(lines, trained, tmp_path):
    inputs = trained.network.inputs(lines[0].x[:4], lines[0].genes)
    path = tmp_path / "network.safetensors"
    save_network(trained.network, path)
    np.testing.assert_array_equal(load_network(path).ln_ic50(inputs), trained.network.ln_ic50(inputs))
    path.with_suffix(".json").write_text(path.with_suffix(".json").read_text().replace("G1", "G0"))
    with pytest.raises(InputError, match="belongs to other weights"):
        load_network(path)


@pytest.mark.parametrize(("better", "expected"), [(True, 0.5), (False, 0.0)])
def test_held_out_lines_choose_what_the_network_counts(lines, trained, better, expected):
    scale, responses = lines
    rng = np.random.default_rng(0)
    said = np.nan_to_num(responses.z) if better else 5 * rng.standard_normal(responses.z.shape)
    weight, tried = network_weight(
        replace(trained, held_out_imitated=said),
        scale,
        responses,
        np.repeat(["lung", "skin"], 60),
        LinearChoice(penalty=2.0),
    )
    assert weight == expected == max(tried, key=lambda each: tried[each])


def test_the_bulk_stage_keeps_the_network_and_answers_a_new_molecule(lines, tmp_path):
    scale, responses = lines
    obs = pd.DataFrame({"tissue": np.repeat(["lung", "skin"], 60)}, index=responses.lines)
    bulk = ad.AnnData(scale.within(scale.x), obs=obs, var=pd.DataFrame(index=scale.genes))
    table = pd.DataFrame(responses.z, responses.lines, DRUGS).rename_axis("line").reset_index()
    table = table.melt("line", var_name="drug", value_name="z").dropna()
    table = table.assign(value=2 + table["z"], label=(table["z"] < -0.5).astype(int), reliability=np.nan)
    config = replace(SMALL, drug_features="fingerprint", epochs=2)
    write_panel_model(bulk_stage(bulk, table, 1, config), tmp_path)
    model = read_panel_model(tmp_path, with_network=True)
    assert model.network is not None
    assert str(model.network_weight) in model.card["network_weights_tried"]
    found = molecules_table(model.network, ("Erlotinib", ASPIRIN), scale.x[:2], scale, ["a", "b"])
    assert list(found["group"]) == ["a", "a", "b", "b"]
    assert dict(zip(found["smiles"], found["measured"], strict=True)) == {"Erlotinib": True, ASPIRIN: False}
    assert np.isfinite(found["ln_ic50"]).all()
    assert read_panel_model(tmp_path).network is None or model.network_weight > 0


def test_commands_answer_for_molecules_that_were_never_measured(tmp_path, monkeypatch):
    bulk, response = write_bulk(tmp_path / "bulk")
    table = pd.read_parquet(response)
    real = {f"Drug {place}": name for place, name in enumerate(DRUGS[:3])}
    table[table["drug"].isin(real)].replace({"drug": real}).to_parquet(response)
    data = ["--bulk", bulk, "--response", response, "--threads", "1"]
    monkeypatch.setattr(
        "pharmacell.cli.pretrain_panel.PanelNetworkConfig",
        lambda drug_features: replace(SMALL, drug_features=drug_features),
    )
    asked = ["--panel_network", "on", "--drug_features", "fingerprint", "--outdir", tmp_path / "model"]
    done = CliRunner().invoke(pretrain_panel, [str(one) for one in [*data, *asked]])
    assert done.exit_code == 0, done.output
    sample = write_cells(tmp_path / "cells.h5ad", list(lines_and_drugs()[0].index[:2]))
    asked = ["--model", tmp_path / "model", "--sample", sample, "--group_key", "line", "--outdir", tmp_path / "panel"]
    done = CliRunner().invoke(predict_panel, [str(one) for one in [*data, *asked, "--smiles", f"Cisplatin,{ASPIRIN}"]])
    assert done.exit_code == 0, done.output
    found = pd.read_csv(tmp_path / "panel" / "molecules.csv")
    assert len(found) == 4  # two groups, two molecules
    assert dict(zip(found["smiles"], found["measured"], strict=True)) == {"Cisplatin": True, ASPIRIN: False}
    assert found["ln_ic50"].notna().all()
    assert (found.loc[~found["measured"], "tanimoto"] < 1).all()


def test_without_a_network_no_molecule_is_answered(lines):
    with pytest.raises(InputError, match="--panel_network on"):
        molecules_table(None, (ASPIRIN,), lines[0].x[:1], lines[0], ["a"])


def test_it_begins_at_ridge_regression(lines):
    scale, responses = lines
    config = replace(SMALL, epochs=1, learning_rate=1e-9, drug_width=5, replicas=5)
    found = train_network(scale, responses, config, seed=1)
    learned = found.held_out
    for drug in range(3):
        known = np.isfinite(responses.z[:, drug]) & np.isfinite(learned[:, drug])
        assert np.corrcoef(learned[known, drug], responses.z[known, drug])[0, 1] > 0.5
