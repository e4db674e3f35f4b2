"""What the other drugs of a panel say about one drug's responses."""

import numpy as np

RANK = 20
ROUNDS = 8
SHARE = 0.5  # of the denoised response in what is learned
FEWEST_DRUGS = 2 * RANK


def denoised_response(panel: np.ndarray | None, response: np.ndarray) -> np.ndarray:
    """Average a drug's response with its low-rank estimate from all drugs of the panel.

    A measured response is noisy; lines that respond alike to many drugs lend each other strength. With the panel ``F``
    (missing entries filled by the last estimate, columns centred, singular values ``s_1 >= s_2 >= ...``), repeated
    (Mazumder, Hastie and Tibshirani 2010, soft-impute with the threshold at ``s_21``)::

        F^ = U max(S - s_21, 0) V' + column means
        r~ = r / 2 + q / 2,    q = the drug's column of F^, scaled to mean and deviation of r

    Parameters
    ----------
    panel
        Responses of the same lines to all drugs, this drug's first; higher is more sensitive, NaN where not measured,
        [n_lines, n_drugs]. None or fewer than 40 drugs: the response is returned as it is.
    response
        This drug's, [n_lines].

    Returns
    -------
    numpy.ndarray
        r~, [n_lines].
    """
    if panel is None or panel.shape[1] < FEWEST_DRUGS or len(panel) < FEWEST_DRUGS:
        return response
    from scipy.linalg import eigh

    missing = np.isnan(panel)
    last = panel.shape[1] - 1
    filled = np.where(missing, np.nan_to_num(np.nanmean(np.where(missing.all(0), 0.0, panel), 0)), panel)
    for _ in range(ROUNDS):
        mean = filled.mean(0)
        # ascending; the largest squares of S, and their part of V: half the time of all
        squares, v = eigh((filled - mean).T @ (filled - mean), subset_by_index=[last - RANK, last])
        values = np.sqrt(np.maximum(squares[::-1], 0))
        kept = v[:, :0:-1]
        shrunk = np.maximum(1 - values[RANK] / np.maximum(values[:RANK], 1e-12), 0)
        estimate = (filled - mean) @ kept * shrunk @ kept.T + mean
        filled = np.where(missing, estimate, panel)
    q = estimate[:, 0]
    q = (q - q.mean()) / max(q.std(), 1e-12) * response.std() + response.mean()
    return (1 - SHARE) * response + SHARE * q
