"""Whether one network with a head for each layer predicts p-values and fold changes better than a network for each.

    PYTHONPATH=bin .venv/bin/python benchmarks/perturbation_layers.py KAGGLE_FOLDER OUT_FOLDER [--seed 0]

KAGGLE_FOLDER is that of perturbation_ladder.py. Both simulators, with simulated log fold changes as the second layer;
folds of `kaggle`. OUT_FOLDER gets the row scores of each training as it ends; what lies there already is not run again.
"""

import time
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import click
import pandas as pd
import torch
from perturbation_ladder import scores_of

from pharmacell.perturbation.fold_runs import Run
from pharmacell.perturbation.gains import gains
from pharmacell.perturbation.models.registry import BASELINES
from pharmacell.perturbation.protocols import folds
from pharmacell.perturbation.settings import FitOptions
from pharmacell.perturbation.simulated_files import write_simulated
from pharmacell.perturbation.simulation import fold_changes, read_source, reduce, simulate
from pharmacell.perturbation.simulators import SIMULATORS
from pharmacell.perturbation.table import PerturbationTable

PROTOCOL = "kaggle"
LAYERS = ("sign_log10_pval", "logFC")
BASELINE_RUN = "baselines"
TRAININGS = ("both", *LAYERS, BASELINE_RUN)
MODEL = "gru_ensemble"


def table_of(kaggle: Path, simulator: str, n_genes: int, seed: int, folder: Path) -> PerturbationTable:
    """Return the simulated table of both layers, which is written at the first call.

    Parameters
    ----------
    kaggle
        With the keys and moments of the real table.
    simulator
        One of :data:`pharmacell.perturbation.simulators.SIMULATORS`.
    n_genes
        How many genes to keep.
    seed
        Of the simulation.
    folder
        Where the table goes.
    """
    path = folder / f"{simulator}_table"
    if not (path / "simulation.json").exists():
        names = ("train_keys.csv", "id_map.csv", "cell_type_mean.csv.gz", "cell_type_std.csv.gz")
        source = reduce(read_source(*(kaggle / name for name in names)), n_genes, None, seed)
        train, test = simulate(source, simulator, seed)
        second = fold_changes(LAYERS[1], source, train, test, seed)
        write_simulated(source, train, test, simulator, seed, path, second)
    return PerturbationTable.read(path / "de_train.h5ad", second_layer=LAYERS[1])


def row_scores(table: PerturbationTable, training: str, seeds: int) -> pd.DataFrame:
    """Train on every fold; returns row scores with their ``layer`` and the seconds of processor time.

    Parameters
    ----------
    table
        All rows, both layers.
    training
        One of :data:`TRAININGS`.
    seeds
        Replicas of a network.
    """
    alone = training in LAYERS
    used = table.layers[LAYERS.index(training)] if alone else table
    models = BASELINES if training == BASELINE_RUN else ("gru",)
    run = Run(used, models, FitOptions().complete(), list(range(seeds)), torch.device("cpu"))
    start = time.process_time()
    for number, (train, test) in enumerate(folds(table, PROTOCOL, 0)):
        for model in models:
            run.fold(model, PROTOCOL, number, train, test)
    names = (training,) if alone else LAYERS
    found = [pd.concat(one.row_scores).assign(layer=name) for one, name in zip(run.layers, names, strict=True)]
    return pd.concat(found).assign(seconds=time.process_time() - start)


def compared(folder: Path) -> Iterator[dict]:
    """Yield for each simulator and layer what a head of a shared network gains over a network of its own.

    Parameters
    ----------
    folder
        Of the row scores.
    """
    for simulator, layer in product(SIMULATORS, LAYERS):
        rows = {name: pd.read_parquet(folder / f"{simulator}_{name}.parquet") for name in ("both", layer, BASELINE_RUN)}
        (own, compounds), (shared, _) = (
            scores_of(rows[name][rows[name]["layer"] == layer], MODEL) for name in (layer, "both")
        )
        simple = rows[BASELINE_RUN][rows[BASELINE_RUN]["layer"] == layer]
        others = {name: scores_of(simple, name)[0] for name in BASELINES}
        for name, scores, rivals in (("alone", own, others), ("shared", shared, {"alone": own})):
            found = gains({name: scores, **rivals}, compounds, list(rivals), 0)
            found = found[found["model"] == name].set_index("metric")
            said = {"simulator": simulator, "layer": layer, "network": name}
            for metric in ("mrrmse", "deg_overlap", "pearson"):
                values = found.loc[metric, ["value", "baseline", "gain", "low", "high"]]
                said |= {f"{metric}_{column}": value for column, value in values.items()}
            yield said | {"seconds": rows["both" if name == "shared" else layer]["seconds"].iloc[0]}


@click.command()
@click.argument("kaggle", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--n_genes", default=1000, help="Genes of the table.", show_default=True)
@click.option("--seeds", default=2, help="Replicas of a network.", show_default=True)
@click.option("--seed", default=0, help="Seed of the simulation.", show_default=True)
def main(kaggle: Path, out: Path, n_genes: int, seeds: int, seed: int) -> None:
    """Run every training that has not been run, and print the comparison.

    Parameters
    ----------
    kaggle
        Folder with the keys and moments of the real table.
    out
        Folder of what is found.
    n_genes
        How many genes to keep.
    seeds
        Replicas of a network.
    seed
        Of the simulation.
    """
    torch.set_num_threads(1)
    for simulator, training in product(SIMULATORS, TRAININGS):
        path = out / f"{simulator}_{training}.parquet"
        if not path.exists():
            row_scores(table_of(kaggle, simulator, n_genes, seed, out), training, seeds).to_parquet(path)
    found = pd.DataFrame(compared(out))
    found.to_csv(out / "layers.csv", index=False)
    click.echo(found.to_string())


if __name__ == "__main__":
    main()
