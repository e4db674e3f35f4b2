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
@click.option("--pairs", type=inputs.FILE, help="csv of cell_type, SMILES, instead of the two options above.")
@inputs.outdir
def predict_perturbation(
    model: Path,
    smiles: tuple[str, ...],
    cell_types: tuple[str, ...],
    pairs: Path | None,
    outdir: Path,
    threads: int,
    device: str,
    **_: Any,
) -> None:
    """Predict the differential expression of every gene, with the interval of the replicas.

    Writes perturbation.csv (cell_type, SMILES, gene, prediction, std, low, high) and nearest_compounds.csv: the most
    similar training compound of each molecule, by Tanimoto similarity of Morgan counts.
    """
    from pharmacell.core.device import resolve_device, use_threads
    from pharmacell.core.errors import InputError
    from pharmacell.core.files import whole_file
    from pharmacell.core.progress import say
    from pharmacell.perturbation.new_molecules import predict_pairs, read_pairs
    from pharmacell.perturbation.store import load

    if pairs and (smiles or cell_types):
        raise InputError("--pairs: it takes the place of --smiles and --cell_type; leave them out")
    wanted = read_pairs(pairs, smiles, cell_types)
    use_threads(threads)
    fitted, config = load(model, resolve_device(device))
    predictions, nearest = predict_pairs(fitted, config["card"], wanted)
    for name, table in (("perturbation.csv", predictions), ("nearest_compounds.csv", nearest)):
        with whole_file(outdir / name) as partial:
            table.to_csv(partial, index=False)
    far = nearest[~nearest["in_training"]]
    if len(far) and config["encoding"] in ("ordinal", "target_stats"):
        say(
            f"{far['SMILES'].nunique()} molecules were not in training, and the encoding {config['encoding']} cannot "
            "tell them apart: their prediction is that of an average compound"
        )
