"""The optimiser of every network."""

import inspect

import torch
from torch.optim import AdamW


class LightAdamW(AdamW):
    """AdamW that does not import torch's compiler.

    In torch three of its methods are wrapped for ``torch.compile``, which nothing here uses; the first call of a
    wrapper imports the compiler and sympy, over one second in every task.
    """

    add_param_group = inspect.unwrap(AdamW.add_param_group)
    zero_grad = inspect.unwrap(AdamW.zero_grad)
    step = torch.no_grad()(inspect.unwrap(AdamW.step))
