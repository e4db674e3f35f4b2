"""Whether the lines agree on the cells, and whether the cells lie within their range; no cell label is read."""

import numpy as np
from torch import Tensor

from pharmacell.core.seeds import generator
from pharmacell.linear.fits import LinearFits
from pharmacell.response.model_card import CellChecks
from pharmacell.response.permuted_null import permutations
from pharmacell.response.training_lines import TrainingLines

DIVISIONS = 10  # of the lines into two halves
HALVES_PERMUTATIONS = 199
MOST_CELLS = 1000  # that halves score
RANGE_COMPONENTS = 20
RANGE_QUANTILE = 0.99


def check_cells(lines: TrainingLines, cells: Tensor, alpha: float, seed: int) -> CellChecks:
    """Check what the lines say of the cells that took part in the model's training.

    Parameters
    ----------
    lines
        The lines that it learned from.
    cells
        Standardised expression, float32 [n_cells, n_genes].
    alpha
        Penalty of ridge regression.
    seed
        The user's seed.
    """
    x = cells.cpu().numpy()
    agreement, p = agreement_of_halves(lines, x[:MOST_CELLS], alpha, generator(seed, "halves"))
    return CellChecks(halves_agreement=agreement, halves_p=p, share_beyond_range=share_beyond_range(lines, x))


def agreement_of_halves(
    lines: TrainingLines, cells: np.ndarray, alpha: float, rng: np.random.Generator
) -> tuple[float, float]:
    """Return how alike two halves of the lines, which share none, score the cells, and its permutation p.

    A half says little of a whole that contains it: whatever the responses are, the two agree. Halves without a common
    line agree beyond chance only if the responses go with the expression.

    Parameters
    ----------
    lines
        What ridge regression learns from.
    cells
        Standardised expression of the cells that are scored, [n_cells, n_genes].
    alpha
        Penalty for all lines; a half has half of it.
    rng
        Draws halves and permutations.

    Returns
    -------
    agreement, p
        Mean Pearson correlation over the divisions, and the share of orders of the responses, the real one among them,
        under which it is as high.
    """
    orders = permutations(lines.strata, HALVES_PERMUTATIONS, rng)
    centred = cells - cells.mean(0)
    total = np.zeros(len(orders))
    for _ in range(DIVISIONS):
        shuffled = rng.permutation(len(lines.x))
        # lines of a stratum fall into the two halves in turn
        by_stratum = shuffled[np.argsort(lines.strata[shuffled], kind="stable")]
        first, second = (
            unit_scores(lines.x[half], lines.response[orders[:, half]].T, centred, alpha / 2)
            for half in (by_stratum[::2], by_stratum[1::2])
        )
        total += (first * second).sum(0)
    agreement = total / DIVISIONS
    return float(agreement[0]), float((agreement >= agreement[0] - 1e-9).mean())


def unit_scores(x: np.ndarray, responses: np.ndarray, cells: np.ndarray, alpha: float) -> np.ndarray:
    """Return scores of the cells by ridge regression, of mean 0 and length 1 for each response, [n_cells, k].

    Parameters
    ----------
    x, responses
        Lines [n_lines, n_genes], and their responses [n_lines, k].
    cells
        Expression of the cells, each gene of mean 0, [n_cells, n_genes].
    alpha
        Penalty.
    """
    fits = LinearFits(x)
    values, u = fits.eigenbasis
    scores = (cells @ fits.x.T @ u) @ (u.T @ (responses - responses.mean(0)) / (values + alpha)[:, None])
    return scores / np.maximum(np.linalg.norm(scores, axis=0), 1e-12)


def share_beyond_range(lines: TrainingLines, cells: np.ndarray) -> float:
    """Return the share of cells further out than 99 % of the simulated cells of bulk lines.

    Distance is Mahalanobis's on the first 20 principal components of the lines, so that it is about programmes that
    the lines have, and the simulated cells carry the noise that single cells add.

    Parameters
    ----------
    lines
        Lines with shifted validation.
    cells
        Standardised expression, [n_cells, n_genes].
    """
    from sklearn.decomposition import PCA

    components = min(RANGE_COMPONENTS, len(lines.x) - 1, lines.x.shape[1])
    pca = PCA(components, svd_solver="randomized", random_state=0).fit(lines.x)

    def distance(rows: np.ndarray) -> np.ndarray:
        return (pca.transform(rows) ** 2 / pca.explained_variance_).sum(1)

    reference = np.quantile(distance(lines.shifted_validation.x[0].cpu().numpy()), RANGE_QUANTILE)
    return float((distance(cells) > reference).mean())
