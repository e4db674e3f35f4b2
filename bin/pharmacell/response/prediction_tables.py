"""Tables and the h5ad that a user gets for the predicted cells."""

import json
import shutil
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell import __version__
from pharmacell.core.files import whole_file
from pharmacell.core.seeds import integer
from pharmacell.data.annotations import obs_of_drug
from pharmacell.data.columns import OBS_GROUP, OBS_TREATMENT, OBS_TRUTH, UNKNOWN
from pharmacell.evaluate.bootstrap import score_models
from pharmacell.response import columns
from pharmacell.response.cell_tests import CellTests
from pharmacell.response.columns import Diagnostics
from pharmacell.response.model_card import ModelCard
from pharmacell.response.predict import CellPredictions
from pharmacell.response.treatment import parts_of

FDR_LEVEL = 0.05  # false discovery rate


def prediction_tables(
    predictions: CellPredictions,
    obs: pd.DataFrame,
    labelled_cells: Collection[str],
    tests: CellTests | None,
    seed: int,
    model: str = columns.ENSEMBLE,
) -> dict[str, pd.DataFrame]:
    """Return the tables of a sample.

    Parameters
    ----------
    predictions
        Of all cells.
    obs
        The cells' table; ``truth`` (1 or 0) is scored when it is there.
    labelled_cells
        Cells whose label was used in training; they are not scored.
    tests
        What permuted bulk responses say of the cells, or None.
    seed
        Seed of the bootstrap.
    model
        What the probabilities come from: the ensemble, or the network where it stands alone.

    Returns
    -------
    dict
        ``predictions``, ``baselines``; with tests ``significance``; with truth ``metrics`` (the model) and
        ``model_metrics`` (the model, the network alone and the baselines); where cells have a treatment, ``treatment``
        (shares and, with truth, the same scores for each part); all with the columns of
        :mod:`pharmacell.response.columns`. Intervals draw whole groups where cells have groups.
    """
    ids = obs.index.astype(str)
    values = (ids, predictions.probability, predictions.std, predictions.labels)
    cells = pd.DataFrame(dict(zip(columns.PREDICTIONS, values, strict=True)))
    baselines = pd.DataFrame(dict(zip(columns.BASELINES, (ids, *predictions.alone), strict=True)))
    tables = {"predictions": cells, "baselines": baselines}
    if tests is not None:
        tables["significance"] = significance_table(ids, predictions.labels, tests)
    scored = np.zeros(len(obs), bool)
    if OBS_TRUTH in obs:
        truth = obs[OBS_TRUTH].to_numpy(np.int8)
        known = truth != UNKNOWN
        cells[columns.TRUTH] = truth if known.all() else pd.arrays.IntegerArray(truth, ~known)
        scored = known & ~ids.isin(labelled_cells)
        scores = score_cells(predictions, obs, scored, seed, model)
        tables["model_metrics"] = scores
        tables["metrics"] = scores.loc[scores["model"] == model, list(columns.METRICS)]
    if OBS_TREATMENT in obs:
        tables["treatment"] = treatment_table(predictions, obs, scored, seed, model)
    return tables


def score_cells(
    predictions: CellPredictions, obs: pd.DataFrame, scored: np.ndarray, seed: int, model: str
) -> pd.DataFrame:
    """Return the scores of the model, the network alone and the baselines.

    Parameters
    ----------
    predictions, obs, seed, model
        As in :func:`prediction_tables`.
    scored
        Which cells are scored, bool [n_cells].
    """
    truth = obs[OBS_TRUTH].to_numpy(np.int8)
    probabilities = {model: predictions.probability[scored]}
    probabilities |= dict(zip(columns.ALONE, predictions.alone[:, scored], strict=True))
    groups = obs[OBS_GROUP].astype(str).to_numpy()[scored] if OBS_GROUP in obs else None
    return score_models(truth[scored], probabilities, integer(seed, "bootstrap of cells"), groups)


