"""The scale of values is detected, stated, and never contradicted."""

import numpy as np
import pytest
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data.scale import look_at, settle_scale, to_natural_log

RNG = np.random.default_rng(0)
COUNTS = RNG.poisson(2, (20, 30)).astype(np.float32)
TPM = (RNG.gamma(1, 200, (20, 30)) + 0.5).astype(np.float32)
DATA = {"counts": COUNTS, "tpm": TPM, "log1p": np.log1p(TPM), "zscore": RNG.normal(size=(20, 30)).astype(np.float32)}


@pytest.mark.parametrize("as_sparse", [False, True])
@pytest.mark.parametrize("scale", DATA)
def test_detected_and_stated(scale, as_sparse):
    matrix = sparse.csr_matrix(DATA[scale]) if as_sparse else DATA[scale]
    found, statement = settle_scale(look_at(matrix), "auto", "f")
    assert found == scale
    assert scale in statement
    assert "detected" in statement


@pytest.mark.parametrize("told", DATA)
@pytest.mark.parametrize("scale", DATA)
def test_what_is_told_wins_unless_it_cannot_be(scale, told):
    values = look_at(DATA[scale])
    if told != "zscore" and (scale == "zscore" or (scale, told) == ("tpm", "log1p")):
        with pytest.raises(InputError, match=f"--scale {told} contradicts .* look like {scale}"):
            settle_scale(values, told, "f")
    else:
        found, statement = settle_scale(values, told, "f")
        assert found == told
        assert "as asked" in statement
        assert (f"look like {scale}" in statement) == (scale != told)


GENES = RNG.gamma(0.6, 3, 400)
DEPTH = RNG.uniform(0.2, 1, (60, 1))
SPARSE = RNG.poisson(GENES * DEPTH).astype(float)  # counts of cells of uneven depth
RATE = SPARSE / SPARSE.sum(1, keepdims=True) * 1e4
SOUP = SPARSE * (1 - RNG.beta(2, 30, SPARSE.shape))  # as SoupX and DecontX leave it
FRACTIONS = {
    "ln of normalised": (np.log1p(RATE), "log1p", "e"),
    "ln, some of the genes": (np.log1p(RATE)[:, :150], "log1p", "e"),
    "log2 of normalised": (np.log2(1 + RATE), "log1p", "2"),
    "log2, some of the genes": (np.log2(1 + RATE)[:, :150], "log1p", "2"),
    "log10 of normalised": (np.log10(1 + RATE), "log1p", "10"),
    "normalised": (RATE, "tpm", None),
    "normalised, some of the genes": (RATE[:, :150], "tpm", None),
    "corrected": (SOUP, "counts", None),
    "corrected, small": (SOUP[:, GENES < 6], "counts", None),
    "scaled by one number": (SPARSE * 0.93, "counts", None),
}


@pytest.mark.parametrize("kind", FRACTIONS)
def test_fractions_are_told_apart(kind):
    values, scale, base = FRACTIONS[kind]
    seen = look_at(sparse.csr_matrix(values.astype(np.float32)))
    found, statement = settle_scale(seen, "auto", "f")
    assert (found, seen.base) == (scale, base), statement
    assert seen.why in statement
    logged, notes = to_natural_log(sparse.csr_matrix(values), seen)
    if base:
        assert bool(notes) == (base != "e")
        np.testing.assert_allclose(logged.toarray(), np.log1p(RATE)[:, : logged.shape[1]], rtol=1e-5)


TISSUE = RNG.lognormal(0, 2, (4, 6000)) * RNG.lognormal(0, 1, 6000) + 0.01
TISSUE *= 1e6 / TISSUE.sum(1, keepdims=True)
LOGS = {"e": np.log1p, "2": lambda x: np.log2(1 + x), "10": lambda x: np.log10(1 + x)}


@pytest.mark.parametrize(("n_rows", "n_genes"), [(4, 6000), (4, 5500), (1, 5500)])
@pytest.mark.parametrize("base", LOGS)
def test_logarithms_of_tissue_are_told_apart(base, n_rows, n_genes):
    """Sums of few rows may be alike by chance when a wrong base is undone, and a part of the genes has no sum."""
    values = TISSUE[:n_rows, :n_genes]
    seen = look_at(LOGS[base](values).astype(np.float32))
    assert (*settle_scale(seen, "auto", "f")[:1], seen.base) == ("log1p", base), seen.why
    logged, _ = to_natural_log(LOGS[base](values), seen)
    np.testing.assert_allclose(logged, np.log1p(values), rtol=1e-5)


@pytest.mark.parametrize("as_sparse", [False, True])
def test_places_of_bad_values(as_sparse):
    values = np.ones((9000, 3), dtype=np.float32)  # more than one block
    values[8000, 2], values[8500, 1] = -1, np.inf
    values[0, 0] = 0
    seen = look_at(sparse.csr_matrix(values) if as_sparse else values)
    assert seen.negative == (8000, 2)
    assert seen.bad == (8500, 1)
    assert seen.low == -1
