"""Ridge regression and two kinds of trees, from features of (cell type, compound) to components of the targets."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.core.seeds import integer
from pharmacell.linear.fits import LinearFits
from pharmacell.perturbation.features import Components, Features, is_seen, make_features
from pharmacell.perturbation.models.inner import inner_folds

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.perturbation.table import PerturbationTable

Regression = Callable[[Features, np.ndarray, int], np.ndarray]
ALPHAS = (1.0, 10.0, 100.0, 1000.0, 10000.0)
N_TREES = 200
N_ROUNDS = 100


def ridge(train: "PerturbationTable", keys: "pd.DataFrame", seed: int) -> np.ndarray:
    """Predict by ridge regression; the penalty is the one with the least squared error in inner folds.

    Parameters
    ----------
    train
        The training rows.
    keys
        Rows to predict.
    seed
        Not used.
    """
    error = np.zeros(len(ALPHAS))
    for known, held in inner_folds(train, keys):
        part, asked = train.take(known), train.keys.iloc[held]
        components = Components.fit(part.y)
        found = _predicted(part, asked, components.reduce(part.y), partial(_ridge, alphas=ALPHAS), seed)
        error += ((found - components.reduce(train.y[held])[:, None]) ** 2).sum((0, 2))
    components, chosen = Components.fit(train.y), ALPHAS[int(error.argmin())]
    found = _predicted(train, keys, components.reduce(train.y), partial(_ridge, alphas=(chosen,)), seed)
    return components.expand(found[:, 0])


def extra_trees(train: "PerturbationTable", keys: "pd.DataFrame", seed: int) -> np.ndarray:
    """Predict by extremely randomised trees (Geurts et al. 2006), one forest for all components.

    Parameters
    ----------
    train
        The training rows.
    keys
        Rows to predict.
    seed
        Of the trees.
    """
    return _fit_predict(train, keys, _extra_trees, seed)


def gradient_boosting(train: "PerturbationTable", keys: "pd.DataFrame", seed: int) -> np.ndarray:
    """Predict by boosted trees (LightGBM; Ke et al. 2017), one model for each component.

    Parameters
    ----------
    train
        The training rows.
    keys
        Rows to predict.
    seed
        Of the trees.
    """
    return _fit_predict(train, keys, _gradient_boosting, seed)


def _fit_predict(train: "PerturbationTable", keys: "pd.DataFrame", regression: Regression, seed: int) -> np.ndarray:
    """Fit in the space of the components and return targets, float32 [n_asked, n_genes]."""
    components = Components.fit(train.y)
    return components.expand(_predicted(train, keys, components.reduce(train.y), regression, seed))


def _predicted(
    train: "PerturbationTable", keys: "pd.DataFrame", reduced: np.ndarray, regression: Regression, seed: int
) -> np.ndarray:
    """Return predicted components; rows with a compound that was never seen get a model without compound effects."""
    seen, parts = is_seen(train, keys), []
    for rows in (seen, ~seen):
        if rows.any():
            features = make_features(train, keys[rows], reduced, with_effects=bool(seen[rows][0]))
            parts.append((rows, regression(features, reduced, seed)))
    found = np.empty((len(keys), *parts[0][1].shape[1:]))
    for rows, values in parts:
        found[rows] = values
    return found


def _ridge(features: Features, reduced: np.ndarray, seed: int, alphas: Sequence[float]) -> np.ndarray:
    """Return what each penalty predicts, [n_asked, n_alphas, n_components]."""
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features.known)
    fits, asked = LinearFits(scaler.transform(features.known)), scaler.transform(features.asked)
    return np.stack([fits.ridge_predictions(reduced, alpha, asked) for alpha in alphas], axis=1)


def _extra_trees(features: Features, reduced: np.ndarray, seed: int) -> np.ndarray:
    from sklearn.ensemble import ExtraTreesRegressor

    model = ExtraTreesRegressor(
        N_TREES, min_samples_leaf=2, max_features=0.3, random_state=integer(seed, "extra trees") % 2**31
    )
    return model.fit(features.known, reduced).predict(features.asked).reshape(len(features.asked), -1)


def _gradient_boosting(features: Features, reduced: np.ndarray, seed: int) -> np.ndarray:
    import os

    import lightgbm

    settings = {
        "objective": "regression",
        "num_leaves": 8,
        "learning_rate": 0.05,
        "min_data_in_leaf": 5,
        "lambda_l2": 5.0,
        "feature_fraction": 0.3,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "verbosity": -1,
        "deterministic": True,
        "seed": integer(seed, "gradient boosting") % 2**31,
        "num_threads": int(os.environ.get("OMP_NUM_THREADS", 1)),
        "force_row_wise": True,
    }
    columns = []
    for target in reduced.T:
        model = lightgbm.train(settings, lightgbm.Dataset(features.known, np.ascontiguousarray(target)), N_ROUNDS)
        columns.append(model.predict(features.asked))
    return np.stack(columns, axis=1)
