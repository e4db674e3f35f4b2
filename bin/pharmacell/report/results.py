"""Everything that the compute steps wrote for one sample, read for drawing and telling."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pharmacell.core.errors import InputError
from pharmacell.response.columns import (
    BASELINES,
    CELL_ID,
    MODEL_METRICS,
    PREDICTIONS,
    SIGNIFICANCE,
    TREATMENT,
    Diagnostics,
)
from pharmacell.response.model_card import ModelCard

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

HISTORY = ("stage", "epoch", "term", "part", "replica", "value")
TRAJECTORY = {
    "pseudotime": ("cell_id", "pseudotime", "component", "used", "umap_1", "umap_2"),
    "correlations": ("method", "value", "low", "high", "n_cells", "resampled", "n_units"),
    "curves": ("feature", "class", "position", "pseudotime", "value", "low", "high"),
    "bins": ("feature", "class", "bin", "pseudotime", "n_cells", "value"),
}

KEY_GENES = ("gene", "class", "attribution", "std", "fdr", "log_fold_change", "is_deg", "expressed", "rank")
BESIDE_KEY_GENES = {
    "attribution_methods": ("class", "method", "other", "spearman", "overlap", "overlap_by_chance"),
    "key_genes_by_group": ("gene", "group", "mean", "share", "n_cells", "probability"),
    "deg_scores": ("cell_id", "probability", "label"),
    "deg_score_tests": ("class", "score", "reference", "pearson", "low", "high", "p", "n_lists"),
    "deg_score_null": ("class", "list", "pearson"),
    "separation": ("score", "auroc", "low", "high", "p", "drawn", "labels"),
    "attention_entropy": ("replica", "head", "class", "entropy", "std"),
    "pathways": ("method", "class", "set", "genes_in_set", "score", "p", "fdr"),
}


@dataclass(frozen=True)
class KeyGeneResults:
    """What explains one sample's predictions, as ``key_genes`` wrote it.

    Parameters
    ----------
    table
        Genes of each class, the most important first; see :func:`pharmacell.explanation.key_genes.key_gene_table`.
    summary
        How they were found, and ``missing``: part to reason.
    tables
        Of ``BESIDE_KEY_GENES``, those that were written.
    attention
        Maps: ``replica, head, class, query, key, weight``; None without an attention block.
    cells
        ``cell_id, label, probability`` and the expression of the genes that figures show; None without key genes.
    """

    table: "pd.DataFrame"
    summary: dict
    tables: "dict[str, pd.DataFrame]"
    attention: "pd.DataFrame | None"
    cells: "pd.DataFrame | None"


@dataclass(frozen=True)
class TrajectoryResults:
    """The order of one sample's cells, with the tables that ``trajectory`` wrote.

    Parameters
    ----------
    pseudotime
        Every cell of the sample; see :class:`pharmacell.explanation.trajectory.Trajectory`.
    correlations
        Of pseudotime and probability.
    curves, bins
        Probability and key genes along the order, smoothed and in bins.
    summary
        What was done, with ``computed`` and ``notes``.
    """

    pseudotime: "pd.DataFrame"
    correlations: "pd.DataFrame"
    curves: "pd.DataFrame"
    bins: "pd.DataFrame"
    summary: dict


@dataclass(frozen=True)
class Results:
    """One sample's results.

    Parameters
    ----------
    sample
        The sample's name.
    qc_metrics
        One row a cell that was read: ``cell_id, n_genes, total_counts, pct_mt, kept, reason``.
    qc_summary
        What quality control did, and with which thresholds.
    source_metrics
        Scores on held-out bulk lines: ``model, metric, value, low, high``.
    history
        Loss terms of all stages in their order: ``stage, epoch, term, part, replica, value``.
    obs
        The cells' annotation, (n_cells, n_columns), with the predictions.
    umap
        Coordinates, shape (n_cells, 2), NaN for cells that were not embedded; None when there are none.
    sample_summary
        ``uns["pharmacell"]`` of the h5ad without the model card.
    card
        The model card of the h5ad; None when it has none.
    predictions
        ``cell_id, probability, probability_std, label`` and ``truth`` where known.
    baselines
        ``cell_id`` and the probabilities of each baseline.
    model_metrics
        Scores on the cells, as ``source_metrics``; None without truth.
    significance
        ``cell_id, p, fdr, call`` of every cell; None when the network stands alone.
    diagnostics
        Verdict, reasons and the numbers behind them.
    treatment
        Shares and scores before and after treatment: ``treatment, model, metric, value, low, high``; None where it is
        not known.
    key_genes
        What explains the predictions; None when explanations were left out.
    trajectory
        The order of the cells; None when explanations were left out.
    """

    sample: str
    qc_metrics: "pd.DataFrame"
    qc_summary: dict
    source_metrics: "pd.DataFrame"
    history: "pd.DataFrame"
    obs: "pd.DataFrame"
    umap: "np.ndarray | None"
    sample_summary: dict
    card: ModelCard | None
    predictions: "pd.DataFrame"
    baselines: "pd.DataFrame"
    model_metrics: "pd.DataFrame | None"
    significance: "pd.DataFrame | None"
    diagnostics: Diagnostics
    treatment: "pd.DataFrame | None" = None
    key_genes: KeyGeneResults | None = None
    trajectory: TrajectoryResults | None = None

    @property
    def simulated(self) -> bool:
        """Whether the cells were simulated."""
        return bool(self.sample_summary.get("simulated", self.qc_summary.get("simulated", False)))

    @property
    def truth(self) -> "np.ndarray | None":
        """True class of each cell, NaN where it is missing, shape (n_cells,), or None where there are no labels."""
        return self.predictions["truth"].to_numpy(float) if "truth" in self.predictions else None

    @property
    def label(self) -> str:
        """The sample's name as every title shows it."""
        return f"{self.sample} (simulated cells)" if self.simulated else self.sample

    @property
    def drug(self) -> str:
        """The drug that was asked for."""
        return self.diagnostics.get("drug", self.card.drug if self.card else "")


