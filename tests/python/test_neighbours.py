"""Scores averaged over similar cells."""

import numpy as np

from pharmacell.response import neighbours
from pharmacell.response.neighbours import nearest_cells, smooth


def two_clouds(n_cells: int) -> np.ndarray:
    """Return components of cells that lie in two clouds, the even ones in the first."""
    components = np.random.default_rng(0).normal(size=(n_cells, 5)).astype(np.float32)
    components[1::2, 0] += 50
    return components


def test_neighbours_come_from_the_same_cloud_and_a_cell_comes_first_and_once():
    nearest = nearest_cells(two_clouds(400), 15, np.random.default_rng(0))
    assert nearest.shape == (400, 16)
    assert np.array_equal(nearest[:, 0], np.arange(400))
    assert all(len(set(row)) == 16 for row in nearest)
    assert (nearest % 2 == np.arange(400)[:, None] % 2).all()


def test_small_samples_have_fewer_neighbours():
    assert nearest_cells(two_clouds(50), 15, np.random.default_rng(0)).shape == (50, 6)
    assert nearest_cells(two_clouds(9), 15, np.random.default_rng(0)).shape == (9, 1)


def test_large_samples_seek_neighbours_among_reference_cells(monkeypatch):
    monkeypatch.setattr(neighbours, "MOST_REFERENCE_CELLS", 100)
    nearest = nearest_cells(two_clouds(1000), 15, np.random.default_rng(0))
    assert nearest.shape == (1000, 16)
    assert np.array_equal(nearest[:, 0], np.arange(1000))
    assert len(np.unique(nearest[:, 1:])) <= 100
    assert all(len(set(row)) == 16 for row in nearest)
    assert (nearest % 2 == np.arange(1000)[:, None] % 2).all()


def test_smoothing_averages_a_cell_and_its_neighbours_and_removes_noise():
    assert smooth(np.array([[1.0, 3.0, 8.0]]), np.array([[0, 1], [1, 0], [2, 1]])).tolist() == [[2.0, 2.0, 5.5]]
    truth = np.arange(400) % 2
    scores = truth + np.random.default_rng(1).normal(size=(3, 400))
    smoothed = smooth(scores, nearest_cells(two_clouds(400), 15, np.random.default_rng(0)))
    assert smoothed.dtype == np.float32
    before, after = (np.mean([np.corrcoef(truth, row)[0, 1] for row in values]) for values in (scores, smoothed))
    assert before < 0.6 < 0.85 < after
