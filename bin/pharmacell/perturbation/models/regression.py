"""Ridge regression and two kinds of trees, from features of (cell type, compound) to components of the targets."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from pharmacell.core.seeds import integer
from pharmacell.perturbation.models.features import Components, Features, is_seen, make_features
from pharmacell.perturbation.models.inner import inner_folds

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.perturbation.table import PerturbationTable

Regression = Callable[[Features, np.ndarray, int, float], np.ndarray]
ALPHAS = (1.0, 10.0, 100.0, 1000.0, 10000.0)
N_TREES = 200
N_ROUNDS = 100


def ridge(train: "PerturbationTable", keys: "pd.DataFrame", seed: int) -> np.ndarray:
    """Predict by ridge regression; the penalty is the one with the least squared error in inner folds."""
    error = np.zeros(len(ALPHAS))
    for known, held in inner_folds(train, keys):
        part, asked = train.take(known), train.keys.iloc[held]
        components = Components.fit(part.y)
        truth = components.reduce(train.y[held])
        for number, alpha in enumerate(ALPHAS):
            error[number] += ((_predicted(part, asked, components, _ridge, seed, alpha) - truth) ** 2).sum()
    return _fit_predict(train, keys, _ridge, seed, ALPHAS[int(error.argmin())])


def extra_trees(train: "PerturbationTable", keys: "pd.DataFrame", seed: int) -> np.ndarray:
    """Predict by extremely randomised trees (Geurts et al. 2006), one forest for all components."""
    return _fit_predict(train, keys, _extra_trees, seed)


def gradient_boosting(train: "PerturbationTable", keys: "pd.DataFrame", seed: int) -> np.ndarray:
    """Predict by boosted trees (LightGBM; Ke et al. 2017), one model for each component."""
    return _fit_predict(train, keys, _gradient_boosting, seed)


def _fit_predict(
    train: "PerturbationTable", keys: "pd.DataFrame", regression: Regression, seed: int, strength: float = 0.0
) -> np.ndarray:
    """Fit in the space of the components and return targets, float32 [n_asked, n_genes]."""
    components = Components.fit(train.y)
    return components.expand(_predicted(train, keys, components, regression, seed, strength))


def _predicted(
    train: "PerturbationTable",
    keys: "pd.DataFrame",
    components: Components,
    regression: Regression,
    seed: int,
    strength: float,
) -> np.ndarray:
    """Return predicted components; rows with a compound that was never seen get a model without compound effects."""
    reduced, seen = components.reduce(train.y), is_seen(train, keys)
    found = np.empty((len(keys), reduced.shape[1]))
    for rows in (seen, ~seen):
        if rows.any():
            features = make_features(train, keys[rows], reduced, with_effects=bool(seen[rows][0]))
            found[rows] = regression(features, reduced, seed, strength)
    return found


def _ridge(features: Features, reduced: np.ndarray, seed: int, strength: float) -> np.ndarray:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), Ridge(alpha=strength, solver="cholesky"))
    return model.fit(features.known, reduced).predict(features.asked).reshape(len(features.asked), -1)


def _extra_trees(features: Features, reduced: np.ndarray, seed: int, strength: float) -> np.ndarray:
    from sklearn.ensemble import ExtraTreesRegressor

    model = ExtraTreesRegressor(
        N_TREES, min_samples_leaf=2, max_features=0.3, random_state=integer(seed, "extra trees") % 2**31
    )
    return model.fit(features.known, reduced).predict(features.asked).reshape(len(features.asked), -1)


def _gradient_boosting(features: Features, reduced: np.ndarray, seed: int, strength: float) -> np.ndarray:
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
