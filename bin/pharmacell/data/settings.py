"""Settings of what reads, checks, simulates and labels data; imports nothing heavy."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pharmacell.core.settings import setting


@dataclass(frozen=True)
class Request:
    """What the sample sheet and the params say about how a sample is read.

    Attributes
    ----------
    sample
        Its name.
    path
        Its file or folder.
    """

    sample: str
    path: Path
    label_key: str | None = setting(None, "Column of the cells' known response, used to score.")
    drug_label_key: str | None = setting(
        None, "Where the response to several drugs is known: KEY of the columns KEY:DRUG, in the place of label_key."
    )
    group_key: str | None = setting(None, "Column of the cells' origin: line, patient or plate.")
    normal_key: str | None = setting(
        None, "Column that marks normal cells; refused here, before any training, if it is not there."
    )
    mutations: str | None = setting(
        None,
        "Driver events of the sample, or column:KEY; refused here, before any training, if one is unknown or the "
        "column is not there.",
    )
    treatment_key: str | None = setting(
        None, "Column that says which cells were treated; used to warn and score apart."
    )
    species: Literal["auto", "human", "mouse"] = setting("auto", "Whose genes these are.")
    scale: Literal["auto", "counts", "tpm", "log1p", "zscore"] = setting("auto", "What the values are.")
    orientation: Literal["auto", "cells_by_genes", "genes_by_cells"] = setting(
        "auto", "What the rows of a csv or tsv sample are."
    )
    matrix: str | None = setting(
        None,
        "Which matrix of a file with several is used: X, raw or the name of a layer.",
        otherwise="counts before logged values before z-scores; of two alike X first",
    )
    root: str | None = setting(
        None, "Where trajectory is to begin: a group's or a cell's name; refused here, before any training, if unknown."
    )


@dataclass(frozen=True)
class Limits:
    """Limits of quality control; the defaults are those of ATSDP-NET (Front. Med. 2025)."""

    min_genes: int = setting(200, "A cell with fewer detected genes is removed.", at_least=0)
    min_cells: int = setting(3, "A gene detected in fewer cells is removed.", at_least=0)
    max_mt_percent: float = setting(
        10.0, "A cell with a higher percentage of mitochondrial counts is removed.", at_least=0, at_most=100
    )
    target_sum: float = setting(10_000.0, "Counts per cell after normalisation.", above=0)


@dataclass(frozen=True)
class BulkSource:
    """Where bulk lines come from."""

    bulk: Literal["gdsc", "gdsc+ccle"] = setting(
        "gdsc",
        "Built-in bulk data set, fetched once, then cached; gdsc+ccle has CCLE's responses of 24 drugs beside GDSC's.",
    )
    response_measure: Literal["ln_ic50", "ic50", "auc", "label"] = setting(
        "ln_ic50",
        "What --bulk_response holds (IC50 in uM); a lower IC50 or AUC is more sensitive, label 1 is sensitive.",
    )
    cache_dir: Path | None = setting(
        None,
        "Folder where the built-in bulk data are kept between runs.",
        otherwise="PHARMACELL_CACHE, else .cache/pharmacell in the home folder",
        kind="folder",
    )
    exclude_lines: tuple[str, ...] | None = setting(
        None,
        "Bulk lines to leave out, separated by commas, such as A375,PC-3: those that your cells come from.",
    )


@dataclass(frozen=True)
class OwnBulk:
    """The user's own bulk tables."""

    bulk_expression: Path | None = setting(
        None, "Expression of your own lines: csv, tsv, txt, parquet or h5ad; needs --bulk_response.", kind="file"
    )
    bulk_response: Path | None = setting(
        None, "Drug response of your own lines, wide or long: csv, tsv, txt or parquet.", kind="file"
    )


@dataclass(frozen=True)
class Cut:
    """How lines are called sensitive or resistant."""

    binarise: Literal["quantile", "extremes", "threshold", "waterfall"] = setting(
        "quantile",
        "How lines are called sensitive or resistant; extremes takes as many of the most resistant lines as of the "
        "most sensitive ones and drops the middle.",
    )
    sensitive_quantile: float = setting(
        0.3, "Share of the lines that is called sensitive, for binarise quantile and extremes.", above=0, below=1
    )
    sensitive_threshold: float | None = setting(
        None, "Lines at or below this value (ln IC50 in ln uM, or AUC) are sensitive, for binarise threshold."
    )


@dataclass(frozen=True)
class Simulation:
    """Which lines are held out and how many cells are made of them."""

    n_lines: int = setting(6, "Most sensitive lines, and as many most resistant ones, to make cells of.", at_least=1)
    n_cells: int = setting(100, "Cells of each line.", at_least=1)
    held_out: float = setting(
        0.2, "Share of the lines held out of the bulk data; cells come from these only.", above=0, below=1
    )