def read_results(sample: str, files: dict[str, str | Path | None]) -> Results:
    """Read the files of one sample.

    Parameters
    ----------
    sample
        Name of the prediction, for which a sample of several drugs has several; the sample's own stands in its summary
        of quality control.
    files
        Name as among the command's options to path; ``model_metrics``, ``significance``, ``treatment``, ``key_genes``
        with ``key_genes_folder``, and ``trajectory`` (a folder) may be None.

    Raises
    ------
    InputError
        If a file cannot be read or lacks a column.
    """
    import pandas as pd

    given = {name: Path(file) for name, file in files.items() if file}
    histories = [table(given[name], HISTORY) for name in ("source_history", "history")]
    obs, umap, sample_summary, card = read_target(given["target"])
    qc_summary = read_json(given["qc_summary"])
    return Results(
        sample=str(qc_summary.get("sample") or sample),
        qc_metrics=table(given["qc_metrics"], ("cell_id", "n_genes", "total_counts", "pct_mt", "kept")),
        qc_summary=qc_summary,
        source_metrics=table(given["source_metrics"], MODEL_METRICS),
        history=pd.concat(histories, ignore_index=True),
        obs=obs,
        umap=umap,
        sample_summary=sample_summary,
        card=card,
        predictions=table(given["predictions"], PREDICTIONS),
        baselines=table(given["baselines"], BASELINES),
        model_metrics=table(given["model_metrics"], MODEL_METRICS) if "model_metrics" in given else None,
        significance=table(given["significance"], SIGNIFICANCE) if "significance" in given else None,
        diagnostics=cast(Diagnostics, read_json(given["diagnostics"])),
        treatment=table(given["treatment"], TREATMENT) if "treatment" in given else None,
        key_genes=read_key_genes(given["key_genes"], given["key_genes_folder"]) if "key_genes" in given else None,
        trajectory=read_trajectory(given["trajectory"]) if "trajectory" in given else None,
    )


def read_key_genes(path: str | Path, folder: str | Path) -> KeyGeneResults:
    """Read what ``key_genes`` wrote.

    Parameters
    ----------
    path
        ``SAMPLE.key_genes.csv``.
    folder
        The files beside it.

    Raises
    ------
    InputError
        If a file cannot be read or lacks a column.
    """
    import pandas as pd

    folder = Path(folder)
    tables = {
        name: table(folder / f"{name}.csv", columns)
        for name, columns in BESIDE_KEY_GENES.items()
        if (folder / f"{name}.csv").exists()
    }
    maps, cells = (
        pd.read_parquet(file) if (file := folder / f"{name}.parquet").exists() else None
        for name in ("attention", "key_genes_of_cells")
    )
    return KeyGeneResults(table(path, KEY_GENES), read_json(folder / "key_genes.json"), tables, maps, cells)


def read_trajectory(folder: Path) -> TrajectoryResults:
    """Read what ``trajectory`` wrote.

    Parameters
    ----------
    folder
        ``SAMPLE.trajectory``.

    Raises
    ------
    InputError
        If a file cannot be read or lacks a column.
    """
    tables = {name: table(folder / f"{name}.csv", columns) for name, columns in TRAJECTORY.items()}
    return TrajectoryResults(**tables, summary=read_json(folder / "trajectory.json"))


def table(path: str | Path, columns: tuple[str, ...]) -> "pd.DataFrame":
    """Read a csv that must have these columns.

    Parameters
    ----------
    path
        Of the file.
    columns
        That must be there.

    Raises
    ------
    InputError
        If it cannot be read or a column is missing.
    """
    import pandas as pd

    try:
        content = pd.read_csv(path, dtype={CELL_ID: str, "model": str, "treatment": str})
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be read as csv ({error}); run the step that writes it again") from error
    if missing := [name for name in columns if name not in content]:
        raise InputError(f"{path}: the column {missing[0]!r} is missing; run the step that writes it again")
    return content


def read_json(path: str | Path) -> dict:
    """Read a json object.

    Parameters
    ----------
    path
        Of the file.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        return json.loads(Path(path).read_text())
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: cannot be read as json ({error}); run the step that writes it again") from error


def read_target(path: str | Path) -> tuple["pd.DataFrame", "np.ndarray | None", dict, ModelCard | None]:
    """Read annotation, UMAP, summary and model card of an h5ad, never its matrix.

    Parameters
    ----------
    path
        ``SAMPLE.predicted.h5ad``.

    Raises
    ------
    InputError
        If it is not an h5ad, or its model card is of another version.
    """
    import h5py
    from anndata.io import read_elem

    try:
        with h5py.File(path) as file:
            umap = read_elem(file["obsm/X_umap"]) if "obsm/X_umap" in file else None
            summary = dict(read_elem(file["uns/pharmacell"])) if "uns/pharmacell" in file else {}
            text = summary.pop("model_card", None)
            card = None if text is None else ModelCard.from_json(json.loads(text), str(path))
            return read_elem(file["obs"]), umap, summary, card
    except (OSError, KeyError) as error:
        raise InputError(f"{path}: cannot be read as h5ad ({error}); run PREDICT again") from error
