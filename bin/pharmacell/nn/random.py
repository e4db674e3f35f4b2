"""Random numbers that a replica draws alike, whether it trains alone or in a stack."""

from collections.abc import Sequence

import torch
from torch import Tensor

from pharmacell.core.seeds import seed_sequence

KEYS = 2**62


class ReplicaRandom:
    """One torch generator for each replica of a stack.

    Parameters
    ----------
    seeds
        One seed for each replica. A replica's stream depends on its own seed only, so a replica in a stack of five
        sees the numbers that it would see alone.
    device
        Where the numbers are made.
    """

    def __init__(self, seeds: Sequence[int], device: torch.device | str = "cpu") -> None:
        self.device, self.seeds = torch.device(device), list(seeds)
        drawn_on = "cpu" if self.device.type == "meta" else self.device  # what has no memory draws no numbers
        self.generators = [torch.Generator(drawn_on).manual_seed(seed) for seed in seeds]

    def __len__(self) -> int:
        return len(self.generators)

    def restart(self, stage: str) -> None:
        """Begin the streams of a stage of training.

        A replica that stops early goes on drawing while its neighbours train, so what it draws in the next stage must
        not depend on how much was drawn before.

        Parameters
        ----------
        stage
            Name of the stage.
        """
        for seed, generator in zip(self.seeds, self.generators, strict=True):
            generator.manual_seed(int(seed_sequence(seed, stage).generate_state(1)[0]))

    def keys(self) -> Tensor:
        """Draw one key of :func:`pharmacell.nn.keyed_dropout.keep_mask` for each replica, int64 [n_replicas]."""
        return self.choices(KEYS, 1)[:, 0]

    def normal(self, shape: Sequence[int]) -> Tensor:
        """Draw standard normal numbers, float32 [n_replicas, *shape].

        Parameters
        ----------
        shape
            For one replica.
        """
        draws = torch.empty(len(self), *shape, device=self.device)
        for row, generator in zip(draws, self.generators, strict=True):
            row.normal_(generator=generator)
        return draws

    def permutations(self, n: int) -> Tensor:
        """Draw one permutation of ``range(n)`` for each replica, int64 [n_replicas, n].

        Parameters
        ----------
        n
            Numbers to permute.
        """
        return torch.stack([torch.randperm(n, generator=g, device=self.device) for g in self.generators])

    def choices(self, n: int | Sequence[int], size: int) -> Tensor:
        """Draw numbers with replacement for each replica, int64 [n_replicas, size].

        Parameters
        ----------
        n
            Above every number that is drawn; one limit, or one for each replica.
        size
            How many.
        """
        limits = [n] * len(self) if isinstance(n, int) else n
        return torch.stack(
            [
                torch.randint(limit, (size,), generator=g, device=self.device)
                for limit, g in zip(limits, self.generators, strict=True)
            ]
        )
