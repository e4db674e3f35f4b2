"""The pipeline's steps on an AnnData object, from Python."""

import subprocess
import sys
from pathlib import Path

import anndata as ad
import numpy as np
import pandas as pd
import pytest

import pharmacell as pc
from pharmacell.core.errors import InputError
from pharmacell.data.genes import gene_table

N_LINES, N_CELLS, N_GENES = 60, 80, 300
SMALL = {
    "epochs": 2,
    "autoencoder_epochs": 1,
    "bottleneck": 16,
    "encoder": (24,),
    "predictor": [12],
    "heads": 4,
    "n_replicas": 2,
    "threads": 1,
    "device": "cpu",
    "min_genes": 10,
}


def counts(sensitivity: np.ndarray, rng: np.random.Generator, depth: float) -> np.ndarray:
    """Return counts of genes of which the first forty follow the sensitivity, [len(sensitivity), N_GENES]."""
    mean = rng.normal(1, 1, N_GENES) + np.zeros((len(sensitivity), 1))
    mean[:, :40] += sensitivity[:, None]
    rates = np.exp(mean)
    return rng.poisson(depth * rates / rates.sum(1, keepdims=True)).astype(np.float32)


@pytest.fixture(scope="module")
def tables(tmp_path_factory) -> dict[str, Path]:
    """Lines of one's own with a response."""
    folder, rng = tmp_path_factory.mktemp("api"), np.random.default_rng(0)
    sensitivity = rng.normal(size=N_LINES)
    lines = [f"LINE{number}" for number in range(N_LINES)]
    profiles = pd.DataFrame(np.log1p(counts(sensitivity, rng, 100_000)), lines, genes())
    profiles.rename_axis("line").to_csv(folder / "expression.csv")
    drugs = {"testplatin": -sensitivity, "otherinib": rng.normal(size=N_LINES)}
    response = pd.concat([pd.DataFrame({"line": lines, "drug": name, "value": v}) for name, v in drugs.items()])
    response.to_csv(folder / "response.csv", index=False)
    return {"bulk_expression": folder / "expression.csv", "bulk_response": folder / "response.csv"}


def genes() -> list[str]:
    """Return human symbols."""
    return sorted(gene_table().symbols.values())[:N_GENES]


def cells() -> ad.AnnData:
    """Return cells with a known response; the last one is empty, so quality control removes it."""
    rng = np.random.default_rng(1)
    sensitivity = np.repeat([-1.0, 1.0], N_CELLS // 2)
    x = counts(sensitivity, rng, 5_000)
    x[-1] = 0
    clone = np.where(sensitivity > 0, "sensitive", "resistant")
    names = [f"cell{number}" for number in range(N_CELLS)]
    obs = pd.DataFrame({"response": (sensitivity > 0).astype(int), "clone": clone}, names)
    return ad.AnnData(x, obs=obs, var=pd.DataFrame(index=genes()), uns={"kept": "as it is"})


def test_prediction_and_key_genes_come_back_into_the_object(tables, tmp_path):
    adata = cells()
    pc.predict(adata, "testplatin", tmp_path / "run", **tables, **SMALL, label_key="response", seed=3)
    probability = adata.obs["pharmacell_probability"]
    assert probability[:-1].between(0, 1).all()
    assert np.isnan(probability.iloc[-1])
    assert adata.uns["kept"] == "as it is"
    found = adata.uns["pharmacell"]
    assert found["verdict"] in ("supported", "uncertain", "not supported")
    assert {"metric", "value", "low", "high"} == set(found["metrics"])
    predictions = pd.read_csv(tmp_path / "run" / "cells.predictions.csv", index_col="cell_id")
    np.testing.assert_allclose(probability[:-1], predictions["probability"], atol=1e-6)

    key_genes = pc.explain(adata, threads=1, device="cpu")
    assert {"gene", "class", "attribution"} <= set(key_genes)
    adata.write_h5ad(tmp_path / "object.h5ad")
    assert ad.read_h5ad(tmp_path / "object.h5ad").uns["pharmacell"]["verdict"] == found["verdict"]


def test_panel_comes_back_into_the_object(tables, tmp_path):
    adata = cells()
    options = {name: SMALL[name] for name in ("threads", "device", "min_genes")}
    found = pc.panel(adata, tmp_path, **tables, **options, group_key="clone")
    assert set(found["drug"]) == {"testplatin", "otherinib"}
    of = found[found["drug"] == "testplatin"].set_index("group")["percentile"]
    assert of["sensitive"] < of["resistant"]
    assert list(adata.obs["pharmacell_panel_group"][:-1]) == list(adata.obs["clone"][:-1])
    probability = adata.obsm["pharmacell_panel"]["testplatin"]
    assert probability[:-1].between(0, 1).all()
    assert np.isnan(probability.iloc[-1])
    adata.write_h5ad(tmp_path / "object.h5ad")


def test_what_a_step_refuses_is_raised_with_its_line(tables, tmp_path):
    with pytest.raises(InputError, match="testplatni"):
        pc.predict(cells(), "testplatni", tmp_path, **tables, **SMALL)


def test_misspelt_option_is_named_before_anything_runs(tmp_path):
    with pytest.raises(InputError, match="epoch: no step has this option; nearest: epochs"):
        pc.predict(cells(), "cisplatin", tmp_path / "run", epoch=2)
    assert not (tmp_path / "run").exists()


def test_explain_asks_for_a_prediction():
    with pytest.raises(InputError, match=r"run pharmacell\.predict"):
        pc.explain(cells())


def test_read_gives_values_and_names_of_the_file(tmp_path):
    table = pd.DataFrame(counts(np.zeros(30), np.random.default_rng(2), 2_000), [f"c{n}" for n in range(30)], genes())
    table.to_csv(tmp_path / "cells.csv")
    found = pc.read(tmp_path / "cells.csv")
    assert found.shape == (30, N_GENES)
    assert list(found.obs_names) == list(table.index)
    pd.testing.assert_frame_equal(found.to_df()[table.columns], table, check_names=False)


def test_nothing_heavy_is_loaded_before_a_function_is_used():
    code = "import sys, pharmacell; print('pandas' in sys.modules, 'pharmacell.api' in sys.modules)"
    bin_folder = Path(pc.__file__).parent.parent
    done = subprocess.run([sys.executable, "-c", code], cwd=bin_folder, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
