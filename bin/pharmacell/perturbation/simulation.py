"""A table like that of the NeurIPS 2023 task, with values made up from real or invented keys and moments."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.core.seeds import generator
from pharmacell.data.input_file import reason
from pharmacell.data.molecules import canonical_smiles, unparsable
from pharmacell.perturbation.formats import REQUIRED
from pharmacell.perturbation.simulators import SIMULATORS
from pharmacell.perturbation.table import ID_MAP_COLUMNS, clean_keys, read_keys
from pharmacell.perturbation.table_checks import check_keys
from pharmacell.perturbation.target_spaces import z_score
from pharmacell.perturbation.text_files import read_text
from pharmacell.perturbation.treated_cells import FOLD_CHANGE

STANDARD_ERROR = 0.2  # of a log2 fold change, the median
GENE_SPREAD, SPREAD = 0.5, 0.3  # of its logarithm between genes; between cell types, and between rows of one
LIMIT = 40.0  # standard deviations; beyond them a heavy tail is only a hazard to float32


@dataclass(frozen=True)
class Source:
    """What a simulated table is made from.

    Parameters
    ----------
    train
        Keys of the training rows (``cell_type, sm_name, sm_lincs_id, SMILES, control``).
    test
        ``id, cell_type, sm_name``.
    mean, std
        Moments of each cell type and gene; the genes are the columns, in their order.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    mean: pd.DataFrame
    std: pd.DataFrame


def read_source(train_keys: Path, id_map: Path, mean: Path, std: Path) -> Source:
    """Read and check what a table is to be made from.

    Parameters
    ----------
    train_keys
        Table (csv) of the training keys.
    id_map
        Table (csv) of the test keys.
    mean
        Mean of each cell type and gene (csv).
    std
        Standard deviation of each cell type and gene (csv).

    Raises
    ------
    InputError
        If a file lacks something that another needs.
    """
    train = clean_keys(train_keys, read_text(train_keys, REQUIRED))
    if bad := unparsable(train["SMILES"]):
        raise InputError(f"{train_keys}: rdkit cannot parse the SMILES '{bad[0]}'; correct it")
    check_keys(train_keys, train.assign(SMILES=train["SMILES"].map(canonical_smiles)))
    test = read_keys(id_map, ID_MAP_COLUMNS)[list(ID_MAP_COLUMNS)]
    moments = [read_moments(path) for path in (mean, std)]
    if list(moments[0].columns) != list(moments[1].columns):
        raise InputError(f"{std}: its genes are not those of {mean} in the same order; give moments of one table")
    for path, keys in ((train_keys, train), (id_map, test)):
        unknown = set(keys["cell_type"]) - set(moments[0].index) | set(keys["cell_type"]) - set(moments[1].index)
        if unknown:
            raise InputError(f"{path}: no moments of the cell type {min(unknown)}; add them to {mean} and {std}")
    if unknown := set(test["sm_name"]) - set(train["sm_name"]):
        raise InputError(f"{id_map}: the compound {min(unknown)} is not among the training keys, which have the SMILES")
    return Source(train, test, *moments)


def read_moments(path: Path) -> pd.DataFrame:
    """Read one row a cell type, one column a gene; float32.

    Parameters
    ----------
    path
        Of the file.
    """
    frame = read_text(path, ("cell_type",)).set_index("cell_type")
    try:
        frame = frame.astype(np.float32)
    except ValueError as error:
        raise InputError(
            f"{path}: not a table of one row a cell type ({reason(error)}); it needs a column cell_type and numbers"
        ) from error
    if not np.isfinite(frame.to_numpy()).all() or frame.index.duplicated().any():
        raise InputError(f"{path}: a value is missing or a cell type stands there twice; correct it")
    return frame


