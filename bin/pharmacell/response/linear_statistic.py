"""The linear members under many permutations of the bulk responses at once: what a fine p-value rests on."""

from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from pharmacell.data.shifts import SEVERITIES
from pharmacell.evaluate.within_groups import aurocs_within
from pharmacell.linear.fits import LOGISTIC_CS, RIDGE_ALPHAS, LinearFits
from pharmacell.response.ensemble import stacking_weights
from pharmacell.response.linear_members import one_replica_of_each_fold
from pharmacell.response.training_lines import TrainingLines

CLASS_PENALTIES = tuple(4 / c for c in LOGISTIC_CS)  # of the first Newton step, see OrderedMembers


@dataclass(frozen=True)
class OrderedFold:
    """One fold of shifted validation, with everything that does not depend on penalties.

    Attributes
    ----------
    x
        Centred expression of the lines that are learnt from, float32 [n_lines, n_genes].
    gene_scale
        Length of each gene over these lines, [n_genes].
    values, u
        Eigenvalues and eigenvectors of ``x x'``, [n_lines] and [n_lines, n_lines].
    responses
        Centred responses of the lines in each order, [n_lines, n_orders].
    rotated_responses, rotated_classes
        Responses and classes in the eigenbasis, [n_lines, n_orders].
    signature_products, basis_products
        Validation cells times lines, for the signature and in the eigenbasis, [n_cells, n_lines].
    labels
        Classes of the validation cells in each order, [n_orders, n_cells].
    groups
        Their groups of comparison, [n_cells].
    """

    x: np.ndarray
    gene_scale: np.ndarray
    values: np.ndarray
    u: np.ndarray
    responses: np.ndarray
    rotated_responses: np.ndarray
    rotated_classes: np.ndarray
    signature_products: np.ndarray
    basis_products: np.ndarray
    labels: np.ndarray
    groups: np.ndarray

    def ridge(self, rotated: np.ndarray, penalty: np.ndarray | float) -> np.ndarray:
        """Return the scores of the validation cells by ridge regression, [n_orders, n_cells].

        Parameters
        ----------
        rotated
            Responses or classes in the eigenbasis.
        penalty
            One for all orders, or one for each, [n_orders].
        """
        return (self.basis_products @ (rotated / (self.values[:, None] + penalty))).T

    def aurocs(self, scores: np.ndarray) -> np.ndarray:
        """Return the AUROC within groups of each order, mean over severities, [n_orders].

        Parameters
        ----------
        scores
            Of the validation cells, [n_orders, n_cells].
        """
        return fold_aurocs(self.labels, scores, self.groups)


class OrderedMembers:
    """Signature, ridge and class regression, learnt from the lines' responses in many orders.

    The first order is usually the real one. Everything that the model chooses with the responses is chosen anew for
    each order: penalties by shifted validation, scales, and weights (by :func:`member_weights`).

    Logistic regression has no closed form. Its place takes its first Newton step from zero with the curvature 1/4 of
    every line, which is ridge regression on the class with the penalty 4/C; penalties of shifted validation are strong
    enough for the step to rank cells nearly as the whole fit does. The step is taken for the real responses too: a
    p-value compares like with like, and is about this linear score rather than about the probability that is shown.

    Parameters
    ----------
    lines
        Lines and folds.
    orders
        int64 [n_orders, n_lines]; line i takes response, panel and class of line ``order[i]``. Lines may change
        places within :attr:`TrainingLines.strata` only.
    """

    def __init__(self, lines: TrainingLines, orders: np.ndarray) -> None:
        self.folds = [fold_of(lines, orders, replica) for replica in one_replica_of_each_fold(lines.held_out)]
        self.alphas = self.chosen("rotated_responses", RIDGE_ALPHAS)
        self.class_penalties = self.chosen("rotated_classes", CLASS_PENALTIES)
        # [n_folds, 3, n_orders, n_cells]
        raw = np.stack([self.members(fold) for fold in self.folds])
        self.scale = np.maximum(raw.std(-1), 1e-6)  # [n_folds, 3, n_orders]
        self.validation = (raw - raw.mean(-1, keepdims=True)) / self.scale[..., None]
        self.labels = np.stack([fold.labels for fold in self.folds])  # [n_folds, n_orders, n_cells]

    def first(self, n: int) -> "OrderedMembers":
        """Return the same members under the first orders only.

        Parameters
        ----------
        n
            How many.
        """
        part = copy(self)
        part.folds = [
            replace(
                fold,
                responses=fold.responses[:, :n],
                rotated_responses=fold.rotated_responses[:, :n],
                rotated_classes=fold.rotated_classes[:, :n],
                labels=fold.labels[:n],
            )
            for fold in self.folds
        ]
        part.alphas, part.class_penalties = self.alphas[:n], self.class_penalties[:n]
        part.scale, part.validation, part.labels = self.scale[..., :n], self.validation[:, :, :n], self.labels[:, :n]
        return part

    def chosen(self, responses: str, penalties: tuple[float, ...]) -> np.ndarray:
        """Return the penalty whose mean AUROC over folds is highest, for each order, float32 [n_orders].

        A fold of one class has no AUROC, under no order; it does not count.

        Parameters
        ----------
        responses
            Name of the fold's rotated responses or classes.
        penalties
            To choose from.
        """
        aurocs = np.stack(
            [
                np.nansum([fold.aurocs(fold.ridge(getattr(fold, responses), penalty)) for fold in self.folds], 0)
                for penalty in penalties
            ]
        )
        return np.array(penalties, np.float32)[aurocs.argmax(0)]

    def members(self, fold: OrderedFold) -> np.ndarray:
        """Return the members' scores of the fold's validation cells, [3, n_orders, n_cells].

        Parameters
        ----------
        fold
            One of the folds.
        """
        return np.stack(
            [
                (fold.signature_products @ fold.responses).T,
                fold.ridge(fold.rotated_responses, self.alphas),
                fold.ridge(fold.rotated_classes, self.class_penalties),
            ]
        )

    def gene_weights(self, weights: np.ndarray) -> np.ndarray:
        """Return the weighted sum of the standardised members as one vector of genes, mean over folds.

        Parameters
        ----------
        weights
            Of the members in each order, [n_orders, 3].

        Returns
        -------
        numpy.ndarray
            float32 [n_orders, n_genes]; the score of a cell but for a constant.
        """
        total = 0.0
        for fold, scale in zip(self.folds, self.scale, strict=True):
            signature, ridge, classes = (weights.T / scale).astype(np.float32) / len(self.folds)  # each [n_orders]
            in_basis = ridge * fold.rotated_responses / (fold.values[:, None] + self.alphas)
            in_basis += classes * fold.rotated_classes / (fold.values[:, None] + self.class_penalties)
            total = total + (fold.u @ in_basis).T @ fold.x
            total += (signature * fold.responses).T @ fold.x / fold.gene_scale
        return np.asarray(total, np.float32)


