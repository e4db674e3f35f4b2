"""The figures that explain a sample's predictions."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.report.figures.attention_entropy import draw_attention_entropy
from pharmacell.report.figures.attention_maps import draw_attention_maps
from pharmacell.report.figures.attribution_methods import draw_attribution_methods
from pharmacell.report.figures.deg_scores import draw_deg_scores
from pharmacell.report.figures.key_gene_dots import draw_key_gene_dots
from pharmacell.report.figures.key_gene_heatmap import draw_key_gene_heatmap
from pharmacell.report.figures.pathways import draw_pathways
from pharmacell.report.figures.score_null import draw_score_null
from pharmacell.report.figures.score_scatter import draw_score_scatter
from pharmacell.report.figures.separation import draw_separation
from pharmacell.report.results import Results

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

HEATMAP_GENES = 100
EXPLAINED_CAPTIONS = {
    "key_gene_heatmap": "The 100 genes that move the score of sensitive cells most towards sensitive, expressed higher "
    "in sensitive cells above the line and lower below it. Groups of cells stand from the least "
    "to the most sensitive by prediction. Look whether groups of one kind look alike: a gene that "
    "stands out in a single group may be a mark of that origin, not of the drug.",
    "key_gene_dots": "The first ten genes of each class whose higher expression speaks for it: names in blue for "
    "sensitive, in orange-red for resistant. A large pale dot is common but weak, a small dark one "
    "rare but strong.",
    "deg_scores": "Mean expression of a class's differentially expressed genes, less that of reference genes of like "
    "expression. Look whether the maps from predicted labels repeat those from true ones.",
    "deg_score_null": "Each random list has as many genes of each level of expression as the real one. Look whether "
    "the black line lies to the right of nearly all of them; the grey band is its 95 % interval. "
    "Cells of one origin are alike, so the interval is narrower than new samples would make it.",
    "deg_score_scatter": "One dot a cell, with the regression line. Labels that were predicted well give the same "
    "genes as true labels, so dots along the line. The two lists share genes, so some correlation "
    "is there by construction: compare with random lists.",
    "separation": "Each violin is the score of a class's cells, the white dot their median. To the right, how well "
    "each score separates the classes (AUROC, 95 % bootstrap interval). Neither list is better when the "
    "interval of the difference holds 0.",
    "attribution_methods": "How far the methods name the same genes for the network alone, and how far the whole score "
    "follows them. Where methods differ, trust no rank of a single gene.",
    "attention_maps": "Mean attention of the first replica: each row says where a token of the latent vector looks. "
    "Rows that are all alike mean that attention does not choose. Tokens are no genes; "
    "token_genes.parquet says which genes move each. Attention does not say what mattered.",
    "attention_entropy": "At 1 a head looks at all tokens alike, at 0 at a single one. Heads of different replicas are "
    "not the same heads.",
    "pathways": "Gene sets with the smallest false discovery rate. Over-representation asks which sets have more "
    "of a class's key genes than chance gives, GSEA where the sets stand in the whole ranking.",
}


def explained(results: Results, name: str, seed: int) -> Iterator[tuple[str, "Figure"]]:
    """Yield name and figure of what ``key_genes`` found; nothing when predictions were not explained."""
    if results.key_genes is None:
        return
    found, simulated = results.key_genes, results.simulated
    tables = found.tables
    if len(found.table):
        yield from expression(found.table, found.facts, tables["key_genes_by_group"], name, simulated)
        yield (
            "attribution_methods",
            draw_attribution_methods(tables["attribution_methods"], f"Attribution methods: {name}", simulated),
        )
        yield from lists(results, name, seed)
    if found.attention is not None:
        yield "attention_maps", draw_attention_maps(found.attention, f"Attention: {name}", simulated)
        yield "attention_entropy", draw_attention_entropy(tables["attention_entropy"], f"Attention: {name}", simulated)
    if "pathways" in tables and len(tables["pathways"]):
        yield "pathways", draw_pathways(tables["pathways"], f"Gene sets: {name}", simulated)


def expression(
    table: "pd.DataFrame", facts: dict, by_group: "pd.DataFrame", name: str, simulated: bool
) -> Iterator[tuple[str, "Figure"]]:
    """Yield the expression of the key genes in groups of cells."""
    top = table[table["class"] == "sensitive"].head(HEATMAP_GENES)
    higher = top.loc[top["expressed"] == "higher", "gene"].tolist()
    yield (
        "key_gene_heatmap",
        draw_key_gene_heatmap(by_group, top["gene"].tolist(), higher, f"Key genes: {name}", simulated),
    )
    if any(facts["dot_genes"].values()):
        yield "key_gene_dots", draw_key_gene_dots(by_group, facts["dot_genes"], f"Key genes: {name}", simulated)


def lists(results: Results, name: str, seed: int) -> Iterator[tuple[str, "Figure"]]:
    """Yield the scores of lists of genes and their tests."""
    tables, simulated = results.key_genes.tables, results.simulated
    scores, tests = tables["deg_scores"], tables["deg_score_tests"]
    if results.umap is not None and any(column.startswith(("truth_", "predicted_")) for column in scores):
        umap = results.umap[results.obs.index.astype(str).get_indexer(scores["cell_id"])]
        if np.isfinite(umap).all(axis=1).any():
            yield "deg_scores", draw_deg_scores(scores, umap, f"Scores of DEGs: {name}", simulated, seed)
    if len(tests):
        yield (
            "deg_score_null",
            draw_score_null(tables["deg_score_null"], tests, f"Against random lists: {name}", simulated),
        )
        yield "deg_score_scatter", draw_score_scatter(scores, tests, f"Scores of DEGs: {name}", simulated, seed)
    if "separation" in tables:
        differences = {
            title: (scores[f"{source}_sensitive"] - scores[f"{source}_resistant"]).to_numpy()
            for title, source in (("key genes", "key"), ("DEGs", "predicted"))
        }
        labels = scores["truth" if tables["separation"]["labels"].iloc[0] == "true" else "label"].to_numpy()
        yield "separation", draw_separation(differences, labels, tables["separation"], f"Separation: {name}", simulated)
