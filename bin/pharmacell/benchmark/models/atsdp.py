"""ATSDP-NET as a compared model: all folds of a slice adapt to their cells as one stack of replicas."""

from collections.abc import Sequence
from dataclasses import dataclass, field, make_dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from typing_extensions import override

from pharmacell.benchmark.base import ComparedModel
from pharmacell.benchmark.settings import Fits
from pharmacell.core.settings import Run, fields_of
from pharmacell.response.settings import (
    ATSDPConfig,
    Configuration,
    ConfigurationChoice,
    Smoothing,
    TransferConfig,
    configuration,
)
from pharmacell.training.settings import TrainingConfig

if TYPE_CHECKING:
    import torch

    from pharmacell.benchmark.fold import Fold
    from pharmacell.response.store import Bundle
    from pharmacell.response.training_lines import TrainingLines


@dataclass(frozen=True)
class FitSettings(ConfigurationChoice):
    """Settings beside those of the named configuration.

    Attributes
    ----------
    neighbours
        Training cells over which a test cell's score is averaged, 0 for none; None: 15 with linear members, else 0.
    n_replicas
        Networks of one fit.
    pretrained
        ``SAMPLE.pretrained.safetensors`` with the replicas of all repeats; None pretrains first.
    user_seed
        Of the bulk stage, where it is not pretrained.
    """

    neighbours: int | None = Smoothing.neighbours
    n_replicas: int = Fits.n_replicas
    pretrained: Path | None = None
    user_seed: int = Run.seed

    def configuration(self, ensemble: bool) -> Configuration:
        """Return the named configuration, changed by every field that is not None.

        Parameters
        ----------
        ensemble
            Whether linear members stand beside the network where the configuration has them.
        """
        found = configuration(self.config, self.preset, vars(self))
        return found if ensemble else replace(found, training=replace(found.training, ensemble=False))


# with a field for each of the configuration's, None where the configuration decides
ATSDPSettings = make_dataclass(
    "ATSDPSettings",
    [(name, Any, None) for part in (ATSDPConfig, TrainingConfig, TransferConfig) for name in fields_of(part)],
    bases=(FitSettings,),
    frozen=True,
)


@dataclass(frozen=True)
class CrossValidatedATSDP(ComparedModel):
    """ATSDP-NET (Front. Med. 2025, 10.3389/fmed.2025.1631898), adapted to the cells of each fold by Eq. 16.

    Replica k of repeat r begins with replica ``r * n_replicas + k`` of one pretrained stack, which has seen no cell.
    Where the protocol gives at least 10 labelled cells of each class, the network learns from them too, a tenth of
    the training cells decides by their labels when it stops; else bulk lines decide. The network stands alone, as
    published; ``ensemble`` has linear members beside it.
    """

    with_linear_members: ClassVar[bool] = False
    config: FitSettings = field(default_factory=ATSDPSettings)

    @override
    def fit_predict(self, folds: Sequence["Fold"], device: "torch.device") -> list[np.ndarray]:
        from pharmacell.benchmark.fold_stack import without_single_cells
        from pharmacell.response.training_lines import SplitLines, prepare_training_lines

        settings = self.config.configuration(self.with_linear_members)
        bundle = self.pretrained(folds, settings, device)
        lines = prepare_training_lines(
            SplitLines(*folds[0].lines_as_read()),
            bundle.source_scaler,
            settings.training,
            bundle.model.n_replicas,
            bundle.card.pretraining.seed,
            device,
        )
        lines = replace(lines, validation=without_single_cells(lines.validation))
        found: dict[int, np.ndarray] = {}

        def alike(position: int) -> tuple:  # only folds with as many rows make one stack, so none is cut for another
            return len(folds[position].train), folds[position].enough_labels()

        for _, positions in groupby(sorted(range(len(folds)), key=alike), key=alike):
            stacked = list(positions)
            fitted = self.fit_stack([folds[position] for position in stacked], bundle, lines, settings, device)
            found |= dict(zip(stacked, fitted, strict=True))
        return [found[position] for position in range(len(folds))]

    def pretrained(self, folds: Sequence["Fold"], settings: Configuration, device: "torch.device") -> "Bundle":
        """Read the pretrained stack, or train it.

        Parameters
        ----------
        folds
            Whose repeats need replicas.
        settings
            Network and training.
        device
            Where the stack goes.
        """
        from pharmacell.core.errors import InputError
        from pharmacell.response.pretrain_bulk import pretrain_on_split
        from pharmacell.response.store import load_bundle
        from pharmacell.response.training_lines import SplitLines
        from pharmacell.response.training_run import TrainingRun

        needed = (1 + max(fold.key[0] for fold in folds)) * self.config.n_replicas
        if self.config.pretrained is None:
            bulk = SplitLines(*folds[0].lines_as_read())
            return pretrain_on_split(bulk, settings, needed, TrainingRun(self.config.user_seed, device))[0]
        bundle = load_bundle(self.config.pretrained, device=device)
        if bundle.genes != folds[0].genes or bundle.model.config != settings.network:
            raise InputError(
                f"{self.config.pretrained}: pretrained on other genes or with another network; run "
                "pretrain_bulk for these cells and settings"
            )
        if bundle.model.n_replicas < needed:
            raise InputError(
                f"{self.config.pretrained}: holds {bundle.model.n_replicas} replicas where {needed} "
                f"are needed; run pretrain_bulk with --n_replicas {needed}"
            )
        return bundle

    def fit_stack(
        self,
        folds: Sequence["Fold"],
        bundle: "Bundle",
        lines: "TrainingLines",
        settings: Configuration,
        device: "torch.device",
    ) -> list[np.ndarray]:
        """Adapt to folds with equally many training cells and score their test cells.

        Parameters
        ----------
        folds
            With equally many training cells, all with enough labels or none.
        bundle
            Pretrained replicas.
        lines
            The bulk lines that they learned from.
        settings
            Network, training and transfer.
        device
            Where to train.
        """
        from pharmacell.benchmark.fold_stack import adapt_folds, predict_folds

        adapted = adapt_folds(folds, bundle, lines, settings, self.config.n_replicas, device)
        return predict_folds(folds, adapted, self.config.neighbours)

    @override
    def stack_bytes(self, n_genes: int, n_train: int, n_test: int) -> int:
        from pharmacell.benchmark.fold_stack import replica_bytes

        return self.config.n_replicas * replica_bytes(self.config.configuration(ensemble=False), n_genes, n_train)
