"""The scale of values is detected, stated, and never contradicted."""

import numpy as np
import pytest
from scipy import sparse

from pharmacell.core.errors import InputError
from pharmacell.data.scale import look_at, settle_scale

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
def test_only_agreeing_overrides(scale, told):
    if scale == told or (scale, told) == ("counts", "tpm"):
        assert settle_scale(look_at(DATA[scale]), told, "f")[0] == told
    else:
        with pytest.raises(InputError, match=f"--scale {told} contradicts .* look like {scale}"):
            settle_scale(look_at(DATA[scale]), told, "f")


@pytest.mark.parametrize("as_sparse", [False, True])
def test_places_of_bad_values(as_sparse):
    values = np.ones((9000, 3), dtype=np.float32)  # more than one block
    values[8000, 2], values[8500, 1] = -1, np.inf
    values[0, 0] = 0
    seen = look_at(sparse.csr_matrix(values) if as_sparse else values)
    assert seen.negative == (8000, 2)
    assert seen.bad == (8500, 1)
    assert seen.low == -1
