"""The compared models by name."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from pharmacell.benchmark.base import ComparedModel
from pharmacell.core.errors import InputError

if TYPE_CHECKING:
    pass


@dataclass(frozen=True)
class Entry:
    """A compared model.

    Parameters
    ----------
    name
        As in ``--models``.
    title
        For tables and figures.
    source
        Where the method was published.
    load
        Imports the model's module and returns the model's class and its configuration's class.
    uses_labels
        Whether it learns from cell labels where the protocol gives them.
    uses_heads
        Whether the sweeps over attention heads and over sampling concern it.
    """

    name: str
    title: str
    source: str
    load: Callable[[], tuple[type, type]]
    uses_labels: bool = False
    uses_heads: bool = False


def _atsdp() -> tuple[type, type]:
    from pharmacell.benchmark.models.atsdp import ATSDPSettings, CrossValidatedATSDP

    return CrossValidatedATSDP, ATSDPSettings


def _prevalence() -> tuple[type, type]:
    from pharmacell.benchmark.models.prevalence import Prevalence, PrevalenceConfig

    return Prevalence, PrevalenceConfig


def _signature() -> tuple[type, type]:
    from pharmacell.benchmark.models.signature import SignatureConfig, SignatureModel

    return SignatureModel, SignatureConfig


def _ridge() -> tuple[type, type]:
    from pharmacell.benchmark.models.ridge import RidgeConfig, RidgeModel

    return RidgeModel, RidgeConfig


def _logistic() -> tuple[type, type]:
    from pharmacell.benchmark.models.logistic import LogisticConfig, LogisticModel

    return LogisticModel, LogisticConfig


def _mlp() -> tuple[type, type]:
    from pharmacell.benchmark.models.mlp import MLPConfig, MLPModel

    return MLPModel, MLPConfig


def _sa() -> tuple[type, type]:
    from pharmacell.benchmark.models.sa import SAConfig, SAModel

    return SAModel, SAConfig


def _resnet18() -> tuple[type, type]:
    from pharmacell.benchmark.models.resnet18 import ResNet18Config, ResNet18Model

    return ResNet18Model, ResNet18Config


def _cnn() -> tuple[type, type]:
    from pharmacell.benchmark.models.cnn import CNNConfig, CNNModel

    return CNNModel, CNNConfig


def _transformer() -> tuple[type, type]:
    from pharmacell.benchmark.models.transformer import TransformerConfig, TransformerModel

    return TransformerModel, TransformerConfig


def _deepdr() -> tuple[type, type]:
    from pharmacell.benchmark.models.deepdr import DeepDRConfig, DeepDRModel

    return DeepDRModel, DeepDRConfig


def _scdeal() -> tuple[type, type]:
    from pharmacell.benchmark.models.scdeal import ScDEALConfig, ScDEALModel

    return ScDEALModel, ScDEALConfig


def _scad() -> tuple[type, type]:
    from pharmacell.benchmark.models.scad import SCADConfig, SCADModel

    return SCADModel, SCADConfig


def _drugcell() -> tuple[type, type]:
    from pharmacell.benchmark.models.drugcell import DrugCellConfig, DrugCellModel

    return DrugCellModel, DrugCellConfig


def _gcn() -> tuple[type, type]:
    from pharmacell.benchmark.models.gcn import GCNConfig, GCNModel

    return GCNModel, GCNConfig


def _gat() -> tuple[type, type]:
    from pharmacell.benchmark.models.gat import GATConfig, GATModel

    return GATModel, GATConfig


def _gradient_boosting() -> tuple[type, type]:
    from pharmacell.benchmark.models.gradient_boosting import GradientBoostingConfig, GradientBoostingModel

    return GradientBoostingModel, GradientBoostingConfig


def _source_only() -> tuple[type, type]:
    from pharmacell.benchmark.models.source_only import SourceOnlyConfig, SourceOnlyModel

    return SourceOnlyModel, SourceOnlyConfig


def _permuted() -> tuple[type, type]:
    from pharmacell.benchmark.models.permuted import PermutedConfig, PermutedModel

    return PermutedModel, PermutedConfig


_ENTRIES = (
    Entry(
        "atsdp", "ATSDP-NET", "Front. Med. 2025, 10.3389/fmed.2025.1631898", _atsdp, uses_labels=True, uses_heads=True
    ),
    Entry("sa", "Sparse autoencoder", "Ng 2011, CS294A lecture notes", _sa, uses_labels=True),
    Entry("resnet18", "ResNet-18", "He et al. 2016, 10.1109/CVPR.2016.90", _resnet18, uses_labels=True),
    Entry("cnn", "CNN", "LeCun et al. 1998, 10.1109/5.726791", _cnn, uses_labels=True),
    Entry("transformer", "Transformer", "Vaswani et al. 2017, arXiv:1706.03762", _transformer, uses_labels=True),
    Entry("gcn", "GCN", "Kipf and Welling 2017, arXiv:1609.02907", _gcn, uses_labels=True),
    Entry("gat", "GAT", "Velickovic et al. 2018, arXiv:1710.10903", _gat, uses_labels=True),
    Entry("deepdr", "DeepDR", "Chiu et al. 2019, 10.1186/s12920-018-0460-9", _deepdr, uses_labels=True),
    Entry("drugcell", "DrugCell", "Kuenzi et al. 2020, 10.1016/j.ccell.2020.09.014", _drugcell, uses_labels=True),
    Entry("scdeal", "scDEAL", "Chen et al. 2022, 10.1038/s41467-022-34277-7", _scdeal),
    Entry("scad", "SCAD", "Zheng et al. 2023, 10.1002/advs.202204113", _scad),
    Entry("mlp", "Perceptron", "Rumelhart, Hinton and Williams 1986, 10.1038/323533a0", _mlp, uses_labels=True),
    Entry("source_only", "Source only", "ATSDP-NET without transfer, 10.3389/fmed.2025.1631898", _source_only),
    Entry(
        "gradient_boosting",
        "Gradient boosting",
        "Friedman 2001, 10.1214/aos/1013203451 (by LightGBM)",
        _gradient_boosting,
        uses_labels=True,
    ),
    Entry(
        "logistic", "Logistic regression", "Cox 1958, 10.1111/j.2517-6161.1958.tb00292.x", _logistic, uses_labels=True
    ),
    Entry("ridge", "Ridge", "Hoerl and Kennard 1970, 10.1080/00401706.1970.10488634", _ridge),
    Entry("signature", "Signature", "Wold 1966 (partial least squares, one component)", _signature),
    Entry("prevalence", "Prevalence", "the share of sensitive rows; no method", _prevalence, uses_labels=True),
    Entry("permuted", "Permuted labels", "Ojala and Garriga 2010, JMLR 11, 1833-1863", _permuted, uses_labels=True),
)
REGISTRY: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}


def model_names() -> list[str]:
    """Return the names of all compared models."""
    return list(REGISTRY)


def check_names(names: Sequence[str], option: str = "--models") -> None:
    """Check the names of models without importing one.

    Raises
    ------
    InputError
        If a name is unknown; the message lists all names.
    """
    for name in names:
        if name not in REGISTRY:
            raise InputError(f"{option} {name}: no such model; there are {', '.join(model_names())}")


def get(name: str, **chosen) -> ComparedModel:
    """Return a model with its defaults, changed by every setting that is not None.

    Parameters
    ----------
    name
        Of the model.
    chosen
        Settings by the name of the configuration's field. A setting shared by many models, such as ``epochs``, may be
        given to all: a model whose configuration lacks it goes without.

    Raises
    ------
    InputError
        If there is no such model.
    """
    check_names([name])
    model, config = REGISTRY[name].load()
    known = {field.name for field in fields(config)}
    return model(config(**{key: value for key, value in chosen.items() if value is not None and key in known}))


def settings_of(name: str) -> list[str]:
    """Return the names of a model's settings."""
    check_names([name])
    return [field.name for field in fields(REGISTRY[name].load()[1])]
