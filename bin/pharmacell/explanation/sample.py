"""Everything that explains the predictions of one sample, each part where the sample allows it."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from pharmacell.core.errors import InputError
from pharmacell.core.progress import say
from pharmacell.core.seeds import generator, integer
from pharmacell.data.cells import CellMatrix
from pharmacell.explanation.attention_maps import AttentionTables, attention_tables
from pharmacell.explanation.class_means import (
    CLASSES,
    Attributor,
    ClassAttributions,
    StandardisedCells,
    class_profiles,
)
from pharmacell.explanation.deg_scores import FEWEST_CELLS, deg_list, differential, list_size
from pharmacell.explanation.expression import Expression, enough_of_both, predicted_labels, read_expression, true_labels
from pharmacell.explanation.groups import expression_by_group
from pharmacell.explanation.key_genes import COLUMNS, TOP, agreement, degs_among, key_gene_table, key_list
from pharmacell.explanation.list_tests import ListTests, list_tests
from pharmacell.explanation.pathways import enrichment
from pharmacell.response.store import Bundle

DOT_GENES = 10  # of each class
MOST_CELLS = 20_000  # that are attributed; of larger samples so many are drawn
NEED_TWO_CLASSES = ("key genes", "DEGs of predicted labels", "gene lists", "separation", "pathways")


@dataclass(frozen=True)
class Settings:
    """Choices of the user.

    Parameters
    ----------
    baseline
        ``resistant``: cells are compared with the mean cell of the opposite class (sensitive cells with the resistant
        mean, resistant cells with the sensitive one); ``zeros``: with the sample's mean cell.
    steps
        Of integrated gradients.
    gene_sets
        Name to genes, for enrichment; None for none.
    seed, threads
        Of this run.
    """

    baseline: str
    steps: int
    gene_sets: dict[str, list[str]] | None
    seed: int
    threads: int


@dataclass
class Explained:
    """What was found for one sample.

    Parameters
    ----------
    cells
        The cells on which gene lists were compared.
    table
        The key genes; empty when they could not be computed.
    degs
        DEGs by which labels: ``truth``, ``predicted``.
    summary
        Numbers and settings, for the json.
    missing
        Part to the reason why it is not there.
    agreement, lists, by_group, attention, pathways
        See the functions that make them; None when they are missing.
    """

    cells: Expression
    table: pd.DataFrame
    degs: dict[str, pd.DataFrame]
    summary: dict
    missing: dict[str, str] = field(default_factory=dict)
    agreement: pd.DataFrame | None = None
    lists: ListTests | None = None
    by_group: pd.DataFrame | None = None
    attention: AttentionTables | None = None
    pathways: pd.DataFrame | None = None

    @property
    def dot_genes(self) -> dict[str, list[str]]:
        """The first key genes of each class, sensitive first."""
        return {name: key_list(self.table, name, DOT_GENES) for name in CLASSES[::-1]}

    @property
    def heatmap_genes(self) -> list[str]:
        """The genes with the highest attribution towards sensitive."""
        return self.table.loc[self.table["class"] == "sensitive", "gene"].head(TOP).tolist()

    def expression_of_cells(self) -> pd.DataFrame:
        """Return ``cell_id, label, probability`` and the expression of the genes that figures show, a row each cell."""
        genes = list(dict.fromkeys([*self.heatmap_genes, *(gene for each in self.dot_genes.values() for gene in each)]))
        values = self.cells.x[:, pd.Index(self.cells.genes).get_indexer(genes)]
        return pd.DataFrame(
            {
                "cell_id": self.cells.obs.index.astype(str),
                "label": self.cells.labels,
                "probability": self.cells.probability,
                **dict(zip(genes, values.T, strict=True)),
            }
        )


def explain_sample(bundle: Bundle, path: Path, settings: Settings, device: torch.device) -> Explained:
    """Explain the predictions of a sample.

    Parameters
    ----------
    bundle
        The adapted model.
    path
        The predicted h5ad.
    settings
        Choices of the user.
    device
        Where to compute.

    Raises
    ------
    InputError
        If the model was not adapted, or the file has no predictions or lacks genes.
    """
    if bundle.target_scaler is None:
        raise InputError(
            "the model was pretrained but not adapted to cells; give the SAMPLE.model.safetensors "
            "that finetune_sc wrote"
        )
    cells = CellMatrix(path)
    labels = predicted_labels(cells)
    expression = read_expression(cells, bundle.genes, labels, generator(settings.seed, "cells of the gene lists"))
    drawn = draw_cells(labels, cells.obs, generator(settings.seed, "cells that are attributed"))
    say(f"genes of {len(drawn):,} of {len(labels):,} cells: differential expression")
    found = Explained(
        expression,
        pd.DataFrame(columns=list(COLUMNS)),
        degs_of(expression),
        summarise(bundle, cells, labels, expression, settings) | {"n_cells_attributed": len(drawn)},
    )
    x = StandardisedCells(bundle, cells.rows_as_stored(bundle.genes, drawn))
    attributor = Attributor(bundle, x, labels[drawn], settings.steps, device)
    if bundle.model.config.heads:
        rng = generator(settings.seed, "token genes")
        found.attention = attention_tables(bundle, x, attributor.labels, rng, device)
    else:
        found.missing["attention"] = "the network has no attention block (--heads 0)"
    if enough_of_both(attributor.labels) and enough_of_both(expression.labels):
        truth = true_labels(cells.obs.iloc[drawn])
        add_key_genes(found, attributor, attributor.labels if truth is None else truth, settings)
    else:
        counts = np.bincount(labels, minlength=2)
        reason = (
            f"{counts[1]:,} cells are predicted sensitive and {counts[0]:,} resistant; a comparison takes at "
            f"least {FEWEST_CELLS} of each"
        )
        found.missing |= dict.fromkeys(NEED_TWO_CLASSES, reason)
    return found


def draw_cells(labels: np.ndarray, obs: pd.DataFrame, rng: np.random.Generator, most: int = MOST_CELLS) -> np.ndarray:
    """Draw the cells that are attributed: as large a share of each class and group as of all cells.

    Parameters
    ----------
    labels
        Predicted labels, 1 or 0, [n_cells].
    obs
        The cells' annotation, with ``group`` where it is known.
    rng
        Draws them.
    most
        How many at most.

    Returns
    -------
    numpy.ndarray
        Sorted positions; those of all cells when there are not more than ``most``.
    """
    n_cells = len(labels)
    if n_cells <= most:
        return np.arange(n_cells)
    strata = pd.Series(labels.astype(str))
    if "group" in obs:
        strata = strata + " " + obs["group"].astype(str).to_numpy()
    order = rng.permutation(n_cells)
    in_order = strata.to_numpy()[order]
    within = pd.Series(in_order).groupby(in_order)
    share = (within.cumcount() + 0.5) / within.transform("size")  # of its stratum that stands before a cell
    return np.sort(order[np.argsort(share.to_numpy(), kind="stable")[:most]])


def add_key_genes(found: Explained, attributor: Attributor, known: np.ndarray, settings: Settings) -> None:
    """Add what two predicted classes allow: key genes, their expression, tests of the lists, pathways.

    Parameters
    ----------
    found
        What they are added to.
    attributor
        The model and the cells.
    known
        The labels, 1 or 0, whose mean cells are compared with, [n_cells].
    settings
        Choices of the user.
    """
    bundle = attributor.bundle
    profiles = class_profiles(attributor.x, attributor.labels)
    baselines = class_profiles(attributor.x, known) if settings.baseline == "resistant" else np.zeros_like(profiles)
    attributions: dict[str, ClassAttributions] = {}
    for name in CLASSES[::-1]:
        label = CLASSES.index(name)
        rng = generator(settings.seed, f"permuted labels {name}")
        attributions[name] = attributor.towards(label, baselines[1 - label], rng)
    say("tests of the lists of genes")
    used = "truth" if "truth" in found.degs else "predicted"
    found.table = key_gene_table(attributions, bundle.genes, profiles, found.degs[used])
    found.agreement = agreement(attributions)
    found.summary |= {
        "completeness_gap": {name: each.gap for name, each in attributions.items()},
        "degs_among_top": degs_among(found.table),
        "degs_of": used,
        "dot_genes": found.dot_genes,
    }
    found.by_group = expression_by_group(
        found.cells,
        list(dict.fromkeys([*found.heatmap_genes, *(gene for genes in found.dot_genes.values() for gene in genes)])),
    )
    most = list_size(len(bundle.genes))
    lists = {
        f"{labels_of}_{name}": deg_list(degs, name, most) for labels_of, degs in found.degs.items() for name in CLASSES
    }
    lists |= {f"key_{name}": key_list(found.table, name, most) for name in CLASSES}
    found.lists = list_tests(found.cells, lists, settings.seed)
    found.summary["list_sizes"] = {name: len(genes) for name, genes in lists.items()}
    add_reasons(found, lists)
    if settings.gene_sets is None:
        found.missing["pathways"] = (
            "no gene sets were given, and none come with PharmaCell; give a file (gmt) with --gene_sets"
        )
    else:
        found.pathways = enrichment(
            found.table, settings.gene_sets, most, integer(settings.seed, "GSEA"), settings.threads
        )
        if found.pathways.empty:
            found.missing["pathways"] = "no gene set of the file has 5 to 500 of the model's genes"


def add_reasons(found: Explained, lists: dict[str, list[str]]) -> None:
    """Say which tests of the gene lists are missing, and why.

    Parameters
    ----------
    found
        What was found; changed in place.
    lists
        Name to genes.
    """
    empty = [name.replace("_", " ") for name, genes in lists.items() if not genes]
    why = f"no gene is significant for {', '.join(empty)}" if empty else "a score does not vary"
    if found.lists is None or len(found.lists.tests) < len(CLASSES):
        found.missing["gene lists"] = why
    if found.lists is None or found.lists.separation is None:
        found.missing["separation"] = why


def degs_of(cells: Expression) -> dict[str, pd.DataFrame]:
    """Return the differential expression between the true classes and between the predicted ones, if there are two.

    Parameters
    ----------
    cells
        Expression and labels.
    """
    known = {"truth": cells.truth, "predicted": cells.labels}
    usable = {name: labels for name, labels in known.items() if labels is not None and enough_of_both(labels)}
    return differential(cells.x, cells.genes, usable, cells.log_scale) if usable else {}


def summarise(
    bundle: Bundle, cells: CellMatrix, labels: np.ndarray, expression: Expression, settings: Settings
) -> dict:
    """Return what the json says before anything is computed.

    Parameters
    ----------
    bundle
        The model.
    cells
        The sample.
    labels
        Predicted labels of all cells, 1 or 0, [n_cells].
    expression
        The cells on which lists are compared.
    settings
        Choices of the user.
    """
    counts = np.bincount(labels, minlength=2)
    truth = true_labels(cells.obs) is not None
    return {
        "drug": bundle.card.drug,
        "explained": "score of the ensemble before it is averaged over neighbours"
        if bundle.ensemble
        else "logit difference of the network",
        "member_weights": bundle.ensemble.named_weights() if bundle.ensemble else {"network": 1.0},
        "n_cells": len(cells),
        "n_sensitive": int(counts[1]),
        "n_resistant": int(counts[0]),
        "n_cells_of_lists": len(expression.labels),
        "n_genes": len(bundle.genes),
        "n_replicas": bundle.model.n_replicas,
        "ig_baseline": settings.baseline,
        "ig_steps": settings.steps,
        "baseline_labels": "truth" if truth else "predicted",
        "truth_known": truth,
        "log_fold_change": "log2 of mean expression" if expression.log_scale else "difference of standardised means",
    }
