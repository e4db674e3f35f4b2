"""Command ``kaggle_train``: train models of the perturbation task, fold by fold and on all rows."""

from pathlib import Path

import click

from pharmacell.cli.training_options import precision_option
from pharmacell.core.command import command

FILE = click.Path(path_type=Path)


@command("kaggle_train")
@click.option("--de_train", required=True, type=FILE, help="Training table: parquet, h5ad, csv or tsv (wide or long).")
@click.option("--layer", help="Layer of an h5ad [default: sign_log10_pval].")
@click.option("--id_map", type=FILE, help="csv of id, cell_type, sm_name to predict after training on all rows.")
@click.option("--sample_submission", type=FILE, help="csv that the submission has to look like; needs --id_map.")
@click.option(
    "--model", "models", multiple=True, default=["gru"], help="Network, baseline or classical model (repeatable)."
)
@click.option(
    "--encoding",
    default="ordinal",
    type=click.Choice(["ordinal", "smiles", "fingerprint", "embedding", "target_stats"]),
    help="How networks see a cell type and a compound.",
)
@click.option("--compound_embedding", type=FILE, help="Table of compound vectors, for --encoding embedding.")
@click.option(
    "--protocol",
    "protocols",
    multiple=True,
    help="random, leave_compound_out, leave_scaffold_out, leave_cell_type_out, kaggle or predefined "
    "(repeatable); none: only train on all rows.",
)
@click.option("--final/--no_final", default=True, help="Also train on all rows, and keep these weights.")
@click.option("--seeds", type=click.IntRange(min=1), default=5, help="Replicas of a network, trained as one stack.")
@click.option("--epochs", type=click.IntRange(min=1), help="Most epochs [default: the model's].")
@click.option("--batch_size", type=click.IntRange(min=1), help="Rows of a batch [default: the model's].")
@click.option("--learning_rate", type=click.FloatRange(min=0, min_open=True), help="Of Adam [default: the model's].")
@click.option("--n_layers", type=click.IntRange(min=1), help="Recurrent layers of gru3 and gru3_attn [default: 3].")
@click.option("--loss", type=click.Choice(["mae", "mse", "mrrmse", "huber"]), default="mae", help="Of the networks.")
@click.option(
    "--n_components",
    type=click.IntRange(min=1),
    help="Predict this many components of a truncated SVD instead of the genes.",
)
@click.option(
    "--patience",
    type=click.IntRange(min=0),
    default=50,
    help="Epochs without improvement of a held-back tenth of the training part after which a replica stops; "
    "0 trains on all of it for all epochs.",
)
@precision_option
@click.option("--drop_unparsable", is_flag=True, help="Leave out rows whose SMILES rdkit cannot parse.")
@click.option("--outdir", type=FILE, default=".", help="Folder of the output files.")
def kaggle_train(
    de_train,
    layer,
    id_map,
    sample_submission,
    models,
    encoding,
    compound_embedding,
    protocols,
    final,
    seeds,
    epochs,
    batch_size,
    learning_rate,
    n_layers,
    loss,
    n_components,
    patience,
    precision,
    drop_unparsable,
    outdir,
    seed,
    threads,
    device,
):
    """Predict differential expression of (cell type, compound).

    With --protocol: oof.parquet, scores.csv, row_scores.parquet. For networks: history.csv and, unless --no_final,
    MODEL.safetensors and MODEL.json. With --id_map: MODEL.test.parquet; with --sample_submission: MODEL.submission.csv.
    """
    from pharmacell.perturbation.final_fit import fit_all_rows
    from pharmacell.perturbation.fold_runs import Run, parquet_writer, write_tables
    from pharmacell.perturbation.formats import is_simulated
    from pharmacell.perturbation.run_checks import check_run
    from pharmacell.perturbation.settings import FitOptions
    from pharmacell.perturbation.table import PerturbationTable, read_id_map, read_sample_submission

    options = FitOptions(
        encoding,
        loss,
        epochs,
        batch_size,
        learning_rate,
        n_layers,
        n_components,
        patience,
        compound_embedding,
        precision or "float32",
    )
    table = PerturbationTable.read(de_train, layer, drop_unparsable)
    keys = read_id_map(id_map, table) if id_map else None
    parts = check_run(table, models, protocols, options, final, sample_submission, id_map, seed)
    ids = read_sample_submission(sample_submission, table.genes, keys["id"]) if sample_submission else None
    where = networks_device(models, threads, device)
    run = Run(table, models, options, [seed + number for number in range(seeds)], where)
    if parts:
        with parquet_writer(outdir / "oof.parquet") as append:
            for protocol, folds in parts.items():
                for model in models:
                    for fold, (train, test) in enumerate(folds):
                        append(run.fold(model, protocol, fold, train, test))
    card = {"simulated": is_simulated(de_train), "n_rows": len(table), "loss": loss, "table": de_train.name}
    for model in models if final else ():
        fit_all_rows(run, model, keys, ids, card, outdir)
    write_tables(run, outdir)


def networks_device(models, threads: int, device: str):
    """Return the device, or None where no model needs torch, whose import takes seconds."""
    from pharmacell.perturbation.models.registry import NETWORKS

    if not any(model in NETWORKS for model in models):
        return None
    from pharmacell.core.device import resolve_device, use_threads

    use_threads(threads)
    return resolve_device(device)
