"""The plan of a benchmark: one table of folds for all models, and the slices in which they are fitted."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell.benchmark.columns import FIT, PLAN, SLICES, WHOLE_OR_MISSING
from pharmacell.benchmark.protocols import Protocol
from pharmacell.benchmark.settings import MainSetting
from pharmacell.core.errors import InputError
from pharmacell.data.columns import OBS_GROUP, OBS_TRUTH
from pharmacell.data.input_file import check_file, reason
from pharmacell.data.lines import Lines
from pharmacell.data.splits import split_lines


@dataclass(frozen=True)
class Variant:
    """One row of the table of models.

    Attributes
    ----------
    model
        Name.
    heads
        Attention heads; None for models without.
    sampling
        Resampling of labelled cells or bulk lines; ``none`` for models that it does not concern.
    """

    model: str
    heads: int | None
    sampling: str


def variants(models: Sequence[str], heads: Sequence[int], samplings: Sequence[str]) -> list[Variant]:
    """Expand models by heads and samplings, where these concern a model.

    Parameters
    ----------
    models
        Names.
    heads, samplings
        Of the sweeps, for the models that they concern.

    Raises
    ------
    InputError
        If a model is unknown.
    """
    from pharmacell.benchmark.registry import REGISTRY, check_names

    check_names(models)
    found = []
    for name in models:
        if REGISTRY[name].is_swept:
            found += [Variant(name, n, kind) for n in heads for kind in samplings]
        elif REGISTRY[name].reads_main_options:  # as the swept model stands where models are compared
            below = [n for n in heads if n <= MainSetting.main_heads]
            found.append(Variant(name, max(below, default=min(heads)), samplings[0]))
        else:
            found.append(Variant(name, None, "none"))
    return found


def planned_models(asked: Sequence[str] | None, has_linear_members: bool, protocol: Protocol) -> list[str]:
    """Return the models of a benchmark; the ensemble is left out of all of them where it would be the network alone.

    Parameters
    ----------
    asked
        Names; None for all.
    has_linear_members
        Whether the configuration puts linear members beside the network.
    protocol
        Of the evaluation: where a fit learns from enough labelled cells, the network stands alone.

    Raises
    ------
    InputError
        If the ensemble was asked for there.
    """
    from pharmacell.benchmark.registry import model_names
    from pharmacell.response.columns import ENSEMBLE

    exists = has_linear_members and not protocol.gives_enough_labels
    if asked and ENSEMBLE in asked and not exists:
        raise InputError(
            f"--models {ENSEMBLE}: with --config published, --validation plain or --protocol {protocol} the network "
            "stands alone, which is the model atsdp; leave it out, or take --protocol transfer"
        )
    return list(asked) if asked else [name for name in model_names() if exists or name != ENSEMBLE]


def check_sweep(
    config: str,
    preset: str | None,
    options: dict,
    heads: Sequence[int],
    samplings: Sequence[str] | None,
    models: Sequence[str],
) -> list[str]:
    """Check that the network can have these heads, and return the samplings, by default the configuration's own.

    Parameters
    ----------
    config, preset, options
        See :func:`pharmacell.response.settings.configuration`.
    heads, samplings
        Of the sweep.
    models
        Of the benchmark; heads are checked only where a model has them.

    Raises
    ------
    InputError
        If the latent vector cannot be cut into tokens, or a sampling is unknown.
    """
    from pharmacell.benchmark.registry import REGISTRY, check_names
    from pharmacell.response.settings import configuration
    from pharmacell.training.sampling import KINDS

    check_names(models)
    if not any(REGISTRY[name].reads_main_options for name in models):
        return ["none"]
    found = [configuration(config, preset, options | {"heads": number}) for number in heads]
    for kind in samplings or []:
        if kind not in KINDS:
            raise InputError(f"--samplings {kind}: no such sampling; there are {', '.join(KINDS)}")
    return list(samplings or [found[0].training.sampling])


def rows_to_test(cells: pd.DataFrame, lines: Lines, protocol: Protocol) -> pd.DataFrame:
    """Return what a protocol tests, with its true class: the annotated cells, or the bulk lines.

    Parameters
    ----------
    cells
        ``obs`` of the sample.
    lines
        Bulk lines of the drug.
    protocol
        Of the evaluation.
    """
    return lines.labels.rename(OBS_TRUTH).to_frame() if protocol.of_lines else cells


def check_lines(lines: Lines, plan: pd.DataFrame, seed: int) -> None:
    """Check that the drug's lines can be split as training will split them, without a fold of lines if there are any.

    Parameters
    ----------
    lines
        Bulk lines of the drug.
    plan
        Folds of one sample.
    seed
        The user's seed.

    Raises
    ------
    InputError
        If a class has too few lines.
    """
    if not Protocol.parse(plan["protocol"].iloc[0]).of_lines:
        split_lines(lines.labels, seed)
        return
    for _, tested in plan.groupby(["repeat", "fold"])["cell_id"]:
        split_lines(lines.labels.drop(tested), seed)


def make_plan(
    dataset: str, obs: pd.DataFrame, protocol: Protocol, n_repeats: int, n_folds: int, seed: int
) -> pd.DataFrame:
    """Assign every cell, or line, of known class to one test fold in each repeat.

    Parameters
    ----------
    dataset
        Name of the sample.
    obs
        From :func:`rows_to_test`, with the true class and, for leave_group_out, the group.
    protocol
        Of the evaluation.
    n_repeats, n_folds
        How often, and in how many folds.
    seed
        The user's seed.

    Returns
    -------
    pandas.DataFrame
        ``dataset, protocol, repeat, fold, cell_id``, sorted by repeat, fold and position of the cell.

    Raises
    ------
    InputError
        If there are no labels, or a fold could not be trained or scored.
    """
    if OBS_TRUTH not in obs:
        raise InputError(
            f"{dataset}: a benchmark scores cells by their labels, and under --protocol {protocol} the "
            "sample has none; name their column in the sheet (label_key)"
        )
    known = obs[obs[OBS_TRUTH].isin((0, 1))]
    truth = known[OBS_TRUTH].to_numpy(np.int64)
    groups = known[OBS_GROUP].astype(str).to_numpy() if OBS_GROUP in known else None
    protocol.check(truth, groups, n_folds, dataset)
    repeats = []
    for repeat in range(n_repeats):
        folds = protocol.assign(truth, groups, n_folds, repeat, seed)
        table = pd.DataFrame(
            {
                "dataset": dataset,
                "protocol": str(protocol),
                "repeat": repeat,
                "fold": folds,
                "cell_id": known.index.astype(str),
            }
        )
        repeats.append(table.sort_values("fold", kind="stable"))
    return pd.concat(repeats, ignore_index=True)[PLAN]


def fits_of(plan: pd.DataFrame) -> list[tuple[int, int]]:
    """Return repeat and fold of every fit, in order; a slice names positions in this list.

    Parameters
    ----------
    plan
        Folds of one sample, columns ``PLAN``.
    """
    return list(plan[["repeat", "fold"]].drop_duplicates().itertuples(index=False, name=None))


def slices(
    dataset: str, drug: str, chosen: Sequence[Variant], plan: pd.DataFrame, folds_per_task: int | None, gene_set: str
) -> pd.DataFrame:
    """Cut the fits of each variant into slices, one task each.

    Parameters
    ----------
    dataset, drug
        Of the sample.
    chosen
        Rows of the table of models.
    plan
        From :func:`make_plan`.
    folds_per_task
        Fits of one slice; None: those of one repeat.
    gene_set
        Digest of the genes that bulk and cells share.

    Returns
    -------
    pandas.DataFrame
        ``id, dataset, drug, model, heads, sampling, protocol, first, last, gene_set, pretrained``; a slice holds the
        fits from ``first`` up to but without ``last``. Folds of lines have no pretraining that they could share.
    """
    from pharmacell.benchmark.registry import REGISTRY

    n_fits, protocol = len(fits_of(plan)), plan["protocol"].iloc[0]
    size = folds_per_task or int(plan["fold"].nunique())
    rows = []
    for variant in chosen:
        swept = REGISTRY[variant.model].is_swept
        name = f"{dataset}.{variant.model}" + (f".{variant.heads}.{variant.sampling}" if swept else "")
        for first in range(0, n_fits, size):
            last = min(first + size, n_fits)
            rows.append(
                (
                    f"{name}.{first}-{last}",
                    dataset,
                    drug,
                    variant.model,
                    variant.heads,
                    variant.sampling,
                    protocol,
                    first,
                    last,
                    gene_set,
                    int(REGISTRY[variant.model].begins_pretrained and not Protocol.parse(protocol).of_lines),
                )
            )
    return pd.DataFrame(rows, columns=SLICES).astype(WHOLE_OR_MISSING)


def expected_fits(dataset: str, drug: str, chosen: Sequence[Variant], plan: pd.DataFrame) -> pd.DataFrame:
    """Return every fit that the full table consists of: what is missing at the end is missing from this.

    Parameters
    ----------
    dataset, drug
        Of the sample.
    chosen
        Rows of the table of models.
    plan
        Folds of the sample, columns ``PLAN``.
    """
    rows = [
        (dataset, drug, variant.model, variant.heads, variant.sampling, plan["protocol"].iloc[0], *fit)
        for variant in chosen
        for fit in fits_of(plan)
    ]
    return pd.DataFrame(rows, columns=FIT).astype(WHOLE_OR_MISSING)


def digest(genes: Sequence[str]) -> str:
    """Return a short name of a gene set and its order.

    Parameters
    ----------
    genes
        In their order.
    """
    return hashlib.sha256("\n".join(genes).encode()).hexdigest()[:12]


def load_plan(path: Path) -> pd.DataFrame:
    """Read a fold plan.

    Parameters
    ----------
    path
        ``SAMPLE.folds.csv`` of ``plan_folds``.

    Raises
    ------
    InputError
        If the file is missing or is none.
    """
    check_file(path, [".csv"])
    try:
        text = dict.fromkeys(("dataset", "protocol", "cell_id"), str)
        return pd.read_csv(path, dtype=text, keep_default_na=False)[PLAN]
    except (ValueError, KeyError) as error:
        raise InputError(
            f"{path}: not a fold plan with columns {', '.join(PLAN)} ({reason(error)}); "
            "give the one that plan_folds wrote"
        ) from error
