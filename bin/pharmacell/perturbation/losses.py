"""Losses over predicted differential expression; each returns one value for each replica."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import huber_loss


def mae(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean absolute error of [n_replicas, n, n_outputs], as [n_replicas].

    Parameters
    ----------
    prediction
        Predicted values, [n_replicas, n, n_outputs].
    truth
        True values, of the same shape or [n, n_outputs].
    """
    return (prediction - truth).abs().mean((1, 2))


def mse(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean squared error of [n_replicas, n, n_outputs], as [n_replicas].

    Parameters
    ----------
    prediction
        Predicted values, [n_replicas, n, n_outputs].
    truth
        True values, of the same shape or [n, n_outputs].
    """
    return (prediction - truth).square().mean((1, 2))


def mrrmse(prediction: Tensor, truth: Tensor) -> Tensor:
    """Mean over rows of the root of the mean squared error over outputs, as [n_replicas].

    The root has an infinite slope at 0, so a row predicted without any error counts as if it were off by 1e-6.

    Parameters
    ----------
    prediction
        Predicted values, [n_replicas, n, n_outputs].
    truth
        True values, of the same shape or [n, n_outputs].
    """
    return torch.sqrt((prediction - truth).square().mean(2) + 1e-12).mean(1)


def huber(prediction: Tensor, truth: Tensor) -> Tensor:
    """Squared error up to 1, absolute error beyond (Huber 1964), as [n_replicas].

    Parameters
    ----------
    prediction
        Predicted values, [n_replicas, n, n_outputs].
    truth
        True values, of the same shape or [n, n_outputs].
    """
    return huber_loss(prediction, truth, reduction="none").mean((1, 2))


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    function.__name__: function for function in (mae, mse, mrrmse, huber)
}
