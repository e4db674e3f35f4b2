"""What every benchmark shares: the machine's description, a row of the table, synthetic lines, and a clock."""

import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import torch

from pharmacell.data.lines import Lines
from pharmacell.response.pretrain_bulk import pretrain
from pharmacell.response.settings import ATSDPConfig, Configuration
from pharmacell.response.training_run import TrainingRun
from pharmacell.training.loop import History
from pharmacell.training.settings import TrainingConfig

N_GENES, N_LINES = 6163, 975


@dataclass
class Row:
    """One figure; ``bar`` is the most that is allowed, or None where the figure is only stated."""

    what: str
    value: float
    unit: str
    bar: float | None = None
    passed: bool | None = field(init=False)

    def __post_init__(self) -> None:
        self.value = float(self.value)  # numpy's numbers are not JSON
        self.passed = None if self.bar is None else self.value <= self.bar

    def line(self) -> str:
        """Return the row as text."""
        bar = "" if self.bar is None else f"{self.bar:g}{self.unit}"
        verdict = {None: "", True: "pass", False: "FAIL"}[self.passed]
        return f"{self.what:<64} {self.value:>8.3g}{self.unit} {bar:>8}  {verdict}"


@contextmanager
def epoch_times() -> Iterator[dict[str, list[float]]]:
    """Yield a dictionary that fills with the seconds of each epoch, by stage, while something trains.

    An epoch ends when its validation terms are noted; the first counts from those of epoch 0, which begin a stage.
    Where replicas train in turns, an epoch is the sum over them, as long as each trains for all epochs.
    """
    ends: dict[str, list[list[float]]] = {}
    taken: dict[str, list[float]] = {}
    original = History.add

    def add(self, stage, epoch, part, terms):
        original(self, stage, epoch, part, terms)
        if part == "validation":
            turns = ends.setdefault(stage, [])
            if epoch == 0:
                turns.append([])
            turns[-1].append(time.perf_counter())

    History.add = add
    try:
        yield taken
    finally:
        History.add = original
        taken |= {stage: np.diff(turns, axis=1).sum(0).tolist() for stage, turns in ends.items()}


def synthetic(n_lines: int, n_genes: int) -> Lines:
    """Return random lines, three in ten of them sensitive."""
    rng = np.random.default_rng(0)
    names = pd.Index([f"LINE{number}" for number in range(n_lines)])
    response = pd.Series(rng.normal(size=n_lines), names)
    return Lines(
        x=rng.normal(size=(n_lines, n_genes)).astype(np.float32),
        genes=[f"GENE{number}" for number in range(n_genes)],
        labels=(response > response.quantile(0.7)).astype(int),
        response=response,
        origin=pd.DataFrame({"database": "synthetic", "tissue": "unknown"}, names),
        n_genes_bulk=n_genes,
    )


def train(lines: Lines, network: ATSDPConfig, n_replicas: int, epochs: int, seed: int = 0) -> dict[str, list[float]]:
    """Run PRETRAIN_BULK's training for a number of epochs; returns the seconds of each epoch, by stage."""
    with epoch_times() as taken:
        settings = Configuration(network, TrainingConfig(epochs=epochs, patience=epochs))
        pretrain(lines, settings, n_replicas, TrainingRun(seed, torch.device("cpu")))
    return taken


def describe(threads: int) -> dict:
    """Return cores, processor, memory and library versions."""
    processor = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": processor,
        "cores": os.cpu_count(),
        "threads": threads,
        "memory": f"{memory:.0f} GiB",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def seconds(function: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def ratio_in_turns(repeats: int, one: Callable[[], float], other: Callable[[], float]) -> float:
    """Measure two times in turns; returns the median of their ratios, which a load that comes and goes moves least."""
    return median(one() / other() for _ in range(repeats))
