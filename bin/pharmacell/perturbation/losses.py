"""Losses over predicted differential expression; each returns one value for each replica."""

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import huber_loss, softplus

from pharmacell.perturbation.outputs import LayerOutputs, Outputs
from pharmacell.perturbation.table import split_layers


def mae(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error of [n_replicas, n, n_genes], as [n_replicas].

    Parameters
    ----------
    prediction
        Predicted values, [n_replicas, n, n_genes].
    truth
        True values, of the same shape or [n, n_genes].
    """
    return (prediction - truth).abs().mean((1, 2))


def mse(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error of [n_replicas, n, n_genes], as [n_replicas].

    Parameters
    ----------
    prediction
        Predicted values, [n_replicas, n, n_genes].
    truth
        True values, of the same shape or [n, n_genes].
    """
    return mean_of_squares((prediction - truth).square().mean(2))


def mrrmse(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean over rows of the root of the mean squared error over genes, as [n_replicas].

    Parameters
    ----------
    prediction
        Predicted values, [n_replicas, n, n_genes].
    truth
        True values, of the same shape or [n, n_genes].
    """
    return mean_of_roots((prediction - truth).square().mean(2))


def huber(prediction: Tensor, truth: Tensor) -> Tensor:
    """Squared error up to 1, absolute error beyond (Huber 1964), as [n_replicas].

    Parameters
    ----------
    prediction
        Predicted values, [n_replicas, n, n_genes].
    truth
        True values, of the same shape or [n, n_genes].
    """
    return huber_loss(prediction, truth, reduction="none").mean((1, 2))


def mixed(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean of squared error, absolute error and log-cosh of the error, as [n_replicas].

    Parameters
    ----------
    prediction
        Predicted values, [n_replicas, n, n_genes].
    truth
        True values, of the same shape or [n, n_genes].
    """
    error = prediction - truth
    size = error.abs()
    log_cosh = size + softplus(-2 * size) - np.log(2)
    return ((error.square() + size + log_cosh) / 3).mean((1, 2))


def mean_of_squares(squares: Tensor) -> Tensor:
    """Return ``mse`` from the mean squared errors of rows, [n_replicas, n].

    Parameters
    ----------
    squares
        [n_replicas, n].
    """
    return squares.mean(1)


def mean_of_roots(squares: Tensor) -> Tensor:
    """Return ``mrrmse`` from the mean squared errors of rows, [n_replicas, n].

    The root has an infinite slope at 0, so a row predicted without any error counts as if it were off by 1e-6.

    Parameters
    ----------
    squares
        [n_replicas, n].
    """
    return torch.sqrt(squares + 1e-12).mean(1)


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    function.__name__: function for function in (mae, mse, mrrmse, huber, mixed)
}
OF_SQUARES = {"mse": mean_of_squares, "mrrmse": mean_of_roots}


class GeneLoss:
    """A loss over standardised genes, of what a network puts out for some rows.

    The patterns P of :class:`pharmacell.perturbation.outputs.Outputs` are orthogonal, so the squared error over genes
    of scores z for a row t is a sum over patterns, beside what no score can change::

        |z P - t|^2 = sum_k |P_k|^2 (z_k - c_k)^2 + rest,   c_k = t P_k' / |P_k|^2,   rest = |c P - t|^2

    so ``mse`` and ``mrrmse`` need no gene at all. Other losses take one product of all replicas' rows with P.

    Parameters
    ----------
    name
        In :data:`LOSSES`.
    outputs
        What the network puts out.
    y
        Targets of the rows, float32 [n_rows, n_genes].
    cell_type
        Of each row.
    device
        Where the network lives.
    """

    def __init__(self, name: str, outputs: Outputs, y: np.ndarray, cell_type: np.ndarray, device: torch.device) -> None:
        self.loss, self.n_genes = LOSSES[name], y.shape[1]
        self.of_squares = OF_SQUARES.get(name)
        self.patterns = self.rest = None
        truth, patterns = outputs.standardised(y, cell_type), outputs.patterns
        if patterns is not None and self.of_squares:
            lengths = (patterns**2).sum(axis=1)
            scores = truth @ patterns.T / lengths.clip(1e-12)
            rest = ((scores @ patterns - truth) ** 2).sum(axis=1)
            truth = scores
            self.lengths, self.rest = (torch.as_tensor(values, device=device) for values in (lengths, rest))
        elif patterns is not None:
            self.patterns = torch.as_tensor(patterns, device=device)
        self.truth = torch.as_tensor(truth, device=device)

    def __call__(self, put_out: Tensor, rows: Tensor) -> Tensor:
        """Return the loss of each replica, [n_replicas].

        Parameters
        ----------
        put_out
            [n_replicas, n, n_outputs].
        rows
            Which rows they stand for, int64 [n_replicas, n].
        """
        truth = self.truth[rows]
        if self.of_squares and self.rest is not None:
            return self.of_squares(((put_out - truth).square() @ self.lengths + self.rest[rows]) / self.n_genes)
        if self.patterns is not None:
            put_out = (put_out.flatten(0, 1) @ self.patterns).unflatten(0, rows.shape)
        return self.loss(put_out, truth)


class LayerLosses:
    """The loss of each layer of a table, over its own standardised genes.

    Parameters
    ----------
    name
        In :data:`LOSSES`.
    outputs
        What the network puts out.
    y
        Targets of the rows, float32 [n_rows, n_layers * n_genes].
    cell_type
        Of each row.
    device
        Where the network lives.
    """

    def __init__(
        self, name: str, outputs: LayerOutputs, y: np.ndarray, cell_type: np.ndarray, device: torch.device
    ) -> None:
        parts = zip(outputs.layers, split_layers(y, outputs.layers[0].n_genes), strict=True)
        self.losses = [GeneLoss(name, one, part, cell_type, device) for one, part in parts]
        self.widths = outputs.widths

    def __call__(self, put_out: Tensor, rows: Tensor) -> Tensor:
        """Return the loss of each layer and replica, [n_layers, n_replicas].

        Parameters
        ----------
        put_out
            [n_replicas, n, sum of the widths].
        rows
            Which rows they stand for, int64 [n_replicas, n].
        """
        parts = zip(self.losses, put_out.split(self.widths, -1), strict=True)
        return torch.stack([loss(part, rows) for loss, part in parts])