def reduce(source: Source, n_genes: int | None, n_compounds: int | None, seed: int) -> Source:
    """Keep some genes (spread over all, in their order) and some compounds: first those of the rarest cell types.

    Parameters
    ----------
    source
        Keys, genes and moments of the real table.
    n_genes
        How many to keep; None: all.
    n_compounds
        How many to keep; None: all.
    seed
        Seed of everything random in it.
    """
    train, test, mean, std = source.train, source.test, source.mean, source.std
    if n_genes and n_genes < mean.shape[1]:
        columns = np.linspace(0, mean.shape[1] - 1, n_genes).round().astype(int)
        mean, std = mean.iloc[:, columns], std.iloc[:, columns]
    if n_compounds and n_compounds < train["sm_name"].nunique():
        common = train["sm_name"].value_counts()
        drawn = generator(seed, "simulated compounds").permutation(len(common))
        kept = common.iloc[drawn].sort_values(ascending=False, kind="stable").index[:n_compounds]
        train, test = (keys[keys["sm_name"].isin(kept)].reset_index(drop=True) for keys in (train, test))
        test = test.assign(id=[str(number) for number in range(len(test))])
    return Source(train, test, mean, std)


def simulate(source: Source, simulator: str, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Make up the values of the training and of the test rows.

    Each is the mean of the cell type and gene plus their standard deviation times what the simulator makes, so cell
    types keep their moments.

    Parameters
    ----------
    source
        Keys, genes and moments of the real table.
    simulator
        One of :data:`pharmacell.perturbation.simulators.SIMULATORS`.
    seed
        Seed of everything random in it.

    Returns
    -------
    train, test
        float32, [n_rows, n_genes] each.
    """
    compounds = source.train.drop_duplicates("sm_name")[["sm_name", "SMILES"]]
    place = pd.Series(range(len(compounds)), compounds["sm_name"])
    n_genes = source.mean.shape[1]
    make = SIMULATORS[simulator](
        compounds["SMILES"].tolist(), source.mean.index.tolist(), n_genes, generator(seed, "simulated perturbation")
    )

    def rows(keys: pd.DataFrame) -> np.ndarray:
        y = np.empty((len(keys), n_genes), np.float32)
        for cell_type, group in keys.groupby("cell_type").indices.items():
            z = make(str(cell_type), place[keys["sm_name"].iloc[group]].to_numpy())
            mean, std = (moment.loc[cell_type].to_numpy() for moment in (source.mean, source.std))
            y[group] = mean + std * z.clip(-LIMIT, LIMIT)
        return y

    return rows(source.train), rows(source.test)


@dataclass(frozen=True)
class SecondLayer:
    """A simulated layer beside the signed p-values.

    Parameters
    ----------
    name
        Of the layer.
    train, test
        float32, [n_rows, n_genes] each.
    """

    name: str
    train: np.ndarray
    test: np.ndarray


def fold_changes(name: str, source: Source, train: np.ndarray, test: np.ndarray, seed: int) -> SecondLayer:
    """Make up log2 fold changes that have exactly the signed p-values of a simulated table.

    With the z-score z of a p-value and the standard error s of a gene g in row r of cell type c::

        log2 fold change = z s,   s = 0.2 exp(0.5 a_g + 0.3 b_c + 0.3 d_r),   a, b, d standard normal

    so effect and noise of the p-value stand in both layers. A gene that is measured badly has large fold changes and
    small p-values; that it is so is all that the second layer tells beside the first.

    Parameters
    ----------
    name
        Of the layer.
    source
        Keys, genes and moments of the real table.
    train, test
        Signed -log10 p, as :func:`simulate` makes them.
    seed
        Seed of everything random in it.

    Raises
    ------
    InputError
        If the name is not one of fold changes.
    """
    if not FOLD_CHANGE.fullmatch(name):
        raise InputError(f"--second_layer {name}: only log2 fold changes can be simulated; name the layer logFC")
    rng = generator(seed, "simulated fold changes")
    cell_types = source.mean.index
    of_gene = rng.normal(size=source.mean.shape[1])
    of_cell_type = pd.Series(rng.normal(size=len(cell_types)), cell_types)

    def rows(keys: pd.DataFrame, y: np.ndarray) -> np.ndarray:
        of_row = SPREAD * (of_cell_type[keys["cell_type"]].to_numpy() + rng.normal(size=len(keys)))
        error = STANDARD_ERROR * np.exp(GENE_SPREAD * of_gene + of_row[:, None])
        return (z_score(y) * error).astype(np.float32)

    return SecondLayer(name, rows(source.train, train), rows(source.test, test))
