"""Options that many commands have: their input files, the sample's name, the drug and the folder of the output."""

from pathlib import Path

import click

from pharmacell.core.options import Decorator

FILE = click.Path(path_type=Path)
READABLE = click.Path(path_type=Path, exists=True, dir_okay=False)
READABLE_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)

bulk = click.option("--bulk", required=True, type=FILE, help="bulk.h5ad of prepare_bulk.")
response = click.option("--response", required=True, type=FILE, help="response.parquet of prepare_bulk.")
drug = click.option("--drug", required=True, help="Drug; case and punctuation do not matter.")
sample = click.option("--sample", required=True, help="Name of the sample; begins the names of the output files.")
model = click.option(
    "--model", required=True, type=FILE, help="SAMPLE.model.safetensors of finetune_sc; its .json lies beside it."
)
smiles = click.option(
    "--smiles",
    type=FILE,
    help="Table (csv) with columns drug and smiles, for models that read the drug's structure.",
)
outdir = click.option(
    "--outdir", type=click.Path(path_type=Path, file_okay=False), default=".", help="Folder of the output files."
)


def target(help: str, required: bool = True) -> Decorator:
    """Return the option of the sample's h5ad.

    Parameters
    ----------
    help
        Which one, and what of it is read.
    required
        Whether the command cannot do without it.
    """
    return click.option("--target", required=required, type=FILE, help=help)
