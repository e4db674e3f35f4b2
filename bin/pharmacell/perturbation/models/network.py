"""The networks: input block, body, head."""

from dataclasses import asdict, replace
from typing import Any

import torch
from torch import Tensor, nn

from pharmacell.core.errors import InputError
from pharmacell.nn.random import ReplicaRandom
from pharmacell.nn.stacked import StackedDropout, StackedLinear
from pharmacell.nn.wide_output import WideOutput
from pharmacell.perturbation.encodings.base import InputShape
from pharmacell.perturbation.models.autoencoder import AutoencoderBody, AutoencoderConfig
from pharmacell.perturbation.models.cnn import CNNBody, CNNConfig
from pharmacell.perturbation.models.gru3_attn import GRU3AttnBody, GRU3AttnConfig
from pharmacell.perturbation.models.inputs import Inputs
from pharmacell.perturbation.models.recurrent import GRU3Config, GRUBody, GRUConfig, LSTMBody, LSTMConfig
from pharmacell.perturbation.models.transformer import TransformerBody, TransformerConfig
from pharmacell.perturbation.settings import FitOptions

BODIES = {
    "gru": (GRUConfig, GRUBody),
    "lstm": (LSTMConfig, LSTMBody),
    "gru3": (GRU3Config, GRUBody),
    "gru3_attn": (GRU3AttnConfig, GRU3AttnBody),
    "transformer": (TransformerConfig, TransformerBody),
    "autoencoder": (AutoencoderConfig, AutoencoderBody),
    "cnn": (CNNConfig, CNNBody),
}
HEAD_WIDTH = 256
HEAD_DROPOUT = 0.5
WITHOUT_HEAD = ("autoencoder",)  # which ends with a dense layer of its own


class Network(nn.Module):
    """A stack of networks: embeddings, a body, then Dense(256, tanh), dropout 0.5 and an affine map to the outputs.

    The autoencoder has a dense layer of its own and goes straight to the outputs.

    Parameters
    ----------
    name
        Of the body.
    config
        Of the body.
    shape
        Of the encoded rows.
    n_outputs
        Genes or patterns of genes.
    random
        Draws initial weights and dropout masks; one stream for each replica.
    """

    def __init__(self, name: str, config: Any, shape: InputShape, n_outputs: int, random: ReplicaRandom) -> None:
        super().__init__()
        self.inputs = Inputs(shape, random)
        self.body = BODIES[name][1](config, self.inputs.n_tokens, random)
        with_head = name not in WITHOUT_HEAD
        self.hidden = StackedLinear(self.body.width, HEAD_WIDTH, random) if with_head else None
        self.dropout = StackedDropout(HEAD_DROPOUT, random)
        self.output = WideOutput(HEAD_WIDTH if with_head else self.body.width, n_outputs, random)
        nn.init.zeros_(self.output.bias)  # so that training begins at the centre of the outputs

    def forward(self, tokens: Tensor, vector: Tensor | None) -> Tensor:
        """Map encoded rows [n_replicas, n, ...] to [n_replicas, n, n_outputs].

        Parameters
        ----------
        tokens
            int64, [n_replicas, n, n_tokens].
        vector
            float32, [n_replicas, n, n_features], or None.
        """
        found = self.body(*self.inputs(tokens, vector))
        return self.output(self.dropout(torch.tanh(self.hidden(found))) if self.hidden else found)


def configure(name: str, options: FitOptions) -> Any:
    """Return the config of a body, changed by the options that the user gave.

    Parameters
    ----------
    name
        Of the body.
    options
        The user's choices.

    Raises
    ------
    InputError
        If layers are chosen for a body that has no stack of them.
    """
    config = BODIES[name][0]()
    given = {
        key: getattr(options, key)
        for key in ("epochs", "batch_size", "learning_rate", "n_layers")
        if getattr(options, key) is not None
    }
    if "n_layers" in given and "n_layers" not in asdict(config):
        raise InputError(f"--n_layers: the model {name} has no stack of layers; only gru3 and gru3_attn have")
    return replace(config, **given)
