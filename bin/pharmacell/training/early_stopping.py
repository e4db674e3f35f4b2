"""Early stopping that treats each replica of a stack as if it trained alone."""

import torch
from torch import Tensor, nn


class BestWeights:
    """Keep each replica's weights at its best validation value.

    Parameters
    ----------
    module
        Stacked module; the first axis of every parameter is the replica. One replica may be a plain network.
    n_replicas
        Replicas of the stack.
    patience
        A replica is finished once this many epochs in a row bring no improvement. Its best weights are then final,
        although the stack goes on, so that its result does not depend on its neighbours.
    """

    def __init__(self, module: nn.Module, n_replicas: int, patience: int) -> None:
        self.module, self.patience = module, patience
        self.kept = {name: value.detach().clone() for name, value in module.named_parameters()}
        self.best = torch.full((n_replicas,), torch.inf)
        self.epoch = torch.zeros(n_replicas, dtype=torch.int64)
        self.waited = torch.zeros(n_replicas, dtype=torch.int64)

    @torch.no_grad()
    def update(self, values: Tensor, epoch: int) -> bool:
        """Take in a validation value; return True when all replicas are finished.

        Parameters
        ----------
        values
            Lower is better, [n_replicas].
        epoch
            When it was found.
        """
        running = self.waited < self.patience
        better = running & (values.cpu() < self.best)
        self.waited += 1
        self.waited[better] = 0
        self.best[better], self.epoch[better] = values.cpu()[better], epoch
        replicas = better.nonzero().flatten().tolist()
        for name, value in self.module.named_parameters():
            if len(replicas) == len(better):
                self.kept[name].copy_(value)
                continue
            for replica in replicas:
                self.kept[name][replica].copy_(value[replica])
        return bool((self.waited >= self.patience).all())

    @torch.no_grad()
    def restore(self) -> None:
        """Put the best weights back into the module."""
        for name, value in self.module.named_parameters():
            value.copy_(self.kept[name])
