"""Command ``predict_perturbation``: differential expression of a cell type under a molecule."""

from pathlib import Path
from typing import Any

import click

from pharmacell.cli import inputs
from pharmacell.core.command import command


@command("predict_perturbation")
@click.option(
    "--model", required=True, type=inputs.FILE, help="MODEL.safetensors of kaggle_train; its .json lies beside it."
)
@click.option("--smiles", multiple=True, help="Molecule (repeatable); each is predicted in each --cell_type.")
@click.option("--cell_type", "cell_types", multiple=True, help="Cell type of the training table (repeatable).")
@click.option("--pairs", type=inputs.FILE, help="Table of cell_type, SMILES, instead of the two options above.")
@click.option(
    "--as_h5ad",
    is_flag=True,
    help="Also write treated.h5ad: the cells of --basal, and again under every molecule. Takes a model that predicts "
    "log2 fold changes (--layer or --second_layer of kaggle_train), and one cell type.",
)
@click.option("--basal", type=inputs.FILE, help="SAMPLE.h5ad of qc: cells of the cell type, for --as_h5ad.")
@inputs.outdir
def predict_perturbation(
    model: Path,
    smiles: tuple[str, ...],
    cell_types: tuple[str, ...],
    pairs: Path | None,
    as_h5ad: bool,
    basal: Path | None,
    outdir: Path,
    threads: int,
    device: str,
    **_: Any,
) -> None:
    """Predict the differential expression of every gene, with the interval of the replicas.

    Writes perturbation.csv (cell_type, SMILES, gene, prediction, std, low, high) and nearest_compounds.csv: the
    most similar training compound of each molecule (Tanimoto of Morgan counts). A model of two layers writes the second
    one to second_layer/perturbation.csv. With --as_h5ad also treated.h5ad,
    a sample for qc whose obs column simulated_treatment is untreated, molecule 1, molecule 2, ...; simulated_smiles
    says which molecule each is.
    """
    from pharmacell.core.device import resolve_device, use_threads
    from pharmacell.core.errors import InputError
    from pharmacell.core.files import whole_file
    from pharmacell.core.progress import say
    from pharmacell.perturbation.fold_runs import SECOND
    from pharmacell.perturbation.new_molecules import predict_pairs, read_pairs
    from pharmacell.perturbation.store import load
    from pharmacell.perturbation.treated_cells import fold_change_layer, with_treated, write_cells

    if as_h5ad != (basal is not None):
        raise InputError("--as_h5ad and --basal belong together; give both or neither")
    if pairs and (smiles or cell_types):
        raise InputError("--pairs: it takes the place of --smiles and --cell_type; leave them out")
    wanted = read_pairs(pairs, smiles, cell_types)
    if as_h5ad and wanted["cell_type"].nunique() > 1:
        raise InputError("--as_h5ad: --basal has the cells of one cell type; predict one at a time")
    use_threads(threads)
    fitted, config = load(model, resolve_device(device))
    changed = fold_change_layer(config["card"]) if as_h5ad else 0
    predictions, nearest = predict_pairs(fitted, config["card"], wanted)
    if basal:
        changes = predictions[changed]["prediction"].to_numpy().reshape(len(wanted), -1)
        cells, n_shared = with_treated(basal, fitted.genes, changes, wanted["SMILES"].tolist())
        write_cells(cells, outdir / "treated.h5ad")
        say(f"{n_shared} of {cells.n_vars} genes of {basal.name} have a predicted fold change; no other gene is moved")
    paths = [folder / "perturbation.csv" for folder in (outdir, outdir / SECOND)]
    tables = [*zip(paths, predictions, strict=False), (outdir / "nearest_compounds.csv", nearest)]
    for path, table in tables:
        with whole_file(path) as partial:
            table.to_csv(partial, index=False)
    far = nearest[~nearest["in_training"]]
    if len(far) and config["encoding"] in ("ordinal", "target_stats"):
        say(
            f"{far['SMILES'].nunique()} molecules were not in training, and the encoding {config['encoding']} cannot "
            "tell them apart: their prediction is that of an average compound"
        )
