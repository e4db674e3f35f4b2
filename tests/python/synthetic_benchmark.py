"""Makes the files that the fits of a benchmark leave behind, small and quick, with a known answer."""

from pathlib import Path

import numpy as np
import pandas as pd

HEADS = (0, 4, 8)
SKILL = {"atsdp": 1.5, "ridge": 1.2, "logistic": 0.9, "prevalence": 0.0}
KEY = ["dataset", "drug", "model", "heads", "sampling", "protocol", "repeat", "fold"]


def write_benchmark(
    folder: Path,
    datasets=("data1", "other"),
    protocols=("labels", "transfer"),
    repeats=3,
    folds=4,
    n_cells=48,
    samplings=("none", "smote"),
    skill=None,
    seed=0,
    n_train=None,
) -> dict[str, Path]:
    """Write plan, predictions, fits and expected table; return option name to path."""
    skill = skill or SKILL
    paths = {name: folder / name for name in ("plans", "predictions", "fits")}
    for path in paths.values():
        path.mkdir(parents=True)
    paths["expected"] = folder / "expected.csv"
    expected = []
    for number, dataset in enumerate(datasets):
        rng = np.random.default_rng([seed, number])
        truth = (np.arange(n_cells) % 3 > 0).astype(np.int8)
        plan = fold_plan(dataset, protocols, truth, repeats, folds, rng)
        plan.to_csv(paths["plans"] / f"{dataset}.folds.csv", index=False)
        for protocol in protocols:
            for model, strength in skill.items():
                swept = model == "atsdp"
                for heads in HEADS if swept else (None,):
                    for sampling in samplings if swept else ("none",):
                        setting = {
                            "dataset": dataset,
                            "drug": "cisplatin",
                            "model": model,
                            "heads": heads,
                            "sampling": sampling,
                            "protocol": protocol,
                        }
                        table = predictions(plan[plan["protocol"] == protocol], truth, setting, strength, rng)
                        name = f"{dataset}.{model}.{heads}.{sampling}.{protocol}"
                        table.to_parquet(paths["predictions"] / f"{name}.predictions.parquet", index=False)
                        fits = table.groupby(KEY, dropna=False).size().rename("n_test").reset_index()
                        expected.append(fits[KEY])
                        fits = fits.assign(
                            seconds=0.5, peak_bytes=2**30, n_train=n_train or n_cells - fits["n_test"], stacked=4
                        )
                        fits.to_csv(paths["fits"] / f"{name}.fits.csv", index=False)
    pd.concat(expected).to_csv(paths["expected"], index=False)
    return paths


def fold_plan(dataset, protocols, truth, repeats, folds, rng) -> pd.DataFrame:
    """Return a stratified plan, the same for every protocol; for leave_group_out the same in every repeat."""
    rows = []
    for repeat in range(repeats):
        if repeat == 0 or "leave_group_out" not in protocols:
            fold = np.empty(len(truth), int)
            for label in (0, 1):
                cells = rng.permutation(np.flatnonzero(truth == label))
                fold[cells] = np.arange(len(cells)) % folds
        rows += [
            (dataset, protocol, repeat, fold[cell], f"cell_{cell}")
            for protocol in protocols
            for cell in range(len(truth))
        ]
    return pd.DataFrame(rows, columns=["dataset", "protocol", "repeat", "fold", "cell_id"])


def predictions(plan, truth, setting, strength, rng) -> pd.DataFrame:
    """Return probabilities that tell the classes apart by so many standard deviations; without skill one constant."""
    labels = truth[plan["cell_id"].str.removeprefix("cell_").astype(int)]
    score = rng.normal(size=len(plan)) + strength * (2 * labels - 1) / 2 if strength else np.full(len(plan), -0.5)
    table = plan.assign(**setting, probability=(1 / (1 + np.exp(-score))).astype(np.float32), truth=labels)
    table["heads"] = table["heads"].astype("Int64")
    return table[[*KEY, "cell_id", "probability", "truth"]]
