"""Folds of a tiny data set in which the classes show in a tenth of the genes."""

import numpy as np

from pharmacell.benchmark.fold import Fold
from pharmacell.data.gene_ontology import TABLE

N_GENES, N_LINES, N_CELLS = 120, 90, 180


def ontology_genes(n: int) -> list[str]:
    """Return genes that many terms of the ontology share, so that a network of its shape sees them."""
    import pandas as pd

    table = pd.read_parquet(TABLE)
    return table.loc[table["is_gene"], "member"].value_counts().index[:n].tolist()


def make_folds(
    n_folds: int = 3, labelled: bool = True, repeat: int = 0, n_genes: int = N_GENES, smiles: str | None = "CCO"
) -> tuple[list[Fold], list[np.ndarray]]:
    """Return folds and the true classes of their test cells."""
    rng = np.random.default_rng(5)
    genes = ontology_genes(n_genes)

    def rows(n: int) -> tuple[np.ndarray, np.ndarray]:
        labels = (np.arange(n) % 3 == 0).astype(np.int64)
        x = rng.normal(size=(n, n_genes))
        x[:, : n_genes // 10] += 2.0 * labels[:, None]
        return x.astype(np.float32), labels

    bulk, bulk_labels = rows(N_LINES)
    bulk = (bulk - bulk.mean(0)) / bulk.std(0)
    cells, truth = rows(N_CELLS)
    number = rng.permutation(N_CELLS) % n_folds
    folds, truths = [], []
    for fold in range(n_folds):
        train = number != fold
        centre, scale = cells[train].mean(0), cells[train].std(0)
        folds.append(
            Fold(
                key=(repeat, fold),
                genes=genes,
                bulk=bulk,
                bulk_labels=bulk_labels,
                bulk_response=bulk_labels + rng.normal(0, 0.3, N_LINES),
                bulk_groups=np.full(N_LINES, "GDSC|lung"),
                train=(cells[train] - centre) / scale,
                test=(cells[~train] - centre) / scale,
                train_labels=truth[train] if labelled else np.full(train.sum(), -1),
                smiles=smiles,
                seed=1000 * repeat + fold,
            )
        )
        truths.append(truth[~train])
    return folds, truths
