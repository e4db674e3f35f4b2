# %% [markdown]
# # PharmaCell from Python
# Single cells of three lung cancer lines that were mixed in one tube (`assets/demo`): one drug, the genes behind it,
# then all drugs. Start it in the folder of the clone, cell by cell in an editor or Jupyter (jupytext), or as a whole:
# `.venv/bin/python examples/python_api.py`.

# %%
from pathlib import Path

import pharmacell as pc

# %% [markdown]
# ## Cells
# Any file that the pipeline reads. Counts are best; the genes here are Ensembl ids.

# %%
adata = pc.read("assets/demo/lung_mixture.h5ad")
print(adata)
print(adata.obs["line"].value_counts())

# %% [markdown]
# ## Small settings, so that all of this takes about a minute
# 240 bulk lines, 600 genes and short training show how the functions are called. Their numbers mean nothing. For a
# result, leave both dictionaries out: then 944 lines are read, and five networks are trained for minutes.

# %%
tables = {"bulk_expression": "tests/data/bulk_expression.csv", "bulk_response": "tests/data/bulk_response.csv"}
short = {"n_replicas": 2, "epochs": 2, "autoencoder_epochs": 1, "bottleneck": 16, "encoder": 32, "predictor": 16}
short |= {"heads": 2, "attention_tokens": 4}

# %% [markdown]
# ## One drug
# HCC827 is among these bulk lines, so it is left out: a model knows the lines that it was trained on. GDSC has all
# three: `"exclude_lines": "HCC827,NCI-H1975,NCI-H2228"`.

# %%
common = {"exclude_lines": "HCC827", "group_key": "line", "min_genes": 50, "seed": 0}
pc.predict(adata, "cisplatin", **tables, **short, **common)
print(adata.obs.groupby("line", observed=True)["pharmacell_probability"].describe().round(2))

# %% [markdown]
# How far to believe it:

# %%
found = adata.uns["pharmacell"]
print(found["verdict"])
print("\n".join(found["reasons"]))

# %% [markdown]
# ## The genes behind it

# %%
genes = pc.explain(adata)
print(genes.groupby("class").head(5)[["class", "gene", "attribution", "std"]])

# %% [markdown]
# ## All drugs, for each group
# `percentile`: the share of measured lines that are more sensitive. Read `predictability` first.

# %%
panel = pc.panel(adata, **tables, **common)
print(panel[["group", "drug", "percentile", "predictability", "verdict"]])

# %% [markdown]
# ## On to scanpy, CELLxGENE, R
# All results lie in the object. The files of the steps lie in `found["folder"]`.

# %%
print(sorted(path.name for path in Path(found["folder"]).iterdir()))
# adata.write_h5ad("lung_mixture_predicted.h5ad")
