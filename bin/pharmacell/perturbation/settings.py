"""Settings of the perturbation task; imports nothing heavy."""

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Literal

from pharmacell.core.settings import setting
from pharmacell.training.settings import Precision

Encoding = Literal["ordinal", "smiles", "fingerprint", "embedding", "target_stats", "joint"]
Loss = Literal["mae", "mse", "mrrmse", "huber", "mixed"]
TargetSpaceName = Literal["original", "z_score"]
Start = Literal["zero", "median", "cell_type"]
Configuration = Literal["default", "study"]
DEFAULT_LAYER = "sign_log10_pval"


@dataclass(frozen=True)
class TableReading:
    """How a table of differential expression is read."""

    layer: str | None = setting(None, "Layer of an h5ad.", otherwise=DEFAULT_LAYER)
    second_layer: str | None = setting(
        None,
        "Another layer of the h5ad, such as logFC, that every model predicts too: networks by a second head of the "
        "same network, other models by a fit of their own.",
    )
    drop_unparsable: bool = setting(
        False, "Leave out rows whose SMILES is empty or cannot be parsed, instead of stopping."
    )
    genes: Path | None = setting(
        None,
        "Names of the columns of --de_train that are genes, one a line.",
        kind="file",
        otherwise="known symbols, and what looks like a symbol or an id",
    )


@dataclass(frozen=True)
class FitOptions:
    """What the command's user may choose. What is None comes from the configuration; see :meth:`complete`."""

    config: Configuration = setting(
        "default", "What networks see, put out and learn from: default, or as the study trains them (study)."
    )
    encoding: Encoding | None = setting(
        None, "How networks see a cell type and a compound.", otherwise="joint; study ordinal"
    )
    loss: Loss | None = setting(None, "Loss of the networks, over genes.", otherwise="mrrmse; study mae")
    epochs: int | None = setting(None, "Most epochs.", at_least=1, otherwise="80; study the model's")
    batch_size: int | None = setting(None, "Rows in a batch.", at_least=2, otherwise="64; study the model's")
    learning_rate: float | None = setting(None, "Learning rate of Adam.", above=0, otherwise="0.003; study the model's")
    n_layers: int | None = setting(None, "Recurrent layers of gru3 and gru3_attn.", at_least=1, otherwise="the model's")
    n_components: int | None = setting(
        None,
        "Networks put out the scores of this many patterns of genes (singular vectors of the training rows).",
        at_least=1,
        otherwise="64; study every gene",
    )
    target_space: TargetSpaceName = setting(
        "original",
        "How networks see the targets: as the table has them, or signed p-values as z-scores, in which strong effects "
        "weigh less. Predictions and scores are in the table's units either way.",
    )
    pseudolabels: bool = setting(
        False,
        "Train networks again with the rows to predict added, as their mean over the seeds predicts them; the truth of "
        "these rows is not used.",
    )
    patience: int | None = setting(
        None,
        "Epochs without improvement in inner folds of the training part after which they stop; then all rows train for "
        "as many epochs as were best there. 0: all rows train for all epochs.",
        at_least=0,
        otherwise="10; study 50",
    )
    compound_embedding: Path | None = setting(
        None, "Vector of each compound (parquet, csv), for the encodings embedding and joint.", kind="file"
    )
    precision: Precision = setting(
        "float32", "Precision of the network's matrix products in training; tf32 needs a GPU."
    )
    start: Start | None = None  # where outputs begin: at zero, each gene's median, or each cell type's centre and scale
    shrink: bool | None = None  # whether inner folds tell how far to trust what networks put out

    def complete(self) -> "FitOptions":
        """Return the options with the configuration's values where the user gave none."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(
            self, **{name: value for name, value in CONFIGURATIONS[self.config].items() if given[name] is None}
        )


CONFIGURATIONS: dict[str, dict] = {
    "default": {
        "encoding": "joint",
        "loss": "mrrmse",
        "epochs": 80,
        "batch_size": 64,
        "learning_rate": 0.003,
        "n_components": 64,
        "patience": 10,
        "start": "cell_type",
        "shrink": True,
    },
    "study": {"encoding": "ordinal", "loss": "mae", "patience": 50, "start": "zero", "shrink": False},
}


@dataclass(frozen=True)
class Replicas:
    """How many networks of a kind are trained."""

    seeds: int = setting(5, "Replicas of a network, trained as one stack.", at_least=1)


@dataclass(frozen=True)
class Kept:
    """What is kept of a comparison beside its scores."""

    keep_predictions: bool = setting(
        False, "Also write the prediction of every row that was held out; 45 MB a seed and protocol at full size."
    )


@dataclass(frozen=True)
class SimulatedTable:
    """How a table is simulated, and how much of the given keys and moments it keeps."""

    simulator: Literal["linear", "sparse"] = setting(
        "linear",
        "How compounds act: linear in their fingerprints on all genes, with independent noise; or sparse, through "
        "mechanisms that move few genes and that like molecules may not share, with noise correlated within a row.",
    )
    n_genes: int | None = setting(None, "Genes of the simulated table.", at_least=2, otherwise="all")
    n_compounds: int | None = setting(
        None,
        "Compounds of the simulated table, those of most cell types first.",
        at_least=2,
        otherwise="all",
    )
