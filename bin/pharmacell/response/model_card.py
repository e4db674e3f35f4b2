"""The model card: what a trained model is, how it was made and what its checks found."""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

from pharmacell.core.files import json_values
from pharmacell.core.json_dataclass import NO_OTHER_KEYS, Measured, from_json
from pharmacell.data.response import ResponseReliability
from pharmacell.response.settings import TransferConfig
from pharmacell.training.settings import TrainingConfig

REMEDY = "train the model again with pretrain_bulk and finetune_sc"  # for a card of another version


@dataclass(frozen=True)
class Interval:
    """A number and its 95 % bootstrap interval.

    Attributes
    ----------
    value, low, high
        The number and the ends of the interval.
    """

    value: Measured
    low: Measured
    high: Measured


@dataclass(frozen=True)
class Penalties:
    """Penalties of ridge and logistic regression.

    Attributes
    ----------
    alpha
        Ridge penalty on the squared weights, for standardised genes.
    c
        Inverse penalty of the logistic regression.
    """

    alpha: float = 1e4
    c: float = 1e-3


@dataclass(frozen=True)
class Predictability:
    """Cross-validated AUROC of ridge regression on all bulk lines of a drug.

    Attributes
    ----------
    within
        Over pairs of lines of one database and tissue.
    pooled
        Over all pairs: what tells tissues apart counts too.
    """

    within: Interval
    pooled: Interval


@dataclass(frozen=True)
class Pretraining:
    """What PRETRAIN_BULK did.

    Attributes
    ----------
    seed
        The user's seed.
    n_replicas
        Networks of the stack.
    training
        Settings of the training.
    genes_bulk, genes_shared
        Genes of the bulk file, and those of them that the cells have too.
    lines
        How many bulk lines stand in ``train``, ``validation`` and ``test``.
    predictor_epochs
        Best epoch of the predictor for each replica.
    penalties
        Of the linear members of the ensemble and of the linear baselines.
    source_auroc
        AUROC of model and baselines on the test lines, by name; empty where no line was held out.
    predictability
        How well the drug can be predicted at all; None where it was not measured.
    response_reliability
        How far releases of the bulk data agree on the response; None where it is not known.
    shared
        Whether the networks were trained once on all bulk genes, for all samples; else on the genes of one.
    """

    seed: int
    n_replicas: int
    training: TrainingConfig
    genes_bulk: int
    genes_shared: int
    lines: dict[str, int]
    predictor_epochs: list[int]
    penalties: Penalties
    source_auroc: dict[str, Interval] = field(default_factory=dict)
    predictability: Predictability | None = None
    response_reliability: ResponseReliability | None = None
    shared: bool = False


@dataclass(frozen=True)
class ResembledLine:
    """A bulk line that a cluster of cells looks like.

    Attributes
    ----------
    line, correlation
        The line, and the correlation of its profile with that of the cells.
    next_line, next_correlation
        The line that comes next.
    deviations
        How far the correlation lies above the median over all lines, in robust standard deviations.
    n_cells
        Cells of the cluster.
    """

    line: str
    correlation: float
    next_line: str
    next_correlation: float
    deviations: float
    n_cells: int


@dataclass(frozen=True)
class Adaptation:
    """What FINETUNE_SC did.

    Attributes
    ----------
    transfer
        Settings of the joint stage.
    supervision
        ``none``, ``few_shot:N`` or ``labels``.
    labelled_cells
        Cells whose label was used in training; they are not scored.
    n_cells_trained, n_clusters
        Cells that took part in training, and their clusters.
    mmd_before, mmd_after
        MMD^2 between the latents of lines and cells before and after the joint stage, mean over replicas.
    joint_epochs
        Best epoch of the joint stage for each replica.
    resembles_line
        Lines trained on that clusters of the cells look like; None where it was not looked for or cannot be told.
    """

    transfer: TransferConfig
    supervision: str
    labelled_cells: list[str]
    n_cells_trained: int
    n_clusters: int
    mmd_before: Measured
    mmd_after: Measured
    joint_epochs: list[int]
    resembles_line: list[ResembledLine] | None = None


@dataclass(frozen=True)
class ReliabilityBin:
    """Predictions of similar probability.

    Attributes
    ----------
    predicted, observed
        Mean probability, and share that is sensitive, both classes weighted equally.
    n
        How many they are.
    """

    predicted: float
    observed: float
    n: int


@dataclass(frozen=True)
class ShiftedScores:
    """Scores of the adapted model on held-out bulk lines made into simulated cells.

    Attributes
    ----------
    shifted_auroc
        Of the ensemble, within databases and tissues, mean over folds and severities; whole lines are drawn in the
        bootstrap.
    shifted_auroc_pooled
        The same over all pairs of lines.
    shifted_auroc_members
        Of each member, mean over folds and severities.
    ensemble_weights
        Weight of each member, sum 1.
    reliability
        Bins of the probability.
    calibration_error
        Expected calibration error, classes weighted equally.
    """

    shifted_auroc: Interval
    shifted_auroc_pooled: Measured
    shifted_auroc_members: dict[str, Measured]
    ensemble_weights: dict[str, float]
    reliability: list[ReliabilityBin]
    calibration_error: Measured


@dataclass(frozen=True)
class CellChecks:
    """What the lines say of the cells; no cell label is read.

    Attributes
    ----------
    halves_agreement, halves_p
        Mean correlation of the cells' scores by two halves of the lines that share none (ridge regression), and its p
        under permuted responses.
    share_beyond_range
        Share of the cells further out than 99 % of the cells simulated from bulk lines.
    """

    halves_agreement: Measured
    halves_p: Measured
    share_beyond_range: Measured


@dataclass(frozen=True)
class ModelCard:
    """What is known of a trained model.

    Attributes
    ----------
    pretraining
        What PRETRAIN_BULK did.
    drug, sample
        Their names; empty where a model is trained within a benchmark.
    adaptation
        What FINETUNE_SC did; None before.
    shifted_scores, cell_checks
        What FINETUNE_SC found; None where the network stands alone.
    neighbours
        Similar cells over which PREDICT averaged a cell's score; None before.
    """

    __pydantic_config__: ClassVar = NO_OTHER_KEYS

    pretraining: Pretraining
    drug: str = ""
    sample: str = ""
    adaptation: Adaptation | None = None
    shifted_scores: ShiftedScores | None = None
    cell_checks: CellChecks | None = None
    neighbours: int | None = None

    @property
    def labelled_cells(self) -> list[str]:
        """Cells whose label was used in training."""
        return [] if self.adaptation is None else self.adaptation.labelled_cells

    def to_json(self) -> dict[str, Any]:
        """Return the card as json values; fields of a group stand in an object of the group's name."""
        return json_values(asdict(self))

    @classmethod
    def from_json(cls, content: object, where: str) -> "ModelCard":
        """Read a card that :meth:`to_json` made.

        Parameters
        ----------
        content
            Json values.
        where
            The file that they come from, for the message.

        Raises
        ------
        InputError
            If they are no model card of this version.
        """
        return from_json(cls, content, where, REMEDY)

    def without_cell_names(self) -> "ModelCard":
        """Return the card without the names of labelled cells, which may be many."""
        if self.adaptation is None:
            return self
        return replace(self, adaptation=replace(self.adaptation, labelled_cells=[]))
