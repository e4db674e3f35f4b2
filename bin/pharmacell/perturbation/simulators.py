"""How compounds move genes in a simulated table, in standard deviations of a gene in a cell type."""

from collections.abc import Callable, Sequence

import numpy as np

from pharmacell.data.fingerprints import morgan_counts, tanimoto

RANK = 12  # of the compound effect and of the interaction, in ``linear``
POTENCY_SPREAD = 0.8  # standard deviation of ln(strength of a compound)
DEGREES_OF_FREEDOM = 4  # of Student's t, the noise
SHARES = {  # of the variance of a gene in a cell type; in ``sparse``, of the mean over genes
    "linear": {"compound": 0.45, "interaction": 0.15, "noise": 0.4},
    "sparse": {"compound": 0.3, "interaction": 0.15, "noise": 0.55},
}
N_MECHANISMS = 16
MOVED = 0.04  # share of the genes that a mechanism moves
CLIFFS = 0.25  # share of the compounds whose mechanism is not that of their structure
INACTIVE = 0.4  # share of the compounds that do next to nothing
REMNANT = 0.1  # strength of an inactive compound
FACTORS = 5  # that the noise of a row has in common with itself
CORRELATED = 0.5  # share of the noise that comes from them
PRECISION_SPREAD = 0.4  # standard deviation of ln(size of the noise of a row)

Rows = Callable[[str, np.ndarray], np.ndarray]  # cell type, numbers of compounds -> [n_rows, n_genes]


def linear(smiles: Sequence[str], cell_types: Sequence[str], n_genes: int, rng: np.random.Generator) -> Rows:
    """Return a maker of rows in which effects are linear in the structure and move all genes.

    For cell type c, compound d and gene g, with the share s of each part in the variance::

        z = sqrt(s1) k_d (a_d . L_g) + sqrt(s2) k_d (b_d . M_cg) + sqrt(s3) e

    a_d and b_d are random projections of the compound's Morgan counts (so that like molecules act alike), L_g and M_cg
    random loadings of rank 12, k_d the strength of the compound (log-normal) and e Student's t noise of unit variance,
    independent between genes and rows. Every part has unit variance over compounds before its share. This favours
    models of low rank and those that read fingerprints.

    Parameters
    ----------
    smiles
        Of each compound, [n_compounds].
    cell_types
        All that there are.
    n_genes
        How many genes.
    rng
        Of everything random in it.
    """
    counts = np.log1p(morgan_counts(smiles))
    effects = [standardised(counts @ rng.normal(size=(counts.shape[1], RANK))) for _ in range(2)]
    potency = rng.lognormal(0, POTENCY_SPREAD, len(counts))
    potency /= np.sqrt(np.mean(potency**2))
    loadings = rng.normal(size=(RANK, n_genes)) / np.sqrt(RANK)
    of_cell_type = {name: rng.normal(size=(RANK, n_genes)) / np.sqrt(RANK) for name in cell_types}
    shares = SHARES["linear"]

    def rows(cell_type: str, compound: np.ndarray) -> np.ndarray:
        strength = potency[compound, None]
        z = np.sqrt(shares["compound"]) * strength * (effects[0][compound] @ loadings)
        z += np.sqrt(shares["interaction"]) * strength * (effects[1][compound] @ of_cell_type[cell_type])
        return z + np.sqrt(shares["noise"]) * heavy_tailed(z.shape, rng)

    return rows


def sparse(smiles: Sequence[str], cell_types: Sequence[str], n_genes: int, rng: np.random.Generator) -> Rows:
    """Return a maker of rows in which compounds act through mechanisms that move few genes, and noise is correlated.

    For cell type c, compound d of mechanism m and gene g, with the share s of each part in the variance::

        z = sqrt(s1) k_d S_mg + sqrt(s2) k_d T_cmg + sqrt(s3) t_r (sqrt(h) f_r . P_g + sqrt(1 - h) e)

    S_m moves 4 % of the genes, in all cell types alike, and T_cm others in each. A compound has the mechanism of the
    most similar of 16 molecules (Tanimoto of Morgan counts), but a quarter of the compounds have any other one, so that
    molecules look alike and act differently (activity cliffs). Two in five hardly act. Half of the noise of a row is
    five factors, as of a batch or a mixture of cells, and its size t_r differs between rows (log-normal).

    Parameters
    ----------
    smiles
        Of each compound, [n_compounds].
    cell_types
        All that there are.
    n_genes
        How many genes.
    rng
        Of everything random in it.
    """
    counts = morgan_counts(smiles)
    n_compounds = len(counts)
    centres = rng.choice(n_compounds, min(N_MECHANISMS, n_compounds), replace=False)
    mechanism = tanimoto(counts, counts[centres]).argmax(axis=1)
    cliffs = rng.random(n_compounds) < CLIFFS
    mechanism[cliffs] = rng.integers(0, len(centres), cliffs.sum())
    potency = rng.lognormal(0, POTENCY_SPREAD, n_compounds)
    potency[rng.random(n_compounds) < INACTIVE] *= REMNANT
    potency /= np.sqrt(np.mean(potency**2))
    shared = signatures(len(centres), n_genes, rng)
    of_cell_type = {name: signatures(len(centres), n_genes, rng) for name in cell_types}
    factors = rng.normal(size=(FACTORS, n_genes)) / np.sqrt(FACTORS)
    shares = SHARES["sparse"]

    def rows(cell_type: str, compound: np.ndarray) -> np.ndarray:
        acts = mechanism[compound]
        z = np.sqrt(shares["compound"]) * shared[acts] + np.sqrt(shares["interaction"]) * of_cell_type[cell_type][acts]
        z *= potency[compound, None]
        noise = np.sqrt(CORRELATED) * (rng.normal(size=(len(compound), FACTORS)) @ factors)
        noise += np.sqrt(1 - CORRELATED) * heavy_tailed(z.shape, rng)
        # a log-normal of unit mean square, so that the share of the noise holds
        size = rng.lognormal(-(PRECISION_SPREAD**2), PRECISION_SPREAD, len(compound))
        return z + np.sqrt(shares["noise"]) * size[:, None] * noise

    return rows


SIMULATORS = {"linear": linear, "sparse": sparse}


def signatures(n_mechanisms: int, n_genes: int, rng: np.random.Generator) -> np.ndarray:
    """Return what each mechanism does to each gene: mostly nothing; mean square 1, [n_mechanisms, n_genes].

    Parameters
    ----------
    n_mechanisms, n_genes
        How many of each.
    rng
        Draws which genes are moved, and how far.
    """
    moved = rng.random((n_mechanisms, n_genes)) < MOVED
    size = np.where(moved, rng.normal(size=moved.shape), 0.0)
    return size / max(np.sqrt(np.mean(size**2)), 1e-9)


def heavy_tailed(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Return Student's t noise of unit variance.

    Parameters
    ----------
    shape
        Of the result.
    rng
        Draws it.
    """
    return rng.standard_t(DEGREES_OF_FREEDOM, size=shape) / np.sqrt(DEGREES_OF_FREEDOM / 2)


def standardised(values: np.ndarray) -> np.ndarray:
    """Return columns with mean 0 and standard deviation 1, as far as they vary.

    Parameters
    ----------
    values
        [n_rows, n_columns].
    """
    centred = values - values.mean(0)
    return centred / np.maximum(centred.std(0), 1e-9)
