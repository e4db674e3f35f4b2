"""One bulk stage for all samples: networks trained on all bulk genes, put on the genes that a sample shares.

While they are trained, count thinning hides a random half of the genes of every row, at their mean. What a sample lacks
is hidden in the same way, but for what its other genes tell about it.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
import torch

from pharmacell.core.progress import say
from pharmacell.data.standardise import Standardiser
from pharmacell.response.network import ATSDP
from pharmacell.response.pretrain_bulk import fit_linear_models, score_test_lines
from pharmacell.response.store import Bundle
from pharmacell.response.training_lines import SplitLines, TrainingLines
from pharmacell.response.training_run import TrainingRun
from pharmacell.training.settings import TrainingConfig

PENALTY_PER_GENE = 1.0  # of the regression that stands in for missing genes


def mark_as_shared(bundle: Bundle) -> None:
    """Write on the card that the networks were trained on all bulk genes, so that they are put on a sample's genes.

    Parameters
    ----------
    bundle
        Pretrained on all bulk genes.
    """
    bundle.card = replace(bundle.card, pretraining=replace(bundle.card.pretraining, shared=True))


def put_on_genes(bundle: Bundle, bulk: SplitLines, genes: pd.Index) -> SplitLines:
    """Put the networks of a bundle on the genes that a sample shares, in place.

    A hidden unit of the encoder sums over genes. The sum over those that a sample lacks is predicted from the others by
    ridge regression on the lines that are learnt from::

        u = x_s W_s + x_m W_m  ~  x_s (W_s + X_s' (X_s X_s' + alpha I)^-1 X_m W_m)

    with s the shared and m the missing genes, so the network on the shared genes is the same network with other first
    weights. The decoder loses the outputs of the missing genes. Nothing else changes.

    Parameters
    ----------
    bundle
        Pretrained on all bulk genes.
    bulk
        Lines on the same genes, and the part that each stands in.
    genes
        The sample's genes.

    Returns
    -------
    SplitLines
        The lines on the shared genes.
    """
    inside = pd.Index(bundle.genes).isin(genes)
    x = bundle.source_scaler.apply(bulk.learnt_from().x)
    shared, missing = x[:, inside], x[:, ~inside]
    kernel = (shared @ shared.T).astype(np.float64)
    kernel[np.diag_indices_from(kernel)] += PENALTY_PER_GENE * inside.sum()
    columns = torch.as_tensor(np.flatnonzero(inside), device=bundle.model.random.device)

    def on_shared(weight: torch.Tensor) -> torch.Tensor:
        values = weight.cpu().numpy()
        sums = np.concatenate(list(missing @ values[:, ~inside]), axis=1)  # [n_lines, n_replicas * n_hidden]
        added = shared.T @ np.linalg.solve(kernel, sums).astype(np.float32)
        own = values[:, inside] + np.stack(np.split(added, len(values), axis=1))
        return torch.as_tensor(own, device=weight.device)

    before = bundle.model
    model = ATSDP(before.config, int(inside.sum()), before.random.seeds, before.random.device)
    state = before.source.state_dict()
    state["encoder.0.weight"] = on_shared(state["encoder.0.weight"])
    last = f"decoder.{len(before.source.decoder) - 1}"
    for name in (f"{last}.weight", f"{last}.bias"):
        state[name] = state[name].index_select(-1, columns)
    model.source.load_state_dict(state)
    model.predictor.load_state_dict(before.predictor.state_dict())
    scaler = bundle.source_scaler
    bundle.model, bundle.genes = model.eval(), [gene for gene, own in zip(bundle.genes, inside, strict=True) if own]
    bundle.source_scaler = Standardiser(scaler.mean[inside], scaler.std[inside])
    bundle.autoencoder |= {"0.weight": on_shared(bundle.autoencoder["0.weight"])}
    facts = replace(bundle.card.pretraining, genes_shared=len(bundle.genes))
    bundle.card = replace(bundle.card, pretraining=facts)
    return SplitLines(replace(bulk.lines, x=bulk.lines.x[:, inside], genes=bundle.genes), bulk.split)


def refit(
    bundle: Bundle, bulk: SplitLines, lines: TrainingLines, training: TrainingConfig, run: TrainingRun
) -> pd.DataFrame:
    """Fit the linear models to the lines on a sample's genes, in place, and score the held-out lines.

    Parameters
    ----------
    bundle
        Networks on the sample's genes.
    bulk, lines
        Lines on the same genes, and the same ready for training.
    training, run
        As in the bulk stage.

    Returns
    -------
    pandas.DataFrame
        ``model, metric, value, low, high`` on the test lines.
    """
    n_bulk = bundle.card.pretraining.genes_bulk
    say(f"bulk stage of {n_bulk:,} genes, of which the sample has {len(bundle.genes):,}: linear models anew")
    fitted = fit_linear_models(bundle.model, bulk, lines, training)
    bundle.baselines, bundle.ensemble = fitted.baselines, fitted.ensemble
    facts = replace(bundle.card.pretraining, penalties=fitted.penalties)
    bundle.card = replace(bundle.card, pretraining=facts)
    return score_test_lines(bundle, bulk, run)
