"""The files that hold what was found."""

from pathlib import Path

import pandas as pd

from pharmacell.core.files import whole_file, write_json
from pharmacell.explanation.sample import Explained


def write_tables(found: Explained, sample: str, outdir: Path) -> None:
    """Write ``<sample>.key_genes.csv``, and the other tables and the summary in ``<sample>.key_genes/``.

    A table that is missing is not written; the key genes always are, with no row when there are none.

    Parameters
    ----------
    found
        What was found.
    sample
        Its name, with which the files begin.
    outdir
        Where they go.
    """
    folder = outdir / f"{sample}.key_genes"
    with whole_file(outdir / f"{sample}.key_genes.csv") as partial:
        found.table.to_csv(partial, index=False)
    lists, attention = found.lists, found.attention
    tables: dict[str, pd.DataFrame | None] = {
        "degs": pd.concat([table.assign(labels=name) for name, table in found.degs.items()]) if found.degs else None,
        "attribution_methods": found.agreement,
        "key_genes_by_group": found.by_group,
        "deg_scores": deg_scores(found),
        "deg_score_tests": lists.tests if lists else None,
        "deg_score_null": lists.null if lists else None,
        "separation": lists.separation if lists else None,
        "attention_entropy": attention.entropy if attention else None,
        "pathways": found.pathways,
    }
    for name, table in tables.items():
        if table is not None:
            with whole_file(folder / f"{name}.csv") as partial:
                table.to_csv(partial, index=False)
    if attention is not None:
        for name, table in (("attention", attention.maps), ("token_genes", attention.token_genes)):
            with whole_file(folder / f"{name}.parquet") as partial:
                table.to_parquet(partial, index=False)
    if len(found.table):
        with whole_file(folder / "key_genes_of_cells.parquet") as partial:
            found.expression_of_cells().to_parquet(partial, index=False)
    write_json(folder / "key_genes.json", {"sample": sample, **found.summary, "missing": found.missing})


def deg_scores(found: Explained) -> pd.DataFrame | None:
    """Return the lists' scores with the cells that they belong to, or None.

    Parameters
    ----------
    found
        What was found.
    """
    if found.lists is None:
        return None
    cells = found.cells
    first = pd.DataFrame(
        {"cell_id": cells.obs.index.astype(str), "probability": cells.probability, "label": cells.labels}
    )
    if cells.truth is not None:
        first["truth"] = cells.truth
    return pd.concat([first, found.lists.scores], axis=1)
