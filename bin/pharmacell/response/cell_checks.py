"""Direction, stability and range of an adapted model on the cells; no cell label is read."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor

from pharmacell.core.seeds import generator
from pharmacell.linear.fits import LinearFits
from pharmacell.response.columns import BASELINE_NAMES
from pharmacell.response.ensemble import Ensemble
from pharmacell.response.model_card import CellChecks
from pharmacell.response.store import Bundle
from pharmacell.response.training_lines import TrainingLines

GRADIENT_CELLS = 256  # over which the gradient of the score is averaged
HALVES = 10  # random halves of genes, and of lines
RANGE_COMPONENTS = 20
RANGE_QUANTILE = 0.99


def check_cells(bundle: Bundle, ensemble: Ensemble, lines: TrainingLines, cells: Tensor, seed: int) -> CellChecks:
    """Check the adapted model on the cells that took part in its training.

    Parameters
    ----------
    bundle
        Adapted stack.
    ensemble
        Its linear members.
    lines
        The lines that it learned from.
    cells
        Standardised expression, float32 [n_cells, n_genes].
    seed
        The user's seed.
    """
    cosines = sign_cosines(bundle, ensemble, cells)
    x, alpha = cells.cpu().numpy(), bundle.card.pretraining.penalties.alpha
    half_genes, half_lines = stability(lines, x, alpha, generator(seed, "halves"))
    return CellChecks(
        sign_agreement=float(cosines.mean()),
        replicas_reversed=int((cosines < 0).sum()),
        stability_half_genes=half_genes,
        stability_half_lines=half_lines,
        share_beyond_range=share_beyond_range(lines, x),
    )


def sign_cosines(bundle: Bundle, ensemble: Ensemble, cells: Tensor) -> np.ndarray:
    """Return the cosine between the mean gradient of each replica's score over cells and the signature, [n_replicas].

    Parameters
    ----------
    bundle, ensemble, cells
        As in :func:`check_cells`.
    """
    x = cells[:GRADIENT_CELLS].clone().requires_grad_(True)
    logits = bundle.model.logits(x.expand(bundle.model.n_replicas, -1, -1), "target")
    difference = (logits[..., 1] - logits[..., 0]).sum(1)  # [R]
    gradients = np.stack(
        [torch.autograd.grad(value, x, retain_graph=True)[0].mean(0).cpu().numpy() for value in difference]
    )  # [R, n_genes]
    share = ensemble.weights / ensemble.scale  # [R, 4]
    gradients = share[:, :1] * gradients + np.einsum("rm,rmg->rg", share[:, 1:], ensemble.linear)
    signature = bundle.baselines.weights[BASELINE_NAMES.index("signature")]
    lengths = np.linalg.norm(gradients, axis=1) * np.linalg.norm(signature)
    return gradients @ signature / np.maximum(lengths, 1e-12)


def stability(lines: TrainingLines, cells: np.ndarray, alpha: float, rng: np.random.Generator) -> tuple[float, float]:
    """Return how alike the scores of ridge stay with half of the genes, and with half of the lines.

    Parameters
    ----------
    lines
        What ridge learns from.
    cells
        Standardised expression of the cells that are scored, [n_cells, n_genes].
    alpha
        Ridge penalty for all genes.
    rng
        Draws the halves.

    Returns
    -------
    half_genes, half_lines
        Mean Spearman correlation with the scores of ridge on everything.
    """
    from scipy.stats import spearmanr

    n_lines, n_genes = lines.x.shape
    all_lines, all_genes = np.arange(n_lines), np.arange(n_genes)

    def scores(rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        fits = LinearFits(np.ascontiguousarray(lines.x[rows][:, columns]))
        # the penalty acts on as many squared genes as there are: halve it with them
        weights = fits.ridge(lines.response[rows, None], alpha * len(columns) / n_genes)[0]
        return cells[:, columns] @ weights

    everything = scores(all_lines, all_genes)

    def mean_agreement(halves: Iterable[tuple[np.ndarray, np.ndarray]]) -> float:
        return float(np.nanmean([spearmanr(everything, scores(*half)).statistic for half in halves]))

    half_genes = mean_agreement((all_lines, np.sort(rng.permutation(n_genes)[: n_genes // 2])) for _ in range(HALVES))
    half_lines = mean_agreement((np.sort(rng.permutation(n_lines)[: n_lines // 2]), all_genes) for _ in range(HALVES))
    return half_genes, half_lines


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
