r"""What each step from the study's network to the default brings, with intervals, under every default protocol.

    PYTHONPATH=bin .venv/bin/python benchmarks/perturbation_ladder.py KAGGLE_FOLDER OUT_FOLDER [--n_genes 1000 \
        --seeds 2]

KAGGLE_FOLDER holds train_keys.csv, id_map.csv, cell_type_mean.csv.gz and cell_type_std.csv.gz. Each step is scored on
the rows that it had not learned from, and against an earlier one on the same rows: paired bootstrap over compounds.
OUT_FOLDER gets the row scores of each training as it ends, and ladder.csv; what lies there already is not run again.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch

from pharmacell.perturbation.fold_runs import Run
from pharmacell.perturbation.gains import gains
from pharmacell.perturbation.metrics import RowScores
from pharmacell.perturbation.models.registry import BASELINES
from pharmacell.perturbation.protocols import folds
from pharmacell.perturbation.settings import FitOptions
from pharmacell.perturbation.simulated_files import write_simulated
from pharmacell.perturbation.simulation import read_source, reduce, simulate
from pharmacell.perturbation.simulators import SIMULATORS
from pharmacell.perturbation.summary import average
from pharmacell.perturbation.table import PerturbationTable

N_FOLDS = {"kaggle": 3, "leave_compound_out": 2, "random": 1}  # the first of each protocol, as the time allows
EPOCHS = 80  # where nothing tells when to stop; the study's 300 are too dear for every fold
STUDY = FitOptions(config="study", patience=0, epochs=EPOCHS)
MEDIANS = replace(STUDY, start="median")
PATTERNS = replace(MEDIANS, n_components=64)
ROOTS = replace(PATTERNS, loss="mrrmse")
JOINT = replace(ROOTS, encoding="joint")
BATCHES = replace(JOINT, batch_size=64, learning_rate=0.003)
SCALE = replace(BATCHES, start="cell_type")
STOPPED = FitOptions(shrink=False)
TRAININGS = {  # name: models, options
    "simple": ((*BASELINES, "scaled_additive", "ridge"), FitOptions()),
    "study": (("gru",), STUDY),
    "medians": (("gru",), MEDIANS),
    "patterns": (("gru",), PATTERNS),
    "roots": (("gru",), ROOTS),
    "joint": (("gru",), JOINT),
    "batches": (("gru",), BATCHES),
    "scale": (("gru",), SCALE),
    "stopped": (("gru",), STOPPED),
    "default": (("gru",), FitOptions()),
    "blend": (("blend",), FitOptions()),
    "z_score": (("gru",), replace(STOPPED, target_space="z_score")),
    "blend_z": (("blend",), FitOptions(target_space="z_score")),
    "pseudolabels": (("gru",), replace(STOPPED, pseudolabels=True)),
}


@dataclass(frozen=True)
class Step:
    """A row of the ladder.

    Attributes
    ----------
    name
        In words.
    training, model
        Whose scores it shows.
    against
        Name of an earlier row; None: the best baseline.
    """

    name: str
    training: str
    model: str = "gru"
    against: str | None = None


STUDY_STEP, MEDIANS_STEP = "`gru` as the study has it, likewise", "output bias starts at the medians"
BATCHES_STEP = "batches of 64, learning rate 0.003"
SCALE_STEP = "units of the cell type's centre and scale"
STOPPED_STEP = "early stopping by inner folds, refit on all rows"
ENSEMBLE, BLEND = "mean over seeds", "`blend` (of networks that are not shrunk)"
STEPS = (  # in the words of docs/perturbation_results.md
    Step("`ridge`, against the best baseline", "simple", "ridge"),
    Step("`scaled_additive`, likewise", "simple", "scaled_additive"),
    Step(STUDY_STEP, "study"),
    Step(MEDIANS_STEP, "medians", against=STUDY_STEP),
    Step("64 patterns of genes", "patterns", against=MEDIANS_STEP),
    Step("loss `mrrmse`", "roots", against="64 patterns of genes"),
    Step("`joint` input", "joint", against="loss `mrrmse`"),
    Step(BATCHES_STEP, "batches", against="`joint` input"),
    Step(SCALE_STEP, "scale", against=BATCHES_STEP),
    Step(STOPPED_STEP, "stopped", against=SCALE_STEP),
    Step(ENSEMBLE, "stopped", "gru_ensemble", against=STOPPED_STEP),
    Step("shrinkage (of the mean over seeds)", "default", "gru_ensemble", against=ENSEMBLE),
    Step(BLEND, "blend", "blend", against=ENSEMBLE),
    Step("z-scores (of the mean over seeds)", "z_score", "gru_ensemble", against=ENSEMBLE),
    Step("blend of networks of z-scores", "blend_z", "blend", against=BLEND),
    Step("pseudolabels (of the mean over seeds)", "pseudolabels", "gru_ensemble", against=ENSEMBLE),
)


def table_of(source_folder: Path, simulator: str, n_genes: int, folder: Path) -> PerturbationTable:
    """Return the simulated table, which is written at the first call.

    Parameters
    ----------
    source_folder
        With the keys and moments of the real table.
    simulator
        One of :data:`pharmacell.perturbation.simulators.SIMULATORS`.
    n_genes
        How many genes to keep.
    folder
        Where the table goes.
    """
    path = folder / f"{simulator}_table"
    if not (path / "simulation.json").exists():
        path.mkdir(parents=True, exist_ok=True)
        names = ("train_keys.csv", "id_map.csv", "cell_type_mean.csv.gz", "cell_type_std.csv.gz")
        source = reduce(read_source(*(source_folder / name for name in names)), n_genes, None, 0)
        write_simulated(source, *simulate(source, simulator, 0), simulator, 0, path)
    return PerturbationTable.read(path / "de_train.parquet")


def row_scores(table: PerturbationTable, protocol: str, training: str, seeds: int) -> pd.DataFrame:
    """Train on the first folds of a protocol; returns row scores, with the seconds of processor time.

    Parameters
    ----------
    table
        All rows.
    protocol, training
        Names in :data:`N_FOLDS` and :data:`TRAININGS`.
    seeds
        Replicas of a network.
    """
    models, options = TRAININGS[training]
    run = Run(table, models, options.complete(), list(range(seeds)), torch.device("cpu"))
    start = time.process_time()
    for number, (train, test) in enumerate(folds(table, protocol, 0)[: N_FOLDS[protocol]]):
        for model in models:
            run.fold(model, protocol, number, train, test)
    return pd.concat(run.layers[0].row_scores).assign(seconds=time.process_time() - start)


def scores_of(rows: pd.DataFrame, model: str) -> tuple[RowScores, np.ndarray]:
    """Return the scores of a model, averaged over seeds, and the compound of each row.

    Parameters
    ----------
    rows
        From :func:`row_scores`.
    model
        Name of the model.
    """
    one = rows[rows["model"] == model].sort_values(["seed", "row"])
    seeds = [part for _, part in one.groupby("seed")]
    return average([RowScores.of(part) for part in seeds]), seeds[0]["sm_name"].to_numpy(str)


def ladder(folder: Path) -> Iterator[dict]:
    """Yield a row for each step whose training and rival have been run.

    Parameters
    ----------
    folder
        Of the row scores.
    """
    for simulator, protocol in product(SIMULATORS, N_FOLDS):
        paths = {name: folder / f"{simulator}_{protocol}_{name}.parquet" for name in TRAININGS}
        rows = {name: pd.read_parquet(path) for name, path in paths.items() if path.exists()}
        for step in STEPS:
            rivals = [other for other in STEPS if other.name == step.against]
            needed = {step.training, *(rival.training for rival in rivals or [STEPS[0]])}
            if not needed <= set(rows):
                continue
            own, compounds = scores_of(rows[step.training], step.model)
            others = {rival.name: scores_of(rows[rival.training], rival.model)[0] for rival in rivals}
            others = others or {name: scores_of(rows["simple"], name)[0] for name in BASELINES}
            found = gains({step.name: own, **others}, compounds, list(others), 0)
            found = found[found["model"] == step.name].set_index("metric")
            said = {"simulator": simulator, "protocol": protocol, "step": step.name}
            said["seconds"] = rows[step.training]["seconds"].iloc[0]
            for metric in ("mrrmse", "deg_overlap"):
                values = found.loc[metric, ["value", "baseline", "gain", "low", "high"]]
                said |= {f"{metric}_{name}": value for name, value in values.items()}
            yield said


def markdown(rows: pd.DataFrame) -> Iterator[str]:
    """Yield the lines of one table for each simulator: MRRMSE, overlap and gain in MRRMSE, under each protocol.

    Parameters
    ----------
    rows
        From :func:`ladder`.
    """
    for simulator, here in rows.groupby("simulator", sort=False):
        cells = {name: dict.fromkeys(N_FOLDS, " | |") for name in here["step"]}
        for row in here.to_dict("records"):
            value = f"{row['mrrmse_value']:.3f}; {row['deg_overlap_value']:.3f}"
            gain = f"{row['mrrmse_gain']:+.3f} ({row['mrrmse_low']:+.3f} to {row['mrrmse_high']:+.3f})"
            cells[row["step"]][row["protocol"]] = f" {value} | {gain} |"
        yield f"\n| `{simulator}` | " + " | ".join(f"`{protocol}` | gain" for protocol in N_FOLDS) + " |"
        yield "|---|" + "---|---|" * len(N_FOLDS)
        yield from (f"| {name} |" + "".join(of.values()) for name, of in cells.items())


@click.command()
@click.argument("kaggle", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--n_genes", default=1000, help="Genes of the table.", show_default=True)
@click.option("--seeds", default=2, help="Replicas of a network.", show_default=True)
def main(kaggle: Path, out: Path, n_genes: int, seeds: int) -> None:
    """Run every training that has not been run, and print the ladder.

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
    """
    torch.set_num_threads(1)
    for protocol, simulator, training in product(N_FOLDS, SIMULATORS, TRAININGS):
        path = out / f"{simulator}_{protocol}_{training}.parquet"
        if not path.exists():
            row_scores(table_of(kaggle, simulator, n_genes, out), protocol, training, seeds).to_parquet(path)
            pd.DataFrame(ladder(out)).to_csv(out / "ladder.csv", index=False)
    for line in markdown(pd.DataFrame(ladder(out))):
        click.echo(line)


if __name__ == "__main__":
    main()
