"""Write the cells of the demo (assets/demo/lung_mixture.h5ad) from their published counts and GDSC's responses.

    python tools/make_demo_cells.py sc_celseq2.count.csv.gz cell_lines.csv

The two files are those of github.com/LuyiTian/sc_mixology (MIT): counts, genes x cells, and the line of each cell as
demuxlet told it. The measured responses are the pipeline's own bulk data, which it fetches if need be, and the driver
events are those of its table.
"""

import sys
from pathlib import Path

import anndata as ad
import h5py
import numpy as np
import pandas as pd
from anndata.io import write_elem

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT / "bin"))

from pharmacell.data.driver_events import driver_events  # noqa: E402
from pharmacell.data.load_bulk import label_bulk, load_bulk  # noqa: E402
from pharmacell.data.names import line_key  # noqa: E402
from pharmacell.data.settings import BulkSource, Cut  # noqa: E402

SET = "sc_celseq2"
DRUGS = ("Erlotinib", "Gefitinib", "Afatinib", "Osimertinib", "Crizotinib")
FEWEST_CELLS = 24  # that have a gene: a tenth; rarer ones would take the file above 2 MB
PACKED = {"compression": "gzip", "compression_opts": 9, "shuffle": True}
OUTPUT = PROJECT / "assets/demo/lung_mixture.h5ad"


def read_cells(counts: Path, lines: Path) -> ad.AnnData:
    """Return the singlets with their line, on the genes that enough of them have.

    Parameters
    ----------
    counts
        Genes x cells (csv), the header one field short.
    lines
        ``set, cell, line, demuxlet``.
    """
    table = pd.read_csv(counts, index_col=0)
    told = pd.read_csv(lines, dtype=str).query("set == @SET and demuxlet == 'SNG'").set_index("cell")
    cells = sorted(set(table.columns) & set(told.index))
    values = table[cells].to_numpy().T  # cells x genes
    seen = (values > 0).sum(0) >= FEWEST_CELLS
    return ad.AnnData(
        values[:, seen].astype(np.int16),
        obs=pd.DataFrame({"line": pd.Categorical(told["line"].reindex(cells))}, index=cells),
        var=pd.DataFrame(index=table.index[seen]),
    )


def measured() -> pd.DataFrame:
    """Return line, drug, ln IC50 (uM; mean of the releases) and class of the bulk lines."""
    source, cut = BulkSource(), Cut()
    bulk = load_bulk(source.bulk, None, None, source.response_measure, source.cache_dir)
    response, _ = label_bulk(bulk, cut.binarise, cut.sensitive_quantile, cut.sensitive_threshold)
    return response[response["drug"].isin(DRUGS)].set_index(["line", "drug"])[["value", "label"]]


def main() -> None:
    """Write the file."""
    cells = read_cells(*map(Path, sys.argv[1:3]))
    response = measured()
    keys = pd.Index([line_key(line) for line in cells.obs["line"]])
    cells.obs["driver_events"] = pd.Categorical(
        [";".join(row.index[row == 1]) for _, row in driver_events(keys).iterrows()]
    )
    for drug in DRUGS:
        known = response.xs(drug, level="drug").reindex(keys)
        words = known["label"].map({1: "sensitive", 0: "resistant"}).to_numpy(object)
        cells.obs[f"response:{drug.lower()}"] = pd.Categorical(words)
        cells.obs[f"response_ln_ic50:{drug.lower()}"] = known["value"].to_numpy(np.float32)
    OUTPUT.parent.mkdir(parents=True, exist_ok=True)
    counts, cells.X = cells.X, None
    with h5py.File(OUTPUT, "w") as file:
        write_elem(file, "/", cells, dataset_kwargs=PACKED)
        write_elem(file, "X", counts, dataset_kwargs={**PACKED, "chunks": (cells.n_obs, 64)})


if __name__ == "__main__":
    main()
