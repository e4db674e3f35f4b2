"""Sum up the counts of real cells of known lines, for the table that ships with the package.

    PYTHONPATH=bin .venv/bin/python benchmarks/reference_counts.py FOLDER OUT.parquet

FOLDER holds ``<plate>.count.csv.gz`` (genes x cells) of both plates of LuyiTian/sc_mixology and ``cell_lines.csv``.
"""

from pathlib import Path

import click
import numpy as np
import pandas as pd

from pharmacell.core.files import whole_file
from pharmacell.data.genes import SymbolColumns, map_names
from pharmacell.data.names import line_key

PLATES = ("sc_celseq2", "sc_celseq2_5cl_p1")
FULL_NAMES = {"H1975": "NCI-H1975", "H2228": "NCI-H2228", "H838": "NCI-H838"}


def sums_of(folder: Path, plate: str, known: pd.DataFrame) -> pd.DataFrame:
    """Return the counts of one plate by symbol and line, [n_genes, n_lines]."""
    cells = pd.read_csv(folder / f"{plate}.count.csv.gz", index_col=0).T
    own = known[(known["set"] == plate) & (known["demuxlet"] == "SNG")].set_index("cell")["line"]
    sums = cells.loc[own.index].groupby(own).sum()
    columns = SymbolColumns(map_names(sums.columns, "human"), "sum")
    symbols = pd.DataFrame(np.asarray(columns.of(sums.to_numpy(np.float32))), sums.index, columns.var.index)
    return symbols.T.rename(columns=lambda line: f"{plate}:{line_key(FULL_NAMES.get(line, line))}")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("out", type=click.Path(path_type=Path))
def main(folder: Path, out: Path) -> None:
    """Write the table."""
    known = pd.read_csv(folder / "cell_lines.csv")
    table = pd.concat([sums_of(folder, plate, known) for plate in PLATES], axis=1).fillna(0).astype(np.int32)
    table = table[table.any(axis=1)].sort_index()
    with whole_file(out) as partial:
        table.to_parquet(partial, compression="zstd")
    click.echo(f"{out}: {table.shape[0]} genes, {', '.join(table.columns)}")


if __name__ == "__main__":
    main()