def treatment_table(
    predictions: CellPredictions, obs: pd.DataFrame, scored: np.ndarray, seed: int, model: str
) -> pd.DataFrame:
    """Return number, share predicted sensitive and scores of the untreated cells and of each treatment.

    A part is scored where both classes are known among its cells.

    Parameters
    ----------
    predictions, obs, seed, model
        As in :func:`prediction_tables`.
    scored
        Which cells are scored, bool [n_cells].
    """
    rows = []
    for part, cells in parts_of(obs).items():
        counted = {"n_cells": cells.sum(), "share_sensitive": predictions.labels[cells].mean()}
        if scored.any():
            counted["n_known"] = (cells & scored).sum()
        shares = pd.DataFrame({"metric": list(counted), "value": list(counted.values())}, dtype=object)
        told = cells & scored
        both = told.any() and obs[OBS_TRUTH][told].nunique() == 2
        scores = [score_cells(predictions, obs, told, seed, model)] if both else []
        rows.append(pd.concat([shares.assign(model=model), *scores], ignore_index=True).assign(treatment=part))
    table = pd.concat(rows, ignore_index=True).reindex(columns=list(columns.TREATMENT))
    return table.astype({"value": float, "low": float, "high": float})


def significance_table(cells: pd.Index, labels: np.ndarray, tests: CellTests) -> pd.DataFrame:
    """Return p, false discovery rate and call of each cell.

    A call of a class asks for both: that the cell stands out from the sample, and that its probability says the same.
    A cell that stands out with a probability on the other side of 0.5 is only ``higher than the sample``, or
    ``lower``.

    Parameters
    ----------
    cells
        Their names.
    labels
        1 where the probability is at least 0.5, else 0, [n_cells].
    tests
        What permuted bulk responses say of the cells.
    """
    higher = tests.deviation > 0
    resistant, sensitive = columns.CLASS_NAMES
    side = np.where(
        higher,
        np.where(labels == 1, sensitive, columns.HIGHER),
        np.where(labels == 0, resistant, columns.LOWER),
    )
    call = np.where(tests.fdr > FDR_LEVEL, columns.NOT_SIGNIFICANT, side)
    return pd.DataFrame(dict(zip(columns.SIGNIFICANCE, (cells, tests.p, tests.fdr, call), strict=True)))


def write_predicted_h5ad(
    prepared: str | Path, path: str | Path, tables: dict[str, pd.DataFrame], card: ModelCard, diagnostics: Diagnostics
) -> None:
    """Copy the prepared h5ad and add the predictions to ``obs`` and the model card to ``uns["pharmacell"]``.

    The file is copied and two small groups are rewritten, so the matrix is never in memory.

    Parameters
    ----------
    prepared
        The sample's h5ad of QC.
    path
        Where to write.
    tables
        From :func:`prediction_tables`.
    card
        The model card; names of labelled cells are left out.
    diagnostics
        From :func:`pharmacell.response.diagnostics.diagnose`.
    """
    import h5py
    from anndata.io import read_elem, write_elem

    with whole_file(path) as partial:
        shutil.copyfile(prepared, partial)
        with h5py.File(partial, "r+") as file:
            obs, predictions = obs_of_drug(read_elem(file["obs"]), card.drug), tables["predictions"]
            obs[columns.OBS_PROBABILITY] = predictions[columns.PROBABILITY].to_numpy(np.float32)
            obs[columns.OBS_STD] = predictions[columns.PROBABILITY_STD].to_numpy(np.float32)
            obs[columns.OBS_LABEL] = pd.Categorical.from_codes(predictions[columns.LABEL], columns.CLASS_NAMES)
            if "significance" in tables:
                obs[columns.OBS_FDR] = tables["significance"]["fdr"].to_numpy(np.float32)
            uns = dict(read_elem(file["uns/pharmacell"]))
            uns |= {
                "has_truth": OBS_TRUTH in obs,
                "version": __version__,
                "verdict": diagnostics["verdict"],
                "model_card": json.dumps(card.without_cell_names().to_json()),
            }
            write_elem(file, "obs", obs)
            write_elem(file, "uns/pharmacell", uns)
