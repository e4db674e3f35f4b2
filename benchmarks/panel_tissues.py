"""How often the tissue and the resemblance of a profile are told rightly, on held-out lines made into pseudo-bulks.

    PYTHONPATH=bin .venv/bin/python benchmarks/panel_tissues.py bulk/bulk.h5ad --sample cells/sample.h5ad

Pseudo-bulks have the genes of the sample. Their platform is offset gene by gene (``genes``), and also along the
difference of one line from the mean, as the panel's bulk stage draws it (``line``). A line is compared with the lines
of other folds; without its tissue, with lines of other tissues. ``shuffled``: every line's difference from the mean,
and all of its genes, in random order.
"""

from pathlib import Path

import anndata as ad
import click
import numpy as np

from pharmacell.data.folds import UNKNOWN
from pharmacell.data.shifts import line_profiles, pooled_profiles
from pharmacell.drug_panel.held_out import FOLDS, folds_of
from pharmacell.drug_panel.profiles import shared_genes
from pharmacell.drug_panel.resemblance import LEAST, MARGIN, resemblance
from pharmacell.drug_panel.shifted import OFFSET, OWN_ERROR, pseudo_bulks

DRAWS = 3
DEPTH = 4e4  # counts of a profile for every 1,000 genes
MARGINS = (0.0, 0.1, 0.2, 0.3)
QUANTILES = (0.01, 0.05, 0.5, 0.95, 0.99)


def offset_by_gene(lines: np.ndarray, platforms: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return pooled profiles of lines as platforms read them that differ gene by gene."""
    spread = (lines - lines.mean(0)).std()
    offsets = rng.normal(0, OFFSET * spread, (platforms.max() + 1, lines.shape[1])).astype(np.float32)
    return pooled_profiles(lines + offsets[platforms], DEPTH, OWN_ERROR * spread, rng)


def shuffled(rows: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return rows, each in an order of its own."""
    return rng.permuted(rows, axis=1)


def tell(what: str, values: np.ndarray) -> None:
    """Print quantiles."""
    found = ", ".join(
        f"{one:g}: {value:.3f}" for one, value in zip(QUANTILES, np.quantile(values, QUANTILES), strict=True)
    )
    click.echo(f"correlation with the nearest line, {what}: {found}; below {LEAST}: {(values < LEAST).mean():.3f}")


@click.command()
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.option("--sample", type=click.Path(path_type=Path, exists=True), help="Prepared sample whose genes count.")
def main(bulk: Path, sample: Path | None) -> None:
    """Print both tables."""
    lines = ad.read_h5ad(bulk)
    if sample is not None:
        lines = lines[:, shared_genes(lines.var_names, ad.read_h5ad(sample, backed="r").var_names)]
    own, tissues = line_profiles(np.asarray(lines.X, np.float32)), lines.obs["tissue"].to_numpy(str)
    click.echo(f"{own.shape[0]} lines, {own.shape[1]} genes")
    rng = np.random.default_rng(0)
    told: dict[str, list[tuple[bool, float]]] = {"genes": [], "line": []}
    nearest: dict[str, list[np.ndarray]] = {"held-out lines": [], "without their tissue": [], "shuffled": []}
    for draw in range(DRAWS):
        fold = folds_of(tissues, draw)
        for kind, found in told.items():
            read = pseudo_bulks if kind == "line" else offset_by_gene
            counts = read(own, fold, rng)
            for one in range(FOLDS):
                rows, train = (fold == one) & (tissues != UNKNOWN), fold != one
                near = resemblance(counts[rows], own[train], tissues[train], None, least=0.0)
                found += zip(near.tissue == tissues[rows], near.margin, strict=True)
                nearest["held-out lines"].append(near.correlation)
            for tissue in set(tissues) if kind == "line" and not draw else ():
                rows = tissues == tissue
                near = resemblance(counts[rows], own[~rows], tissues[~rows], None)
                nearest["without their tissue"].append(near.correlation)
        mixed = pseudo_bulks(own.mean(0) + shuffled(own - own.mean(0), rng), fold, rng)
        for profiles in (mixed, shuffled(own, rng)):
            nearest["shuffled"].append(resemblance(profiles, own, tissues, "any").correlation)
    click.echo(f"a tissue is named from a margin of {MARGIN} on")
    for kind, found in told.items():
        right, margin = np.array(found).T
        for least in MARGINS:
            named = margin >= least
            click.echo(f"offset by {kind}, margin {least}: named {named.mean():.2f}, right {right[named].mean():.2f}")
    for what, values in nearest.items():
        tell(what, np.concatenate(values))


if __name__ == "__main__":
    main()
