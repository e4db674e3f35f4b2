"""Simulated tables as files, which say of themselves that they are simulated."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pharmacell.core.files import whole_file, write_json
from pharmacell.perturbation.fold_runs import gene_arrays
from pharmacell.perturbation.formats import METADATA_KEY
from pharmacell.perturbation.settings import DEFAULT_LAYER
from pharmacell.perturbation.simulation import SecondLayer, Source
from pharmacell.perturbation.simulators import SHARES


def write_simulated(
    source: Source,
    train: np.ndarray,
    test: np.ndarray,
    simulator: str,
    seed: int,
    outdir: Path,
    second: SecondLayer | None = None,
) -> None:
    """Write the simulated table and what belongs to it.

    The files are de_train.parquet, de_test.parquet (the truth of the test rows), id_map.csv, sample_submission.csv and
    simulation.json. With a second layer the first two are h5ad.

    Parameters
    ----------
    source
        Keys and genes.
    train, test
        Signed -log10 p, float32, [n_rows, n_genes] each.
    simulator, seed
        That the values came from.
    outdir
        Folder of the files.
    second
        Layer beside the signed p-values; None: there is none.
    """
    genes = source.mean.columns.tolist()
    provenance = {"simulated": True, "simulator": simulator, "seed": seed, "shares": SHARES[simulator]}
    provenance |= {"note": "values are simulated, not measured"}
    if second:
        for name, keys, layers in (
            ("de_train", source.train, {DEFAULT_LAYER: train, second.name: second.train}),
            ("de_test", source.test, {DEFAULT_LAYER: test, second.name: second.test}),
        ):
            write_h5ad(outdir / f"{name}.h5ad", keys, genes, layers, provenance)
    else:
        write_parquet(outdir / "de_train.parquet", source.train, genes, train, provenance)
        write_parquet(outdir / "de_test.parquet", source.test, genes, test, provenance)
    with whole_file(outdir / "id_map.csv") as partial:
        source.test.to_csv(partial, index=False)
    with whole_file(outdir / "sample_submission.csv") as partial:
        partial.write_text(
            ",".join(["id", *genes]) + "\n" + "".join(f"{name}{',0.0' * len(genes)}\n" for name in source.test["id"])
        )
    write_json(
        outdir / "simulation.json", provenance | {"n_train": len(train), "n_test": len(test), "n_genes": len(genes)}
    )


def write_h5ad(path: Path, keys: pd.DataFrame, genes: list[str], layers: dict[str, np.ndarray], said: dict) -> None:
    """Write keys as obs and values as layers, with the provenance in uns.

    Parameters
    ----------
    path
        Of the file.
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    genes
        Names of the genes, in the order of the columns.
    layers
        float32 [n_rows, n_genes] each, by name.
    said
        What the file says of itself.
    """
    import anndata as ad

    obs = keys.set_axis([str(number) for number in range(len(keys))])
    table = ad.AnnData(obs=obs, var=pd.DataFrame(index=genes), layers=layers, uns={"pharmacell": said})
    with whole_file(path) as partial:
        table.write_h5ad(partial, compression="gzip")


def write_parquet(path: Path, keys: pd.DataFrame, genes: list[str], y: np.ndarray, provenance: dict) -> None:
    """Write keys and genes, with the provenance in the schema's metadata.

    Parameters
    ----------
    path
        Of the file.
    keys
        Of the rows: ``cell_type, sm_name, sm_lincs_id, SMILES``.
    genes
        Names of the genes, in the order of the columns.
    y
        float32 [n_rows, n_genes].
    provenance
        What the file says of itself.
    """
    columns = [pa.array(keys[name]) for name in keys] + gene_arrays(y)
    table = pa.Table.from_arrays(columns, names=[*keys, *genes])
    with whole_file(path) as partial:
        pq.write_table(
            table.replace_schema_metadata({METADATA_KEY: json.dumps(provenance)}), partial, compression="zstd"
        )
