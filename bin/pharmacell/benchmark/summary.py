"""Everything that a benchmark says, made from what its fits left behind."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pharmacell.benchmark.columns import FIT, FITS, MEAN_COSTS, SETTING
from pharmacell.benchmark.fit_files import FoldPlan, read_expected, read_fits, read_slices
from pharmacell.benchmark.main_settings import HEADS, main_settings
from pharmacell.benchmark.mean_scores import mean_scores
from pharmacell.benchmark.paper_tables import paper_tables, write_table
from pharmacell.benchmark.published import SLOT, read_published
from pharmacell.benchmark.scores import SliceScorer, long_scores, undefined, write_scored
from pharmacell.benchmark.statistics import compare_with_reference, ranking_tables, rankings
from pharmacell.core.errors import InputError
from pharmacell.core.files import whole_file

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from pharmacell.evaluate.rank_tests import Ranking


@dataclass(frozen=True)
class Choices:
    """What stands for the models where they are compared, and which datasets are simulated.

    Attributes
    ----------
    heads, sampling
        As in :func:`pharmacell.benchmark.main_settings.main_settings`.
    simulated
        Datasets whose cells were simulated.
    published
        The paper's numbers (see :func:`pharmacell.benchmark.published.read_published`).
    """

    heads: int = HEADS
    sampling: str | None = None
    simulated: tuple[str, ...] = ()
    published: str | Path = SLOT

    def label(self, dataset: str) -> str:
        """Return a dataset's name as every title shows it.

        Parameters
        ----------
        dataset
            Its name.
        """
        return f"{dataset} (simulated cells)" if dataset in self.simulated else dataset


@dataclass(frozen=True)
class Summary:
    """What :func:`summarise` found; each table has the columns of the function that makes it.

    Attributes
    ----------
    expected
        The fits of the table, columns ``FIT``.
    main
        The setting that stands for each model, columns ``SETTING``.
    wide
        Scores of every fold.
    scores
        The same as long table, with time and memory of each fit.
    means
        Mean scores of every setting.
    missing, undefined
        Fits without a score, and scores that do not exist.
    fits
        Time and memory of every fit, columns ``FITS``.
    statistics
        Tests against the reference.
    rankings
        ``(protocol, metric)`` to mean ranks over datasets.
    curves
        Setting as text to the curves of its folds.
    tables
        Tables 1, 3 and 4.
    choices
        What was chosen before.
    """

    expected: "pd.DataFrame"
    main: "pd.DataFrame"
    wide: "pd.DataFrame"
    scores: "pd.DataFrame"
    means: "pd.DataFrame"
    missing: "pd.DataFrame"
    undefined: "pd.DataFrame"
    fits: "pd.DataFrame"
    statistics: "pd.DataFrame"
    rankings: "dict[tuple[str, str], Ranking]"
    curves: "dict[tuple[str, ...], list[tuple[np.ndarray, np.ndarray]]]"
    tables: "dict[str, pd.DataFrame]"
    choices: Choices


def summarise(
    expected: str | Path, plans: list[Path], predictions: list[Path], fits: list[Path], outdir: Path, choices: Choices
) -> Summary:
    """Score all fits, compare the models and name what is missing; writes ``predictions.parquet`` on the way.

    Parameters
    ----------
    expected
        All fits of the table (csv).
    plans
        Fold plans (csv).
    predictions
        Predictions of the slices (parquet).
    fits
        Time and memory of the slices (csv).
    outdir
        Where the joined predictions go.
    choices
        What stands for the models where they are compared.

    Raises
    ------
    InputError
        If a file cannot be used, or no fit of the table has predictions.
    """
    wanted, plan, published = read_expected(expected), FoldPlan(plans), read_published(choices.published)
    plan.check(wanted)
    if not predictions:
        raise InputError(f"{expected}: none of its {len(wanted)} fits has predictions; look why every fit failed")
    main = main_settings(wanted, choices.heads, choices.sampling)
    scorer = SliceScorer(plan, main)
    write_scored(read_slices(sorted(predictions), plan), scorer, outdir / "predictions.parquet")
    wide = scorer.wide()
    if len(strange := wide[FIT].merge(wanted, on=FIT, how="left", indicator=True).query("_merge == 'left_only'")):
        row = strange.iloc[0]
        raise InputError(
            f"{expected}: lacks {row['model']} on {row['dataset']} (repeat {row['repeat']}, fold "
            f"{row['fold']}), which has predictions; give the table of this benchmark"
        )
    costs = read_fits(sorted(fits)).sort_values(FIT, ignore_index=True)
    sized = plan.with_ratios(wanted, costs)
    means = mean_scores(wide, sized)
    ranked = rankings(means, main)
    return Summary(
        expected=wanted,
        main=main,
        wide=wide,
        scores=long_scores(wide, costs, wanted),
        means=means,
        missing=scorer.missing(wanted),
        undefined=undefined(wide),
        fits=costs,
        statistics=compare_with_reference(wide, sized, main),
        rankings=ranked,
        curves=scorer.curves,
        tables=paper_tables(means, main, ranking_tables(ranked)[1], published),
        choices=choices,
    )


def costs_of(fits: "pd.DataFrame") -> "pd.DataFrame":
    """Return time and memory of each setting: ``n_fits``, mean ``seconds``, ``total_seconds``, highest ``peak_gib``.

    Parameters
    ----------
    fits
        Time and memory of every fit, columns ``FITS``.
    """
    grouped = fits.groupby(SETTING, dropna=False, sort=False)
    costs = grouped.agg(
        n_fits=("fold", "size"),
        seconds=("seconds", "mean"),
        total_seconds=("seconds", "sum"),
        peak_gib=("peak_bytes", lambda column: column.max() / 2**30),
    )
    return costs.reset_index()[MEAN_COSTS]


def write_summary(summary: Summary, outdir: Path) -> None:
    """Write every table of a summary as csv, and the paper's also as LaTeX.

    Parameters
    ----------
    summary
        What was found.
    outdir
        Where the files go.
    """
    tests, ranks = ranking_tables(summary.rankings)
    plain = {
        "scores": summary.scores,
        "summary": summary.means,
        "missing": summary.missing,
        "undefined": summary.undefined,
        "fits": summary.fits[FITS],
        "costs": costs_of(summary.fits),
        "statistics": summary.statistics,
        "friedman": tests,
        "ranks": ranks,
    }
    for name, table in plain.items():
        with whole_file(outdir / f"{name}.csv") as partial:
            table.to_csv(partial, index=False)
    for name, table in summary.tables.items():
        write_table(table, outdir, name)
