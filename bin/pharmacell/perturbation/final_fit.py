"""The fit on all rows: stored weights, predictions of the test keys, submission."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from pharmacell.core.files import whole_file
from pharmacell.perturbation.encodings.base import categories
from pharmacell.perturbation.fold_runs import SECOND, Run, gene_arrays
from pharmacell.perturbation.models.registry import NETWORKS, build
from pharmacell.perturbation.store import save

if TYPE_CHECKING:
    from pharmacell.perturbation.table import PerturbationTable

FINAL = "final"  # in place of the fold
PAIR = ["id", "cell_type", "sm_name"]


def fit_all_rows(
    run: Run, model: str, id_map: pd.DataFrame | None, sample_ids: np.ndarray | None, card: dict, outdir: Path
) -> None:
    """Train a model on all rows and write its files.

    Parameters
    ----------
    run
        See :class:`pharmacell.perturbation.fold_runs.Run`.
    model
        Name.
    id_map
        Keys to predict, or None.
    sample_ids
        Ids of the checked sample submission, or None: then no submission is written.
    card
        Facts for the json beside the weights.
    outdir
        Gets ``<model>.safetensors`` and ``<model>.json`` (networks), ``<model>.test.parquet`` and
        ``<model>.submission.csv``; the last two of a second layer go to the folder ``second_layer``.
    """
    mean = None
    if model not in NETWORKS:
        if id_map is not None:
            found = build(model, run.options).fit_predict(run.table, id_map, run.seeds_of(model), run.device)
            mean = found.predictions.mean(0)
    else:
        from pharmacell.perturbation.models.stacked_network import StackedNetwork

        if run.device is None:
            raise ValueError(f"{model} is a network and needs a device")
        fitted, history, _ = StackedNetwork(model, run.options).fit(run.table, id_map, run.seeds, run.device)
        run.note(history, model, FINAL, FINAL)
        weights, config = fitted.parts()
        learned = {"cell_types": categories(run.table.cell_type), "compounds": compounds(run.table)}
        save(weights, config | {"card": card | learned}, outdir / f"{model}.safetensors")
        if id_map is not None:
            mean = fitted.predict(id_map).mean(0)
    if mean is None or id_map is None:
        return
    keys = [pa.array(id_map[name]) for name in PAIR]
    for of_layer, folder in zip(run.by_layer(mean), (outdir, outdir / SECOND), strict=False):
        with whole_file(folder / f"{model}.test.parquet") as partial:
            table = pa.Table.from_arrays(keys + gene_arrays(of_layer), names=[*PAIR, *run.table.genes])
            pq.write_table(table, partial, compression="zstd")
        if sample_ids is not None:
            write_submission(folder / f"{model}.submission.csv", sample_ids, run.table.genes, of_layer)


def compounds(table: "PerturbationTable") -> list[list[str]]:
    """Return name, LINCS id and SMILES of each compound.

    Parameters
    ----------
    table
        All rows with their keys.
    """
    return table.keys.drop_duplicates("sm_name")[["sm_name", "sm_lincs_id", "SMILES"]].to_numpy().tolist()


def write_submission(path: Path, ids: np.ndarray, genes: list[str], values: np.ndarray) -> None:
    """Write ids and genes as the sample submission has them.

    Parameters
    ----------
    path
        Of the file.
    ids
        Of the test rows.
    genes
        Names of the genes, in the order of the columns.
    values
        float32 [n_test, n_genes].

    Raises
    ------
    ValueError
        If a value is not finite; nothing is written then.
    """
    import pyarrow.csv as pc

    if values.shape != (len(ids), len(genes)) or not np.isfinite(values).all():
        raise ValueError(
            f"{path}: predictions of shape {values.shape} do not fit {len(ids)} ids and {len(genes)} "
            "genes, or are not finite"
        )
    # the sample's names and ids stand without quotes, and "needed" puts them around every text
    body, header = ("needed" if any(set(text) & set(',"\n') for text in texts) else "none" for texts in (ids, genes))
    with whole_file(path) as partial:
        pc.write_csv(
            pa.Table.from_arrays([pa.array(ids), *gene_arrays(values)], names=["id", *genes]),
            partial,
            pc.WriteOptions(quoting_style=body, quoting_header=header),
        )
