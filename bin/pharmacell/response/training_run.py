"""How a step trains: from which seed, on which device, and how many replicas of a stack at once."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pharmacell.response.settings import Stack

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class TrainingRun:
    """One run of a training step.

    Attributes
    ----------
    seed
        The user's seed.
    device
        Where to train.
    attempt
        1, or more where earlier attempts ran out of memory: each one after the first trains half as many replicas at
        once.
    """

    seed: int
    device: "torch.device"
    attempt: int = Stack.attempt

    def replicas_at_once(self, n_replicas: int) -> int:
        """Return how many replicas of a stack train together; at least one.

        Parameters
        ----------
        n_replicas
            Replicas of the stack.
        """
        return max(1, n_replicas >> (self.attempt - 1))
