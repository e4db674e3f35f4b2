"""What every body of a network takes and gives."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Body(nn.Module, ABC):
    """Turns the sequence of a row's tokens into one vector.

    Attributes
    ----------
    width
        Of that vector.
    """

    width: int

    @abstractmethod
    def forward(self, x: Tensor, keep: Tensor | None) -> Tensor:
        """Map a sequence [n_replicas, n, n_tokens, 16] to [n_replicas, n, width].

        Parameters
        ----------
        x
            Sequence, [n_replicas, n, n_tokens, 16]; padding is zero in it.
        keep
            Which tokens are no padding, bool [n_replicas, n, n_tokens]; None: all.
        """
