"""Whether the verdict tells good predictions from bad ones, on samples of mixed difficulty.

    python benchmarks/verdict_table.py BULK_FOLDER OUT.csv --first 0 --last 99 --write_hits

The cells come from the simulator made from real cells (``mixture_cells.py``), which training never imitates. Every set
has a random drug and a random difficulty; a sample of one class counts as AUROC 0.5, for there is nothing to
tell apart. A set that is already in the csv is not repeated. Judge rules on sets that they were not tuned on.
"""

from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch
from mixture_cells import Mixture
from simulated_sets import Difficulty, Kind, Panel, make_set, predict_set

from pharmacell.response.columns import ENSEMBLE
from pharmacell.response.settings import DEFAULT
from pharmacell.response.verdict import HITS

DIFFICULTIES = (  # with how many in twenty
    (Difficulty("fair"), 8),
    (Difficulty("few genes", genes=150), 2),
    (Difficulty("shallow", depth=0.1), 2),
    (Difficulty("batch effect", batch=0.5), 2),
    (Difficulty("one class", one_class=True), 2),
    (Difficulty("other drug's labels", labels="other"), 2),
    (Difficulty("shuffled labels", labels="shuffled"), 2),
)
POOR, GOOD = 0.60, 0.70


@click.command()
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--first", default=0, help="First set.", show_default=True)
@click.option("--last", default=99, help="Last set.", show_default=True)
@click.option("--threads", default=1, help="Processor threads.", show_default=True)
@click.option("--write_hits", is_flag=True, help="Write the table of hits that verdicts quote into the package.")
@click.option("--yardstick", default="simulated cells", help="What the sets are, for that table.", show_default=True)
def main(bulk: Path, out: Path, first: int, last: int, threads: int, write_hits: bool, yardstick: str) -> None:
    """Predict the sets, and print the verdicts beside what the predictions were worth."""
    torch.set_num_threads(threads)
    mixture = Mixture.read()
    panel = Panel.read(bulk).on_genes(mixture.genes.index)
    kinds = [kind for kind, times in DIFFICULTIES for _ in range(times)]
    rows = pd.read_csv(out).to_dict("records") if out.exists() else []
    for number in sorted(set(range(first, last + 1)) - {row["set"] for row in rows}):
        rng = np.random.default_rng([number, 4])
        kind = kinds[rng.integers(len(kinds))]
        drug = str(rng.choice(panel.well_measured()))
        made = make_set(panel, drug, kind, rng, Kind(mixture=mixture))
        rows.append({"set": number, "difficulty": kind.name, **predict_set(made, drug, DEFAULT, 5, number)})
        pd.DataFrame(rows).to_csv(out, index=False)
        click.echo(f"set {number}, {drug}, {kind.name}: AUROC {rows[-1][ENSEMBLE]:.3f}, {rows[-1]['verdict']}")
    report(pd.DataFrame(rows), yardstick if write_hits else None)


def report(table: pd.DataFrame, yardstick: str | None) -> None:
    """Print verdicts by difficulty, their mean AUROC, and how many poor sets are not supported; write the hits."""
    table = table.fillna({ENSEMBLE: 0.5})
    click.echo(pd.crosstab(table["difficulty"], table["verdict"], margins=True).to_string())
    click.echo(table.groupby("verdict")[ENSEMBLE].agg(["size", "mean", "min"]).round(3).to_string())
    poor = table[table[ENSEMBLE] < POOR]
    caught = (poor["verdict"] == "not supported").sum()
    click.echo(f"of {len(poor)} sets with AUROC below {POOR}, {caught} are not supported")
    hits = table.assign(hit=table[ENSEMBLE] >= GOOD).groupby("verdict")["hit"].agg(n_sets="size", n_hits="sum")
    hits = hits.reindex(["supported", "uncertain", "not supported"], fill_value=0).assign(auroc=f"{GOOD:.2f}")
    click.echo(hits.to_string())
    if yardstick:
        hits.assign(yardstick=yardstick).to_csv(HITS)


if __name__ == "__main__":
    main()
