#!/usr/bin/env python3
"""Run the benchmarks, one after the other, and print a table of measured value, bar and verdict.

Bars are ratios of times taken in turns within one run, memory, or processor time of whole commands in fresh
processes. A slower machine does not change the verdict of the first two. A busy one can, because threads wait for each
other: measure on an idle machine, or with ``--threads 1``. All of them take about 32 minutes of processor time.
"""

import json
import os
import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "bin"))


@click.command()
@click.option("--threads", type=click.IntRange(min=1), default=os.cpu_count(), show_default="all cores")
@click.option(
    "--only",
    multiple=True,
    help="Run only these (repeatable).",
    type=click.Choice(
        [
            "epoch",
            "replicas",
            "processes",
            "large_samples",
            "folds",
            "folds_gpu",
            "tasks",
            "explanations",
            "whole_benchmark",
            "perturbation",
            "perturbation_scores",
            "whole_runs",
        ]
    ),
)
@click.option(
    "--million",
    is_flag=True,
    help="Let large_samples measure 1,000,000 cells too: 10 minutes of processor time, 6 GB of disk.",
)
@click.option("--json", "json_path", type=click.Path(path_type=Path), help="Also write the figures here.")
def run(threads, only, million, json_path):
    """Measure speed and memory of the model side."""
    for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[variable] = str(threads)
    import bulk_epoch
    import explanation_costs
    import large_samples
    import machine
    import perturbation_epoch
    import perturbation_scores
    import separate_processes
    import stacked_folds
    import stacked_replicas
    import task_costs
    import torch
    import whole_benchmark
    import whole_runs

    torch.set_num_threads(threads)
    sizes = (*large_samples.SIZES, large_samples.MILLION) if million else large_samples.SIZES
    benchmarks = {
        "epoch": bulk_epoch.measure,
        "replicas": stacked_replicas.measure,
        "processes": lambda: separate_processes.measure(threads),
        "large_samples": lambda: large_samples.measure(sizes, threads),
        "folds": stacked_folds.measure,
        "folds_gpu": stacked_folds.measure_gpu,
        "whole_benchmark": lambda: whole_benchmark.measure(threads),
        "tasks": lambda: task_costs.measure(threads),
        "explanations": lambda: explanation_costs.measure(threads),
        "perturbation": perturbation_epoch.measure,
        "perturbation_scores": perturbation_scores.measure,
        "whole_runs": whole_runs.measure,
    }
    facts = machine.describe(threads)
    click.echo("; ".join(f"{key}: {value}" for key, value in facts.items()))
    click.echo(f"{'measured':<64} {'value':>9} {'bar':>8}  result")
    rows, spent = [], {}
    for name, measure in benchmarks.items():
        if only and name not in only:
            continue
        before = sum(os.times()[:4])
        for row in measure():
            rows.append(row)
            click.echo(row.line())
        spent[name] = round(sum(os.times()[:4]) - before)
        click.echo(f"({name}: {spent[name]} CPU s)")
        if json_path:  # after each, so that a run that is ended leaves what it measured
            found = {"machine": facts, "figures": [vars(row) for row in rows], "cpu_seconds": spent}
            json_path.write_text(json.dumps(found, indent=2) + "\n")
    sys.exit(any(row.passed is False for row in rows))


if __name__ == "__main__":
    run()
