"""Linear members that learn from labelled cells as well, weighed by labelled cells that were kept apart."""

import numpy as np
import torch

from pharmacell.core.progress import say
from pharmacell.evaluate.metrics import auroc
from pharmacell.linear.fits import LinearFits
from pharmacell.response.baselines import LinearBaselines, with_links
from pharmacell.response.columns import BASELINE_NAMES
from pharmacell.response.ensemble import Ensemble, fit_ensemble
from pharmacell.response.joint_training import TargetCells
from pharmacell.response.linear_members import linear_members
from pharmacell.response.model_card import Penalties
from pharmacell.response.network import ATSDP
from pharmacell.response.training_lines import TrainingLines

MOST_ROWS = 1000  # labelled cells that a linear member learns from; its cost grows with their cube
SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)  # of the labelled cells in a member, the rest is that of the lines


def labelled_ensemble(model: ATSDP, lines: TrainingLines, penalties: Penalties, target: TargetCells) -> Ensemble:
    """Put network and linear members under one score; labelled cells that were kept apart decide.

    Each linear member is fitted to the lines and to the labelled cells that its replica learns from. With both scores
    at standard deviation 1 over the cells, the member is::

        m = (1 - a) m_lines + a m_cells

    with the share a that has the highest mean AUROC on each replica's labelled cells that were kept apart. These cells
    then give the weights of the members and the calibration, as simulated cells of lines do without labels.

    Parameters
    ----------
    model
        The adapted stack.
    lines
        Bulk lines of each replica.
    penalties
        Of ridge and logistic regression on the lines.
    target
        The cells, with labelled ones kept apart for each replica.

    Returns
    -------
    Ensemble
        Network and linear members.
    """
    x, labels, kept = kept_apart(target)
    of_lines = unit_spread(linear_members(lines, penalties), x)
    of_cells = unit_spread(cell_members(target, penalties, len(lines.training_rows(0)), labels), x)
    shares = choose_shares(of_lines, of_cells, x[kept], labels[kept])
    linear = mixed(of_lines, of_cells, shares)
    with torch.no_grad():
        logits = model.logits(target.x[torch.as_tensor(kept, device=target.x.device)], "target")
    network = (logits[..., 1] - logits[..., 0]).cpu().numpy()
    ensemble = fit_ensemble(linear, network, x[kept], labels[kept])
    for what, values in (
        ("labelled cells in the members", dict(zip(BASELINE_NAMES, shares, strict=True))),
        ("ensemble by labelled cells", ensemble.named_weights()),
    ):
        say(f"{what}: " + ", ".join(f"{name} {value:.2f}" for name, value in values.items()))
    return ensemble


def kept_apart(target: TargetCells) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return expression and labels of the cells, and the labelled ones that each replica kept apart.

    Parameters
    ----------
    target
        The cells.

    Returns
    -------
    x, labels, kept
        [n_cells, n_genes]; [n_cells], -1 without a label; int64 [n_replicas, n_kept].
    """
    x, labels = target.x.cpu().numpy(), target.labels[0].cpu().numpy()
    return x, labels, np.stack([rows[labels[rows] >= 0] for rows in target.validation_rows.cpu().numpy()])


def labelled_baselines(ensemble: Ensemble, target: TargetCells) -> LinearBaselines:
    """Return the linear members as baselines: what the ensemble learns from labelled cells, they have learnt, too.

    Parameters
    ----------
    ensemble
        From :func:`labelled_ensemble`.
    target
        The cells that it learnt from.
    """
    x, labels, kept = kept_apart(target)
    scores = ensemble.linear @ np.swapaxes(x[kept], 1, 2)  # [R, 3, n_kept]
    return with_links(ensemble.linear.mean(0), np.concatenate(list(scores), axis=1), labels[kept].ravel())


def mixed(of_lines: np.ndarray, of_cells: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return linear members, a share of which is fitted to labelled cells, float32 [n_replicas, 3, n_genes].

    Parameters
    ----------
    of_lines, of_cells
        Members of unit spread, [n_replicas, 3, n_genes].
    shares
        Of the cells, [3].
    """
    return ((1 - shares)[:, None] * of_lines + shares[:, None] * of_cells).astype(np.float32)


def unit_spread(members: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Scale linear members so that their scores of the cells have standard deviation 1.

    Parameters
    ----------
    members
        Weights, [n_replicas, 3, n_genes].
    x
        Standardised expression of the cells, [n_cells, n_genes].
    """
    return members / np.maximum((x @ members.reshape(-1, members.shape[-1]).T).std(0), 1e-6).reshape(
        *members.shape[:2], 1
    )


def cell_members(target: TargetCells, penalties: Penalties, n_lines: int, labels: np.ndarray) -> np.ndarray:
    """Fit signature, ridge and logistic regression to labelled cells.

    Parameters
    ----------
    target
        The cells; a replica learns from those of its ``labelled_rows``, the first 1,000 of their random order.
    penalties
        Chosen on ``n_lines`` lines; a row bears the same share of them here.
    n_lines
        Lines that a replica learns from.
    labels
        Labels of the cells, [n_cells].

    Returns
    -------
    numpy.ndarray
        float32 [n_replicas, 3, n_genes].
    """
    x, members = target.x.cpu().numpy(), []
    for rows in (one[:MOST_ROWS].cpu().numpy() for one in target.labelled_rows):
        fits, classes, share = LinearFits(x[rows]), labels[rows, None], len(rows) / n_lines
        members.append(
            np.concatenate(
                [
                    fits.signature(classes),
                    fits.ridge(classes, penalties.alpha * share),
                    fits.logistic(classes, penalties.c / share),
                ]
            )
        )
    return np.stack(members)


def choose_shares(of_lines: np.ndarray, of_cells: np.ndarray, x: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the share of the labelled cells in each linear member, [3]; the smallest of the best.

    Parameters
    ----------
    of_lines, of_cells
        Members fitted to lines and to labelled cells, [n_replicas, 3, n_genes].
    x, labels
        Labelled cells that each replica kept apart, [n_replicas, n, n_genes] and [n_replicas, n].
    """
    lines, cells = (members @ np.swapaxes(x, 1, 2) for members in (of_lines, of_cells))  # [R, 3, n]
    mean_auroc = [
        [
            np.mean([auroc(truth, scores[k]) for truth, scores in zip(labels, mixed, strict=True)])
            for k in range(len(BASELINE_NAMES))
        ]
        for mixed in ((1 - share) * lines + share * cells for share in SHARES)
    ]
    return np.array(SHARES)[np.argmax(mean_auroc, axis=0)]
