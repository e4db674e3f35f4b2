"""The predicted memory of a fit, which limits how many folds are stacked, against what fresh processes took."""

import multiprocessing
import os
import resource
import sys

import numpy as np
import pytest

N_GENES, N_LINES, N_TRAIN, N_TEST = 3000, 1000, 200, 20
MIB = 2**20
FACTOR = 2.0  # between prediction and measurement, either way
STACKED = ("mlp", "scdeal", "source_only")
ONE_BY_ONE = ("gcn", "ridge")


def folds_of(n_folds: int, n_genes: int, n_lines: int) -> list:
    """Return folds of different repeats, so that each has a fit of its own."""
    from synthetic_folds import ontology_genes

    from pharmacell.benchmark.fold import Fold

    rng = np.random.default_rng(0)

    def rows(n: int) -> np.ndarray:
        return rng.standard_normal((n, n_genes), np.float32)  # no copy in double precision, which would be the peak

    genes, bulk, labels = ontology_genes(n_genes), rows(n_lines), (np.arange(n_lines) % 3 == 0).astype(np.int64)
    return [
        Fold(
            key=(repeat, 0),
            genes=genes,
            bulk=bulk,
            bulk_labels=labels,
            bulk_response=rng.normal(size=n_lines),
            bulk_groups=np.full(n_lines, "GDSC|lung"),
            train=rows(N_TRAIN),
            train_labels=np.full(N_TRAIN, -1),
            test=rows(N_TEST),
            smiles=None,
            seed=repeat,
        )
        for repeat in range(n_folds)
    ]


def peak_of(name: str, n_folds: int, answers) -> None:
    """Put the bytes that a fit takes, beyond what the process had before, and what was predicted."""
    import torch

    from pharmacell.benchmark.registry import get

    torch.set_num_threads(1)
    short = {"epochs": 2} if hasattr(get(name).config, "epochs") else {}
    short |= {"autoencoder_epochs": 2} if hasattr(get(name).config, "autoencoder_epochs") else {}
    model, device = get(name, **short), torch.device("cpu")
    model.fit_predict(folds_of(1, 200, 60), device)  # what is imported on the way
    folds = folds_of(n_folds, N_GENES, N_LINES)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model.fit_predict(folds, device)
    taken = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 2**10
    answers.put((taken, model.stack_bytes(N_GENES, N_TRAIN, N_TEST)))


@pytest.fixture(scope="module")
def fresh_process():
    """Return a function that runs :func:`peak_of` in a process which has nothing but the libraries in it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pharmacell.benchmark.models.scdeal", "sklearn.model_selection", "pandas"])

    def run(name: str, n_folds: int) -> tuple[int, int]:
        answers = context.Queue()
        process = context.Process(target=peak_of, args=(name, n_folds, answers))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))  # of the server, which imports for all
            process.start()
        found = answers.get(timeout=120)
        process.join()
        return found

    return run


@pytest.mark.parametrize("name", STACKED)
def test_each_fold_of_a_stack_takes_what_is_predicted(name, fresh_process):
    (few, predicted), (many, _) = (fresh_process(name, n) for n in (1, 4))
    measured = (many - few) / 3
    assert predicted / FACTOR < measured < predicted * FACTOR, f"{measured / MIB:.0f} MiB, {predicted / MIB:.0f} said"


@pytest.mark.parametrize("name", ONE_BY_ONE)
def test_a_fit_that_stands_alone_takes_what_is_predicted(name, fresh_process):
    measured, predicted = fresh_process(name, 1)
    assert predicted / FACTOR < measured < predicted * FACTOR, f"{measured / MIB:.0f} MiB, {predicted / MIB:.0f} said"
