"""AUROC of the default model and of every baseline on simulated cells of held-out lines; appends rows to a csv.

    python benchmarks/transfer_accuracy.py BULK_FOLDER OUT.csv --first 0 --last 19 [--drug Cisplatin]

BULK_FOLDER holds bulk.h5ad and response.parquet of prepare_bulk. A draw that is already in the csv is not repeated.
"""

from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch
from simulated_sets import DRUGS, Difficulty, Panel, make_set, predict_set

from pharmacell.response.settings import DEFAULT

MODELS = ("atsdp", "alone", "signature", "ridge", "logistic", "smooth_signature", "smooth_ridge", "smooth_logistic")


@click.command()
@click.argument("bulk", type=click.Path(path_type=Path, exists=True))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--first", default=0, help="First draw of lines.", show_default=True)
@click.option("--last", default=19, help="Last draw of lines.", show_default=True)
@click.option("--drug", "drugs", multiple=True, default=DRUGS, help="Drug; repeatable.", show_default=True)
@click.option("--threads", default=1, help="Processor threads.", show_default=True)
def main(bulk: Path, out: Path, first: int, last: int, drugs: tuple[str, ...], threads: int) -> None:
    """Predict a set for each draw and drug, and print means by drug."""
    torch.set_num_threads(threads)
    panel = Panel.read(bulk)
    rows = pd.read_csv(out).to_dict("records") if out.exists() else []
    done = {(row["drug"], row["draw"]) for row in rows}
    for draw in range(first, last + 1):
        for drug in drugs:
            if (drug, draw) in done:
                continue
            made = make_set(panel, drug, Difficulty("fair"), np.random.default_rng([draw, DRUGS.index(drug)]))
            rows.append({"draw": draw, **predict_set(made, drug, DEFAULT, 5, draw, checks=False)})
            pd.DataFrame(rows).to_csv(out, index=False)
            click.echo(
                f"draw {draw}, {drug}: AUROC {rows[-1]['atsdp']:.3f}, ridge {rows[-1]['ridge']:.3f}, "
                f"{rows[-1]['seconds']:.0f} s"
            )
    table = pd.DataFrame(rows).groupby("drug")[[*MODELS]].mean()
    click.echo(pd.concat([table, table.mean().to_frame("mean").T]).round(3).to_string())


if __name__ == "__main__":
    main()
