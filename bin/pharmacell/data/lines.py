"""Cell lines with a response to one drug, on the genes that they share with the cells."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.bulk import check_database
from pharmacell.data.drugs import match_drug
from pharmacell.data.input_file import check_file, reason
from pharmacell.data.names import text_id
from pharmacell.data.response import ResponseReliability
from pharmacell.data.standardise import Standardiser

if TYPE_CHECKING:
    from anndata import AnnData

FEWEST_SHARED_GENES = 50
SHARE_OF_LINES = 0.5  # that a drug of the panel was given to


@dataclass(frozen=True)
class Lines:
    """Cell lines with expression and response.

    Parameters
    ----------
    x
        Expression as in the bulk file, float32 [n_lines, n_genes].
    genes
        Human symbols, [n_genes].
    labels
        1 sensitive, 0 resistant, indexed by line.
    response
        Minus the standardised response, so that higher means more sensitive; indexed by line.
    origin
        ``database`` and ``tissue`` of each line.
    n_genes_bulk
        Genes that the bulk file has in all.
    panel
        Minus the standardised responses to this drug (first column) and to every other drug that was given to at
        least half of the lines, float32 [n_lines, n_drugs], NaN where not measured; None without other drugs.
    scale
        What the values of ``x`` are.
    reliability
        How far releases agree on the response; None where it is not known.
    """

    x: np.ndarray
    genes: list[str]
    labels: pd.Series
    response: pd.Series
    origin: pd.DataFrame
    n_genes_bulk: int
    panel: np.ndarray | None = None
    scale: str = "log1p"
    reliability: ResponseReliability | None = None

    def take(self, rows: np.ndarray) -> "Lines":
        """Return only these lines; ``rows`` as numpy indexes, bool [n_lines] or positions.

        Parameters
        ----------
        rows
            Bool [n_lines], or positions.
        """
        return replace(
            self,
            x=self.x[rows],
            labels=self.labels.iloc[rows],
            response=self.response.iloc[rows],
            origin=self.origin.iloc[rows],
            panel=None if self.panel is None else self.panel[rows],
        )

    def standardised(self, train: np.ndarray) -> tuple[Standardiser, np.ndarray]:
        """Standardise all lines with the mean and deviation of the lines in ``train`` (bool [n_lines]).

        Parameters
        ----------
        train
            Lines to fit on, bool [n_lines].
        """
        scaler = Standardiser.fit([self.x[train]])
        return scaler, scaler.apply(self.x)


def load_split(path: str | Path) -> pd.Series:
    """Load ``<sample>.split.csv``: the part that each line stands in.

    Parameters
    ----------
    path
        The csv that pretrain_bulk wrote.

    Raises
    ------
    InputError
        If the file is missing or has other columns.
    """
    check_file(Path(path), [".csv"])
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False)  # a line may be called 683000, or NA
        parts = table.set_index("line", verify_integrity=True)["part"]
        if not (parts == "test").any():
            raise ValueError("no line is held out for the test")
        return parts
    except (ValueError, KeyError) as error:
        raise InputError(
            f"{path}: not a split with columns line, part ({reason(error)}); give the one that pretrain_bulk wrote"
        ) from error


def read_bulk(bulk: str | Path, genes: pd.Index | None) -> tuple["AnnData", pd.Index]:
    """Read ``bulk.h5ad`` and find the genes that it shares with cells, in the order of the bulk file.

    Parameters
    ----------
    bulk
        ``bulk.h5ad`` of PREPARE_BULK.
    genes
        Genes of the cells; None takes all of the bulk file.

    Raises
    ------
    InputError
        If the file is missing or damaged, or fewer than 50 genes are shared.
    """
    import anndata as ad

    check_file(Path(bulk), [".h5ad"])
    try:
        lines = ad.read_h5ad(bulk)
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{bulk}: not a bulk data set ({reason(error)}); run prepare_bulk again") from error
    check_database(lines.uns.get("pharmacell", {}), bulk)
    if genes is None:
        return lines, lines.var_names
    check_shared(lines.var_names, genes, bulk)
    return lines, lines.var_names[lines.var_names.isin(genes)]  # the same for every sample with these genes


def check_shared(of_bulk: pd.Index, of_cells: pd.Index, bulk: str | Path) -> None:
    """Check that bulk lines and cells share enough genes.

    Parameters
    ----------
    of_bulk, of_cells
        Their genes.
    bulk
        The bulk file, for the message.

    Raises
    ------
    InputError
        If it is fewer than 50.
    """
    n_shared = int(of_bulk.isin(of_cells).sum())
    if n_shared < FEWEST_SHARED_GENES:
        raise InputError(
            f"{bulk}: {n_shared} genes are shared with the cells, at least {FEWEST_SHARED_GENES} are needed; "
            f"the bulk file has {len(of_bulk)} genes such as {', '.join(of_bulk[:3])}, "
            f"the cells have {len(of_cells)} such as {', '.join(of_cells[:3])}"
        )


def load_lines(bulk: str | Path, response: str | Path, drug: str, genes: pd.Index | None) -> Lines:
    """Load the lines that have both expression and a response to the drug.

    Parameters
    ----------
    bulk, response
        ``bulk.h5ad`` and ``response.parquet`` of PREPARE_BULK.
    drug
        Name of the drug, see :func:`pharmacell.data.drugs.find_drugs`.
    genes
        Genes of the cells; None takes all of the bulk file.

    Raises
    ------
    InputError
        If a file is missing or damaged, fewer than 50 genes are shared, the drug is not in the response table, or none
        of its lines is in the bulk file.
    """
    check_file(Path(response), [".parquet"])
    try:
        table = pd.read_parquet(response)
        optional = ["study", "reliability", "reliability_lines"]
        table = table[["drug", "line", "z", "label", *table.columns.intersection(optional)]]
    except (OSError, ValueError, KeyError) as error:
        raise InputError(f"{response}: not a response table ({reason(error)}); run prepare_bulk again") from error
    table["line"] = table["line"].map({line: text_id(line) for line in table["line"].unique()})
    lines, shared = read_bulk(bulk, genes)
    name = match_drug(drug, table["drug"].unique(), str(response))
    everything, table = table, table[(table["drug"] == name) & (table["label"] >= 0)].set_index("line")
    names = lines.obs_names[lines.obs_names.isin(table.index)]
    if names.empty:
        raise InputError(
            f"{response}: no line with a response to {name} is in {bulk}; give the two files that one run of "
            "prepare_bulk wrote"
        )
    table = table.loc[names]
    origin = lines.obs.loc[names, ["database", "tissue"]].astype(str)
    if "study" in table:  # of this drug; lines are compared within the studies that measured them
        origin["database"] = table["study"].to_numpy(str)
    return Lines(
        x=np.asarray(lines[names, shared].X, np.float32),
        genes=list(shared),
        labels=table["label"].astype(int),
        response=-table["z"].astype(float),
        origin=origin,
        n_genes_bulk=lines.n_vars,
        panel=panel_of(everything, name, names),
        scale=str(lines.uns.get("pharmacell", {}).get("scale", "")),
        reliability=reliability_of(table),
    )


def reliability_of(table: pd.DataFrame) -> ResponseReliability | None:
    """Return how far releases agree on one drug, or None where it is not known.

    Parameters
    ----------
    table
        Rows of the drug.
    """
    if "reliability" not in table or np.isnan(table["reliability"].iloc[0]):
        return None
    return ResponseReliability(float(table["reliability"].iloc[0]), int(table["reliability_lines"].iloc[0]))


def panel_of(table: pd.DataFrame, drug: str, lines: pd.Index) -> np.ndarray | None:
    """Return the responses of the lines to all drugs of the table; see :class:`Lines`.

    Parameters
    ----------
    table
        All drugs: ``drug, line, z``.
    drug
        The drug that comes first.
    lines
        Rows of the result.
    """
    wide = -table[table["line"].isin(lines)].pivot(index="line", columns="drug", values="z").reindex(lines)
    others = wide.columns[(wide.notna().mean() >= SHARE_OF_LINES) & (wide.columns != drug)]
    return wide[[drug, *others]].to_numpy(np.float32) if len(others) else None
