"""The ensemble of network and linear members as a compared model: what the default configuration predicts with."""

from dataclasses import dataclass
from typing import ClassVar

from pharmacell.benchmark.models.atsdp import CrossValidatedATSDP


@dataclass(frozen=True)
class CrossValidatedEnsemble(CrossValidatedATSDP):
    """The network of ``atsdp`` with signature, ridge and logistic regression under one score::

        s(x) = sum over members k of w_k (m_k(x) - centre_k) / scale_k

    with weights from shifted validation (:mod:`pharmacell.response.ensemble`), averaged over the training cells most
    like a test cell. No cell label is read, so it stands only where a protocol gives a fit too few labelled cells.
    """

    with_linear_members: ClassVar[bool] = True
