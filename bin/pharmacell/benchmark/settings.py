"""Settings of a benchmark; imports nothing heavy."""

from dataclasses import dataclass

from pharmacell.core.settings import setting
from pharmacell.response.settings import DEFAULT
from pharmacell.training.settings import Validation


@dataclass(frozen=True)
class ModelSettings:
    """Settings of compared models beside their defaults."""

    model_settings: str | None = setting(
        None,
        "Settings of compared models, such as cnn.dropout=0.5,ridge.alpha=30000; --tune writes such a line. Those of "
        "atsdp are the params of the model, training and transfer.",
    )


@dataclass(frozen=True)
class Plan:
    """Which folds and which models a benchmark has."""

    protocol: str = setting(
        "labels",
        "Use of the cells' labels: labels (all of the training folds), transfer (none), few_shot:N (N of each class), "
        "leave_group_out (folds are groups) or leave_line_out (folds are bulk lines, no cell is used).",
        pattern=r"labels|transfer|leave_group_out|leave_line_out|few_shot:[1-9]\d*",
        forms="labels, transfer, few_shot:N (N labelled cells of each class), leave_group_out or leave_line_out",
    )
    repeats: int = setting(10, "How often the cells are cut into folds.", at_least=1)
    folds: int = setting(10, "Folds of one repeat, stratified by class.", at_least=2)
    models: tuple[str, ...] | None = setting(None, "Models, separated by commas.", otherwise="all")
    heads_sweep: tuple[int, ...] = setting(
        (0, 2, 4, 8, 16, 32), "Numbers of attention heads, separated by commas, for the models that have them."
    )
    samplings: tuple[str, ...] | None = setting(
        None,
        "Resamplings of the bulk lines, separated by commas, for the models with heads.",
        otherwise="the one of --sampling",
    )
    folds_per_task: int | None = setting(
        None,
        "Folds that one task trains, as one stack where the model can.",
        at_least=1,
        otherwise="those of one repeat",
    )


@dataclass(frozen=True)
class Fits:
    """How many networks a fit has, and how many fits make a stack."""

    n_replicas: int = setting(1, "Networks of one fit, for atsdp.", at_least=1)
    max_stack_memory: str = setting(
        "4GB",
        "A stack of folds that would take more memory is cut.",
        pattern=r"\d+(\.\d+)?[ .]?[KMGkmg][iI]?[bB]?",
        forms="an amount such as 4GB or 512MB",
    )


@dataclass(frozen=True)
class Tuning:
    """How a model's settings are sought."""

    validation: Validation = setting(
        DEFAULT.training.validation, "Score on held-out lines as simulated cells (shifted), or as they are (plain)."
    )
    epochs: int | None = setting(None, "Most epochs of a fit.", at_least=1, otherwise="the model's own")


@dataclass(frozen=True)
class MainSetting:
    """Which of its settings stands for a model where models are compared."""

    main_heads: int = setting(
        DEFAULT.network.heads,
        "Heads that stand for a model where models are compared; the next smaller number if not swept.",
        at_least=0,
    )
    main_sampling: str | None = setting(
        None, "Resampling that stands for a model there.", otherwise="the first in the table"
    )
