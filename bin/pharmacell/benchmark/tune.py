"""Choose a model's settings on the source alone: no cell is read, and no line of the test part."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import torch

from pharmacell.benchmark.fold import Fold
from pharmacell.benchmark.registry import get, settings_of
from pharmacell.core.progress import say
from pharmacell.core.seeds import generator, integer
from pharmacell.data.bulk import require_levels
from pharmacell.data.folds import assign_folds, comparison_groups
from pharmacell.data.lines import Lines
from pharmacell.data.shifts import SEVERITIES, line_profiles, shifted_cells
from pharmacell.data.splits import split_lines
from pharmacell.data.standardise import Standardiser
from pharmacell.evaluate.within_groups import auroc_within

if TYPE_CHECKING:
    from optuna import Trial

FOLDS = 3
CELLS_PER_LINE = 4
STARTUP_TRIALS = 5  # before the sampler learns and the pruner judges


@dataclass(frozen=True)
class Range:
    """Where a setting is sought.

    Attributes
    ----------
    low, high
        Both included.
    log
        Whether ratios count instead of differences.
    """

    low: float
    high: float
    log: bool = False


# by name of the setting: each model is tuned over those that it has
RANGES = {
    "learning_rate": Range(1e-4, 1e-2, True),
    "weight_decay": Range(1e-4, 1.0, True),
    "dropout": Range(0.0, 0.7),
    "noise_rate": Range(0.1, 0.7),
    "omega": Range(1e-2, 3.0, True),
    "theta": Range(1e-2, 3.0, True),
    "discrepancy": Range(1e-2, 3.0, True),
    "clusters": Range(1e-2, 3.0, True),
    "adversary": Range(1e-2, 1.0, True),
    "sparsity": Range(1e-3, 3.0, True),
    "alpha": Range(1e2, 1e6, True),
    "c": Range(1e-5, 1.0, True),
    "shrinkage": Range(1e-2, 0.3, True),
    "gene_share": Range(0.05, 0.5),
    "leaves": Range(3, 31),
}


@dataclass(frozen=True)
class TuningFold:
    """A fold of the source with what it takes to score a prediction of its test rows.

    Attributes
    ----------
    fold
        Lines to learn from, and held-out lines as simulated cells (shifted) or as they are (plain).
    labels, groups
        Class and group of each held-out line, [n_held].
    n_severities
        Severities in ``fold.test``, one after another.
    n_rows
        Rows of each line at one severity.
    """

    fold: Fold
    labels: np.ndarray
    groups: np.ndarray
    n_severities: int
    n_rows: int

    def score(self, probability: np.ndarray) -> float:
        """Return the AUROC within groups, averaged over severities; the cells of a line are averaged first.

        Parameters
        ----------
        probability
            Of the rows of ``fold.test``, [n_test].
        """
        scores = probability.reshape(self.n_severities, len(self.labels), self.n_rows).mean(2)
        return float(np.mean([auroc_within(self.labels, row, self.groups) for row in scores]))


def tuning_folds(lines: Lines, validation: str, smiles: str | None, seed: int) -> list[TuningFold]:
    """Cut the lines that are not in the test part into folds.

    Parameters
    ----------
    lines
        All lines of the drug; the test part is that of :func:`pharmacell.data.splits.split_lines`, as in training.
    validation
        ``shifted``: held-out lines become simulated cells; ``plain``: they stay as they are.
    smiles
        Structure of the drug, where known.
    seed
        The user's seed.
    """
    if validation == "shifted":
        require_levels(lines.scale)
    split = split_lines(lines.labels, seed)
    inside = np.flatnonzero((split != "test").to_numpy())
    labels, groups = lines.labels.to_numpy(np.int64), comparison_groups(lines.origin)
    numbers = assign_folds(labels[inside], lines.origin.iloc[inside], FOLDS, seed)
    rng = generator(seed, "tuning cells")
    found = []
    for number in range(FOLDS):
        learn, held = inside[numbers != number], inside[numbers == number]
        scaler = Standardiser.fit([lines.x[learn]])
        if validation == "shifted":
            cells, test = simulated_twice(lines.x[held], rng)
            n_severities, n_rows = len(SEVERITIES), CELLS_PER_LINE
        else:
            cells = test = scaler.apply(lines.x[held])
            n_severities = n_rows = 1
        fold = Fold(
            key=(0, number),
            genes=lines.genes,
            bulk=scaler.apply(lines.x[learn]),
            bulk_labels=labels[learn],
            bulk_response=lines.response.to_numpy(float)[learn],
            bulk_groups=groups[learn].astype(str),
            train=cells,
            train_labels=np.full(len(cells), -1),
            test=test,
            smiles=smiles,
            seed=integer(seed, f"tuning fold {number}"),
            split=split.iloc[learn],
            lines=lines.take(learn),
        )
        found.append(TuningFold(fold, labels[held], groups[held], n_severities, n_rows))
    return found


def simulated_twice(x: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Simulate cells of lines: unlabelled ones for models with transfer, and others of the same lines to score.

    Parameters
    ----------
    x
        Lines as they stand in the bulk file, [n_lines, n_genes].
    rng
        Draws the cells.

    Returns
    -------
    cells, test
        float32 [n_severities * n_lines * CELLS_PER_LINE, n_genes] each; see :class:`TuningFold` for their order.
    """
    profiles = line_profiles(x)
    cells, test = (
        np.concatenate([shifted_cells(profiles, CELLS_PER_LINE, severity, rng) for severity in SEVERITIES])
        for _ in range(2)
    )
    return cells, test


