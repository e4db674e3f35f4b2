"""A second simulator, made from real cells: cells of a bulk line as a real mixture of lines would show them.

It is an examiner: nothing that trains, stops, regularises or calibrates may use it. ``benchmarks/fit_mixture.py``
estimates its parameters, which stand in ``benchmarks/mixture/`` with their source and licence. How it differs from the
simulator that training uses (:mod:`pharmacell.data.shifts`, :mod:`pharmacell.data.simulate`):

- A gene's level comes from the real cells, and the bulk profile only shifts it: ``slope`` times the line's difference
  from the mixture's lines. There, ``exp`` of the bulk profile is the rate, so that genes that an array reads high are
  high in cells; in the real cells the two correlate by 0.2 over genes.
- Each gene of each line is off by a draw of its own (``line_sd``), as microarray and cells of one line are in reality:
  the differences between lines correlate by 0.5 to 0.7 between the two. There, a line's cells are its bulk profile but
  for noise.
- Library sizes are drawn from the real cells, and a dispersion is the gene's own. There, they are log-normal and one
  number.
- Ambient RNA: 2 to 15 % of a cell's counts come from the sample's mean profile.
- Two batches, whose genes are shifted against each other by up to as much as the two real plates.
- A cell-cycle programme: S and G2M scores drawn from real cells move the genes of Tirosh et al. 2016 as they do there.
- No dropout beside the negative binomial's, because the real counts have no other (``mixture_realism.py``).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import sparse

FOLDER = Path(__file__).with_name("mixture")
AMBIENT = (0.02, 0.15)  # share of a cell's counts, drawn once a sample
AMBIENT_SPREAD = 0.3  # standard deviation over cells of its logarithm
BATCHES = 2


@dataclass(frozen=True)
class Mixture:
    """Parameters of the simulator.

    Attributes
    ----------
    genes
        By symbol: ``ln_rate`` (logarithm of the gene's mean share of the counts), ``bulk_mean`` (mean bulk expression
        of the mixture's lines), ``dispersion``, ``s`` and ``g2m`` (change of ``ln_rate`` for a score higher by one).
    cells
        Of each real cell: ``counts`` on these genes, ``s`` and ``g2m`` scores.
    slope
        Change of the logarithm of a rate for a bulk expression higher by one.
    line_sd
        Standard deviation of what bulk expression does not tell about a gene of a line.
    batch_sd
        Standard deviation over genes of the shift between the two plates.
    most
        Largest logarithm of a rate.
    """

    genes: pd.DataFrame
    cells: pd.DataFrame
    slope: float
    line_sd: float
    batch_sd: float
    most: float

    @classmethod
    def read(cls, folder: Path = FOLDER) -> "Mixture":
        """Read what ``fit_mixture.py`` wrote."""
        constants = pd.read_csv(folder / "constants.csv", index_col="name")["value"]
        return cls(pd.read_csv(folder / "genes.csv", index_col="gene"), pd.read_csv(folder / "cells.csv"), **constants)

    def rates(self, bulk: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return each line's share of the counts by gene, [n_lines, n_genes].

        Parameters
        ----------
        bulk
            Bulk expression on the genes of the mixture, standardised within each line, [n_lines, n_genes].
        rng
            Draws what bulk expression does not tell.
        """
        shift = self.slope * (bulk - self.genes["bulk_mean"].to_numpy())
        ln_rate = self.genes["ln_rate"].to_numpy() + shift + rng.normal(0, self.line_sd, bulk.shape)
        rates = np.exp(np.minimum(ln_rate, self.most))
        return rates / rates.sum(1, keepdims=True)

    def counts(
        self, bulk: np.ndarray, n_cells: int, rng: np.random.Generator, depth: float = 1.0, batch: float = 0.0
    ) -> sparse.csr_matrix:
        """Simulate one sample, float32 [n_lines * n_cells, n_genes]; a line's cells stand together.

        Parameters
        ----------
        bulk
            As in :meth:`rates`.
        n_cells
            Of each line; they alternate between the batches.
        rng
            Source of randomness.
        depth
            Library sizes, as a share of the real ones.
        batch
            Standard deviation over genes of the shift between the batches, added to the usual.
        """
        rates = self.rates(bulk, rng)
        ambient = rates.mean(0)
        shape = 1 / self.genes["dispersion"].to_numpy()
        programmes = self.genes[["s", "g2m"]].to_numpy().T  # [2, n_genes]
        strength = np.hypot(rng.uniform() * self.batch_sd, batch) / np.sqrt(BATCHES)
        batches = np.exp(rng.normal(0, strength, (BATCHES, len(shape))))
        level = rng.uniform(*AMBIENT)
        blocks = []
        for rate in rates:
            drawn = self.cells.iloc[rng.integers(len(self.cells), size=n_cells)]
            share = np.minimum(level * rng.lognormal(0, AMBIENT_SPREAD, (n_cells, 1)), 0.5)
            own = rate * np.exp(drawn[["s", "g2m"]].to_numpy() @ programmes)
            own /= own.sum(1, keepdims=True)
            profile = ((1 - share) * own + share * ambient) * batches[np.arange(n_cells) % BATCHES]
            profile *= depth * drawn[["counts"]].to_numpy() / profile.sum(1, keepdims=True)
            blocks.append(sparse.csr_matrix(rng.poisson(rng.gamma(shape, profile / shape)), dtype=np.float32))
        return sparse.vstack(blocks, format="csr")
