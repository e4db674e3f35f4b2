"""The compared models: one table, from which commands, figures, tables and documents take names and titles."""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from enum import Flag, auto
from importlib import import_module
from typing import TYPE_CHECKING

from pharmacell.benchmark.base import ComparedModel
from pharmacell.core.errors import InputError
from pharmacell.response.columns import ENSEMBLE

if TYPE_CHECKING:
    # What Entry.load imports by name, once more as a statement: code digests (lib/Code.groovy) and the layers contract
    # read statements. A test holds that every model's file is in the digest.
    from pharmacell.benchmark.models import (  # noqa: F401
        atsdp,
        atsdp_permuted,
        cnn,
        deepdr,
        drugcell,
        ensemble,
        gat,
        gcn,
        gradient_boosting,
        logistic,
        mlp,
        permuted,
        prevalence,
        resnet18,
        ridge,
        sa,
        scad,
        scdeal,
        signature,
        source_only,
        transformer,
    )


class Learns(Flag):
    """What a model learns from."""

    LINES = auto()  # bulk lines and their response, under every protocol
    CELLS = auto()  # the expression of training cells, labelled or not
    LABELS = auto()  # labelled training cells where there are enough, else lines and whatever cells are labelled
    STRUCTURE = auto()  # the structure of the drug

    def words(self) -> str:
        """Return its parts as documents name them, such as ``lines, cells``."""
        return ", ".join(str(part.name).lower() for part in self)


LINES, CELLS, LABELS, STRUCTURE = Learns


@dataclass(frozen=True)
class Entry:
    """A compared model.

    Attributes
    ----------
    name
        As in ``--models``; also of its module in ``models/``.
    class_name
        Of the class in that module.
    title
        For figures, tables and documents.
    citation
        Where the method was published.
    learns_from
        What reaches its fit.
    is_swept
        Whether the sweeps over attention heads and over sampling concern it.
    begins_pretrained
        Whether its fits begin with the replicas of the shared bulk stage.
    reads_main_options
        Whether the params of the main model (``--dropout``, ``--config``, ...) are its own; a sweep's model has them.
    """

    name: str
    class_name: str
    title: str
    citation: str
    learns_from: Learns
    is_swept: bool = False
    begins_pretrained: bool = False
    reads_main_options: bool = False

    def load(self) -> type[ComparedModel]:
        """Import the model's module and return its class."""
        return getattr(import_module(f"pharmacell.benchmark.models.{self.name}"), self.class_name)


_ENTRIES = (
    Entry(
        "atsdp",
        "CrossValidatedATSDP",
        "ATSDP-NET",
        "Front. Med. 2025, 10.3389/fmed.2025.1631898",
        LINES | CELLS | LABELS,
        is_swept=True,
        begins_pretrained=True,
        reads_main_options=True,
    ),
    Entry(
        ENSEMBLE,
        "CrossValidatedEnsemble",
        "ensemble",
        "ATSDP-NET with linear members; what --mode predict averages",
        LINES | CELLS,
        begins_pretrained=True,
        reads_main_options=True,
    ),
    Entry("sa", "SAModel", "sparse autoencoder", "Ng 2011, CS294A lecture notes", LABELS),
    Entry("resnet18", "ResNet18Model", "ResNet-18", "He et al. 2016, 10.1109/CVPR.2016.90", LABELS),
    Entry("cnn", "CNNModel", "CNN", "LeCun et al. 1998, 10.1109/5.726791", LABELS),
    Entry("transformer", "TransformerModel", "transformer", "Vaswani et al. 2017, arXiv:1706.03762", LABELS),
    Entry("gcn", "GCNModel", "GCN", "Kipf and Welling 2017, arXiv:1609.02907", CELLS | LABELS),
    Entry("gat", "GATModel", "GAT", "Velickovic et al. 2018, arXiv:1710.10903", CELLS | LABELS),
    Entry("deepdr", "DeepDRModel", "DeepDR", "Chiu et al. 2019, 10.1186/s12920-018-0460-9", LINES | CELLS | LABELS),
    Entry(
        "drugcell", "DrugCellModel", "DrugCell", "Kuenzi et al. 2020, 10.1016/j.ccell.2020.09.014", LABELS | STRUCTURE
    ),
    Entry("scdeal", "ScDEALModel", "scDEAL", "Chen et al. 2022, 10.1038/s41467-022-34277-7", LINES | CELLS),
    Entry("scad", "SCADModel", "SCAD", "Zheng et al. 2023, 10.1002/advs.202204113", LINES | CELLS),
    Entry("mlp", "MLPModel", "perceptron", "Rumelhart, Hinton and Williams 1986, 10.1038/323533a0", LABELS),
    Entry(
        "source_only", "SourceOnlyModel", "source only", "ATSDP-NET without transfer, 10.3389/fmed.2025.1631898", LINES
    ),
    Entry(
        "gradient_boosting",
        "GradientBoostingModel",
        "gradient boosting",
        "Friedman 2001, 10.1214/aos/1013203451 (by LightGBM)",
        LABELS,
    ),
    Entry("logistic", "LogisticModel", "logistic regression", "Cox 1958, 10.1111/j.2517-6161.1958.tb00292.x", LABELS),
    Entry("ridge", "RidgeModel", "ridge regression", "Hoerl and Kennard 1970, 10.1080/00401706.1970.10488634", LINES),
    Entry("signature", "SignatureModel", "gene signature", "Wold 1966 (partial least squares, one component)", LINES),
    Entry("prevalence", "Prevalence", "prevalence", "the share of sensitive rows; no method", LABELS),
    Entry("permuted", "PermutedModel", "permuted labels", "Ojala and Garriga 2010, JMLR 11, 1833-1863", LABELS),
    Entry(
        "atsdp_permuted",
        "PermutedATSDP",
        "ATSDP-NET, permuted labels",
        "Ojala and Garriga 2010, JMLR 11, 1833-1863",
        LINES | CELLS | LABELS,
        reads_main_options=True,
    ),
)

REGISTRY: dict[str, Entry] = {entry.name: entry for entry in _ENTRIES}


def model_names() -> list[str]:
    """Return the names of all compared models."""
    return list(REGISTRY)


def check_names(names: Sequence[str], option: str = "--models") -> None:
    """Check the names of models without importing one.

    Parameters
    ----------
    names
        Of models.
    option
        Where they were given, for the message.

    Raises
    ------
    InputError
        If a name is unknown; the message lists all names.
    """
    for name in names:
        if name not in REGISTRY:
            raise InputError(f"{option} {name}: no such model; there are {', '.join(REGISTRY)}")


def get(name: str, **chosen: object) -> ComparedModel:
    """Return a model with its defaults, changed by every setting that is not None.

    Parameters
    ----------
    name
        Of the model.
    **chosen
        Settings by the name of the configuration's field. A setting shared by many models, such as ``epochs``, may be
        given to all: a model whose configuration lacks it goes without.

    Raises
    ------
    InputError
        If there is no such model.
    """
    check_names([name])
    model = REGISTRY[name].load()
    default = model().config
    known = {field.name for field in fields(default)}
    return model(
        replace(default, **{key: value for key, value in chosen.items() if value is not None and key in known})
    )


def settings_of(name: str) -> dict[str, object]:
    """Return a model's settings by name, with their defaults.

    Parameters
    ----------
    name
        Of the model.

    Raises
    ------
    InputError
        If there is no such model.
    """
    check_names([name])
    default = REGISTRY[name].load()().config
    return {field.name: getattr(default, field.name) for field in fields(default)}
