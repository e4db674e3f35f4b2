"""A stack of independently seeded copies of any network, run side by side by vmap."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from pharmacell.nn.random import KEYS, ReplicaRandom


class _Routed(nn.Module):
    """Calls any method of a network through ``forward``, which is what functional_call calls."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, method: str, *arguments: Tensor | None) -> Tensor:
        return getattr(self.network, method)(*arguments)


class VmappedStack(nn.Module):
    """Independent replicas of a network whose parameters are stacked along a first axis.

    The network must keep no running statistics (LayerNorm or GroupNorm instead of BatchNorm) and draw no random
    numbers but through :class:`pharmacell.nn.keyed_dropout.KeyedDropout`. Then a replica's numbers are those that it
    would have alone.

    Parameters
    ----------
    build
        Makes a replica for a position in the stack; its initial weights are drawn from the seed at that position.
    random
        The replicas' seeds and streams.
    """

    def __init__(self, build: Callable[[int], nn.Module], random: ReplicaRandom) -> None:
        super().__init__()
        replicas = [_Routed(self._seeded(build, place, seed)) for place, seed in enumerate(random.seeds)]
        parameters, buffers = stack_module_state(replicas)
        self.names = list(parameters)
        self.values = nn.ParameterList(value.detach().to(random.device) for value in parameters.values())
        self.keys = {name: value.to(random.device) for name, value in buffers.items() if name.endswith(".key")}
        # other buffers are constants of the data set, the same for all replicas
        self.constants = {name: value[0].to(random.device) for name, value in buffers.items() if name not in self.keys}
        self.random = random
        self._template = (replicas[0].to("meta"),)  # in a tuple, so that its parameters are not counted

    @staticmethod
    def _seeded(build: Callable[[int], nn.Module], place: int, seed: int) -> nn.Module:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return build(place)

    def train(self, mode: bool = True) -> "VmappedStack":
        """Switch dropout on or off.

        Parameters
        ----------
        mode
            On or off.
        """
        self._template[0].train(mode)
        return super().train(mode)

    @torch.no_grad()
    def copy(self, source: str, target: str) -> None:
        """Copy the parameters of one submodule of each replica to another of the same shape.

        Parameters
        ----------
        source, target
            Names of the submodules.
        """
        values = dict(zip(self.names, self.values, strict=True))
        for name, value in values.items():
            if name.startswith(f"network.{source}."):
                values[name.replace(source, target, 1)].copy_(value)

    def part(self, *prefixes: str) -> nn.Module:
        """Return the parameters of some submodules of the network, to be trained while the others rest.

        Parameters
        ----------
        *prefixes
            Of the submodules' names.
        """
        return _Part(
            self,
            [
                value
                for name, value in zip(self.names, self.values, strict=True)
                if name.removeprefix("network.").startswith(prefixes)
            ],
        )

    def call(self, method: str, *arguments: Tensor | None) -> Tensor:
        """Call a method of every replica; results are stacked.

        In training each call draws new dropout keys from the replicas' own streams.

        Parameters
        ----------
        method
            Its name.
        *arguments
            [n_replicas, ...] each; a replica gets its slice.
        """
        if self.training and self.keys:
            drawn = self.random.choices(KEYS, len(self.keys))  # [R, n_layers]
            self.keys = dict(zip(self.keys, drawn.unbind(1), strict=True))
        parameters = dict(zip(self.names, self.values, strict=True))

        def one(parameters: dict[str, Tensor], keys: dict[str, Tensor], *arguments: Tensor | None) -> Tensor:
            return functional_call(self._template[0], (parameters, keys, self.constants), (method, *arguments))

        return vmap(one)(parameters, self.keys, *arguments)


class _Part(nn.Module):
    """Some parameters of a stack, which train and rest together with it."""

    def __init__(self, stack: VmappedStack, values: Sequence[nn.Parameter]) -> None:
        super().__init__()
        self.values = nn.ParameterList(values)
        self._stack = (stack,)

    def train(self, mode: bool = True) -> "_Part":
        self._stack[0].train(mode)
        return super().train(mode)