def fold_aurocs(labels: np.ndarray, scores: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Return the AUROC within groups of each order, mean over severities, [n_orders].

    Parameters
    ----------
    labels, scores
        Classes and scores of a fold's validation cells, [n_orders, n].
    groups
        Their groups, [n].
    """
    n_orders, n = labels.shape
    by_severity = (len(SEVERITIES) * n_orders, n // len(SEVERITIES))  # every severity has the same lines
    aurocs = aurocs_within(labels.reshape(by_severity), scores.reshape(by_severity), groups[: by_severity[1]])
    return aurocs.reshape(n_orders, -1).mean(1)


def fold_of(lines: TrainingLines, orders: np.ndarray, replica: int) -> OrderedFold:
    """Prepare one fold; see :class:`OrderedFold`.

    Parameters
    ----------
    lines, orders
        See :class:`OrderedMembers`.
    replica
        The first that leaves the fold out.
    """
    rows, held = lines.training_rows(replica), lines.held_out[replica]
    validation = lines.shifted_validation
    fits = LinearFits(lines.x[rows])
    values, u = (part.astype(np.float32) for part in fits.eigenbasis)
    length = np.linalg.norm(fits.x, axis=0)
    gene_scale = np.where(length > 0, length, 1)
    responses, classes = (
        centred(source[orders[:, rows]]).T for source in (lines.denoised_response[replica], lines.labels)
    )
    cells = validation.pooled[replica].cpu().numpy()
    return OrderedFold(
        x=fits.x,
        gene_scale=gene_scale,
        values=values,
        u=u,
        responses=responses,
        rotated_responses=u.T @ responses,
        rotated_classes=u.T @ classes,
        signature_products=(cells / gene_scale) @ fits.x.T,
        basis_products=cells @ fits.x.T @ u,
        labels=np.tile(lines.labels[orders[:, held]], (1, len(SEVERITIES))),
        groups=validation.groups[replica],
    )


def centred(rows: np.ndarray) -> np.ndarray:
    """Subtract each row's mean, float32.

    Parameters
    ----------
    rows
        [n_rows, n].
    """
    return (rows - rows.mean(1, keepdims=True)).astype(np.float32)


def member_weights(members: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Learn the members' weights for each order, as the ensemble does; [n_orders, n_members].

    Parameters
    ----------
    members
        Standardised scores of the validation cells, [n_folds, n_members, n_orders, n_cells].
    labels
        Their classes, [n_folds, n_orders, n_cells].
    """
    n_orders = labels.shape[1]
    scores = np.moveaxis(members, (2, 0, 3, 1), (0, 1, 2, 3)).reshape(n_orders, -1, members.shape[1])
    return stacking_weights(scores, np.moveaxis(labels, 1, 0).reshape(n_orders, -1))
