"""Tables and the h5ad that a user gets for the predicted cells."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell import __version__
from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file
from pharmacell.core.seeds import integer
from pharmacell.data.input_file import check_file, reason
from pharmacell.evaluate.bootstrap import bootstrap
from pharmacell.evaluate.significance import cell_significance
from pharmacell.response.baselines import NAMES
from pharmacell.response.predict import CellPredictions

THRESHOLD = 0.5  # a probability of at least this is called sensitive


SIGNIFICANT = 0.05  # false discovery rate


def read_null(path: str | Path, cells: pd.Index) -> np.ndarray:
    """Read the scores under permuted bulk responses, float32 [n_permutations, n_cells].

    Raises
    ------
    InputError
        If the file is missing, damaged or of other cells.
    """
    check_file(Path(path), [".parquet"])
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: not a table of null scores ({reason(error)}); run finetune_sc again") from error
    if not table.index.astype(str).equals(cells.astype(str)):
        raise InputError(f"{path}: its cells are not those of the sample; give the file that finetune_sc wrote for it")
    return table.to_numpy(np.float32).T


def prediction_tables(
    found: CellPredictions, obs: pd.DataFrame, card: dict, null: np.ndarray | None, seed: int
) -> dict[str, pd.DataFrame]:
    """Return the tables of a sample.

    Parameters
    ----------
    found
        Predictions of all cells.
    obs
        The cells' table; ``truth`` (1 or 0) is scored when it is there.
    card
        The model card; cells whose label was used in training are not scored.
    null
        Scores under permuted bulk responses, [n_permutations, n_cells], or None.
    seed
        Seed of the bootstrap.

    Returns
    -------
    dict
        ``predictions``, ``baselines``; with a null ``significance`` (``cell_id, p, fdr, call``); with truth ``metrics``
        (the model) and ``model_metrics`` (model and baselines). Intervals draw whole groups where cells have groups.
    """
    predictions = pd.DataFrame(
        {
            "cell_id": obs.index.astype(str),
            "probability": found.probability,
            "probability_std": found.std,
            "label": (found.probability >= THRESHOLD).astype(np.int8),
        }
    )
    baselines = pd.DataFrame(found.baselines, columns=list(NAMES))
    baselines.insert(0, "cell_id", predictions["cell_id"])
    tables = {"predictions": predictions, "baselines": baselines}
    if null is not None:
        score = found.scores.mean(0)
        p, fdr = cell_significance(score, null)
        side = np.where(score > score.mean(), "sensitive", "resistant")
        call = np.where(fdr > SIGNIFICANT, "not significant", side)
        tables["significance"] = pd.DataFrame({"cell_id": predictions["cell_id"], "p": p, "fdr": fdr, "call": call})
    if "truth" not in obs:
        return tables
    predictions["truth"] = obs["truth"].to_numpy(np.int8)
    scored = ~predictions["cell_id"].isin(card.get("labelled_cells", []))
    truth = predictions.loc[scored, "truth"].to_numpy()
    columns = {"atsdp": predictions["probability"]} | {name: baselines[name] for name in NAMES}
    groups = obs["group"].astype(str).to_numpy()[scored] if "group" in obs else None
    intervals = pd.concat(
        [
            bootstrap(truth, values[scored].to_numpy(), seed=integer(seed, "bootstrap of cells"), groups=groups).assign(
                model=name
            )
            for name, values in columns.items()
        ]
    )[["model", "metric", "value", "low", "high"]]
    tables["model_metrics"] = intervals
    tables["metrics"] = intervals[intervals["model"] == "atsdp"].drop(columns="model")
    return tables


def write_predicted_h5ad(
    prepared: str | Path, path: str | Path, tables: dict[str, pd.DataFrame], card: dict, diagnostics: dict
) -> None:
    """Copy the prepared h5ad and add the predictions to ``obs`` and the model card to ``uns["pharmacell"]``.

    The file is copied and two small groups are rewritten, so the matrix is never in memory.
    """
    import json

    import h5py
    from anndata.io import read_elem, write_elem

    with whole_file(path) as partial:
        shutil.copyfile(prepared, partial)
        with h5py.File(partial, "r+") as file:
            obs, predictions = read_elem(file["obs"]), tables["predictions"]
            obs["pharmacell_probability"] = predictions["probability"].to_numpy(np.float32)
            obs["pharmacell_std"] = predictions["probability_std"].to_numpy(np.float32)
            obs["pharmacell_label"] = pd.Categorical(
                np.where(predictions["label"] == 1, "sensitive", "resistant"), ["resistant", "sensitive"]
            )
            if "significance" in tables:
                obs["pharmacell_fdr"] = tables["significance"]["fdr"].to_numpy(np.float32)
            uns = dict(read_elem(file["uns/pharmacell"]))
            uns |= {
                "version": __version__,
                "verdict": diagnostics["verdict"],
                "model_card": json.dumps({key: value for key, value in card.items() if key != "labelled_cells"}),
            }
            write_elem(file, "obs", obs)
            write_elem(file, "uns/pharmacell", uns)
