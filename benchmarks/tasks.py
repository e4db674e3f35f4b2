#!/usr/bin/env python3
"""Print what the tasks of a run cost, by process: processor time, wall time and peak memory."""

import re
from pathlib import Path

import click
import pandas as pd

TASK = re.compile(r"^### name: '(?:\S*:)?(\w+)", re.MULTILINE)


def read_task(trace: Path) -> dict | None:
    """Return name and cost of a task; None while it runs.

    Parameters
    ----------
    trace
        The ``.command.trace`` in its folder; the name stands in ``.command.run`` beside it.
    """
    values = dict(line.split("=", 1) for line in trace.read_text().splitlines() if "=" in line)
    if "realtime" not in values:
        return None
    name = TASK.search(trace.with_name(".command.run").read_text())
    wall = int(values["realtime"]) / 1000  # ms
    return {
        "process": name.group(1) if name else "unknown",
        "wall": wall,
        "cpu": wall * int(values["%cpu"]) / 1000,  # tenths of a percent of one core
        "peak": int(values["peak_rss"]) / 2**20,  # KiB
    }


def by_process(work: Path) -> pd.DataFrame:
    """Return one row for each process, the dearest first, and one for all.

    Parameters
    ----------
    work
        The work folder of a run. Tasks of earlier runs in it are counted too.
    """
    finished = [task for trace in sorted(work.glob("*/*/.command.trace")) if (task := read_task(trace))]
    if not finished:
        raise click.ClickException(f"{work}: no finished task has left a .command.trace here")
    found = pd.DataFrame(finished)
    sums = {"tasks": ("cpu", "size"), "cpu": ("cpu", "sum"), "wall": ("wall", "sum"), "peak": ("peak", "max")}
    table = found.groupby("process").agg(**sums).sort_values("cpu", ascending=False)
    table.loc["all"] = [table["tasks"].sum(), table["cpu"].sum(), table["wall"].sum(), table["peak"].max()]
    return table


@click.command()
@click.argument("work", type=click.Path(exists=True, file_okay=False, path_type=Path), default="work")
def tasks(work: Path) -> None:
    """Print a table of the run whose work folder is WORK."""
    click.echo("| process | tasks | CPU s | wall s | peak GiB |\n|---|---|---|---|---|")
    for name, row in by_process(work).iterrows():
        click.echo(f"| {name} | {row['tasks']:.0f} | {row['cpu']:.1f} | {row['wall']:.1f} | {row['peak']:.2f} |")


if __name__ == "__main__":
    tasks()
