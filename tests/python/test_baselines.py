"""The linear baselines: signature, ridge, logistic regression and their link to a probability."""

import numpy as np
import pytest
from sklearn.cross_decomposition import PLSRegression
from sklearn.linear_model import LogisticRegression, Ridge
from synthetic_cells import make_lines

from pharmacell.linear.calibration import balanced_platt
from pharmacell.linear.fits import LinearFits
from pharmacell.response.baselines import baseline_weights, with_links
from pharmacell.response.model_card import Penalties


@pytest.fixture
def fitted():
    lines = make_lines(200)
    labels = lines.labels.to_numpy()
    train, held = slice(0, 150), slice(150, 200)
    weights = baseline_weights(lines.x[train], lines.response.to_numpy()[train], labels[train], Penalties())
    return with_links(weights, weights @ lines.x[held].T, labels[held]), lines.x[held], labels[held]


def test_signature_is_the_first_direction_of_partial_least_squares():
    rng = np.random.default_rng(0)
    x, response = rng.normal(size=(40, 12)) * rng.uniform(0.1, 9, 12), rng.normal(size=40)
    weights = LinearFits(x).signature(response[:, None])[0]
    reference = PLSRegression(n_components=1, scale=True).fit(x, response)
    direction = reference.x_weights_[:, 0] * np.sign(reference.y_loadings_[0, 0])  # its sign is free; ours points up
    np.testing.assert_allclose(weights, direction, atol=1e-6)
    correlation = np.array([np.corrcoef(column, response)[0, 1] for column in x.T])
    np.testing.assert_allclose(weights, correlation / np.linalg.norm(correlation), atol=1e-6)


def test_signature_of_a_constant_gene_or_response_is_zero():
    x = np.random.default_rng(0).normal(size=(10, 3))
    x[:, 1] = 2
    fits = LinearFits(x)
    assert fits.signature(x[:, :1])[0, 1] == 0
    assert (fits.signature(np.ones((10, 1))) == 0).all()


def test_probability_rises_with_the_score_and_points_to_sensitive(fitted):
    baselines, x, labels = fitted
    scores = baselines.scores(x)
    probability = baselines.link(scores.T).T
    assert probability.shape == (50, 3)
    assert ((probability > 0) & (probability < 1)).all()
    for baseline in range(3):
        assert (np.diff(probability[np.argsort(scores[:, baseline]), baseline]) >= 0).all()
        assert probability[labels == 1, baseline].mean() > probability[labels == 0, baseline].mean()


def test_link_never_turns_a_score_round():
    scores, labels = np.linspace(-1, 1, 20), (np.arange(20) < 10).astype(int)
    slope, intercept = balanced_platt(scores, labels)
    assert slope == 0
    assert np.isfinite(intercept)
    assert balanced_platt(-scores, labels)[0] > 0


def test_link_is_even_where_the_classes_are_equally_likely_whatever_their_shares():
    rng = np.random.default_rng(0)
    labels = (np.arange(4000) < 400).astype(int)
    slope, intercept = balanced_platt(rng.normal(2.0 * labels, 1), labels)
    assert -intercept / slope == pytest.approx(1.0, abs=0.15)  # halfway between the two means


def test_link_of_a_constant_score_is_finite():
    assert np.isfinite(balanced_platt(np.zeros(6), np.array([0, 1, 0, 1, 0, 1]))).all()


def test_fits_in_the_eigenbasis_equal_those_of_scikit_learn():
    lines = make_lines(50)  # fewer lines than genes, as always
    x, response, labels = lines.x, lines.response.to_numpy(), lines.labels.to_numpy()
    fits = LinearFits(x)
    for alpha in (10.0, 1e3):
        np.testing.assert_allclose(
            fits.ridge(response[:, None], alpha)[0], Ridge(alpha=alpha).fit(x, response).coef_, rtol=1e-3, atol=1e-6
        )
        predicted = fits.ridge_predictions(response[:, None], alpha, x[:7] + 1)[:, 0]
        np.testing.assert_allclose(predicted, Ridge(alpha=alpha).fit(x, response).predict(x[:7] + 1), rtol=1e-3)
    reference = LogisticRegression(C=1e-2, class_weight="balanced", tol=1e-8, max_iter=5000).fit(x, labels).coef_[0]
    assert np.corrcoef(fits.logistic(labels[:, None], 1e-2)[0], reference)[0, 1] > 0.999


def test_many_responses_at_once_equal_one_after_another():
    lines = make_lines(50)
    responses = np.stack([lines.response.to_numpy(), -lines.response.to_numpy()[::-1]], 1)
    fits = LinearFits(lines.x)
    for method in (fits.signature, lambda r: fits.ridge(r, 100.0)):
        together = method(responses)
        for column in range(2):
            np.testing.assert_allclose(together[column], method(responses[:, column : column + 1])[0], rtol=1e-4)