def tune(
    folds: list[TuningFold], model: str, n_trials: int, seed: int, device: torch.device, **fixed: object
) -> tuple[dict[str, int | float], pd.DataFrame]:
    """Search a model's settings with a tree-structured Parzen estimator (Bergstra et al. 2011).

    A trial is the mean score over the folds. The first one takes the defaults, so that the result is never worse than
    they are on this score. A trial whose mean so far is below the median of earlier trials is given up.

    Parameters
    ----------
    folds
        From :func:`tuning_folds`.
    model
        Its name.
    n_trials
        Number of trials; one, of the defaults, for a model without such settings.
    seed
        The user's seed.
    device
        Where to train.
    **fixed
        Settings that are not sought, such as ``epochs``.

    Returns
    -------
    best, trials
        The settings of the best trial (the defaults, if none is better: then empty), and ``trial, state, score`` with
        one column for each setting.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    names = [name for name in settings_of(model) if name in RANGES]
    study = optuna.create_study(
        direction="maximize",
        sampler=optuna.samplers.TPESampler(n_startup_trials=STARTUP_TRIALS, seed=seed % 2**32),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=STARTUP_TRIALS),
    )
    rows = []
    for number in range(n_trials if names else 1):
        trial = study.ask()
        values = {} if number == 0 else {name: suggested(trial, name) for name in names}
        scores: list[float] = []
        state = optuna.trial.TrialState.COMPLETE
        for step, part in enumerate(folds):
            fitted = get(model, user_seed=seed, **fixed | values)
            scores.append(part.score(fitted.fit_predict([part.fold], device)[0]))
            trial.report(float(np.mean(scores)), step)
            if step + 1 < len(folds) and trial.should_prune():
                state = optuna.trial.TrialState.PRUNED
                break
        study.tell(trial, float(np.mean(scores)) if state == optuna.trial.TrialState.COMPLETE else None, state)
        rows.append({"trial": number, "state": state.name.lower(), "score": float(np.mean(scores)), **values})
        say(f"{model}: trial {number + 1} of {n_trials} {rows[-1]['state']}, score {rows[-1]['score']:.3f}")
    table = pd.DataFrame(rows, columns=["trial", "state", "score", *names])
    best = table[table["state"] == "complete"].sort_values(["score", "trial"], ascending=[False, True]).iloc[0]
    kinds = {name: type(RANGES[name].low) for name in names}
    return {} if best["trial"] == 0 else {name: kinds[name](best[name]) for name in names}, table


def suggested(trial: "Trial", name: str) -> int | float:
    """Return the sampler's suggestion for a setting; whole numbers where the range has them.

    Parameters
    ----------
    trial
        Of the study.
    name
        Of the setting, a key of ``RANGES``.
    """
    where = RANGES[name]
    if isinstance(where.low, int):
        return trial.suggest_int(name, int(where.low), int(where.high))
    return trial.suggest_float(name, where.low, where.high, log=where.log)
