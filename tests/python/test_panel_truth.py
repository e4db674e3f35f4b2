"""Measured responses beside those that the panel predicts."""

import numpy as np
import pandas as pd
import pytest

from pharmacell.core.errors import InputError
from pharmacell.drug_panel.groups import Groups
from pharmacell.drug_panel.truth import measured_responses, score

GROUPS = Groups(np.array([0, 0, 1, 2]), ["a", "b", "c"], "told", [])
OBS = pd.DataFrame(
    {
        "response_ln_ic50:tarceva": [1.0, 3.0, np.nan, -1.0],
        "response_ln_ic50:no such drug": [1.0] * 4,
        "response:erlotinib": ["R"] * 4,
    }
)


def test_measured_responses_are_means_of_groups_under_the_panels_names():
    found = measured_responses(OBS, GROUPS, "response", ["Cisplatin", "Erlotinib"])
    assert found.to_dict("records") == [
        {"group": "a", "drug": "Erlotinib", "ln_ic50": 2.0},
        {"group": "c", "drug": "Erlotinib", "ln_ic50": -1.0},
    ]
    assert not len(measured_responses(OBS, GROUPS, None, ["Erlotinib"]))
    with pytest.raises(InputError, match="no number"):
        measured_responses(OBS.astype(object).replace(3.0, "high"), GROUPS, "response", ["Erlotinib"])


def test_pairs_that_clearly_differ_are_scored():
    measured = pd.DataFrame({"group": list("abc"), "drug": "X", "ln_ic50": [0.0, 0.1, 2.0]})
    predicted = pd.DataFrame({"group": list("abc"), "drug": "X", "ln_ic50": [1.0, 3.0, 2.0]})
    assert score(measured, predicted) == {"share_of_pairs_in_order": 0.5, "pairs": 2}
    assert score(measured.head(2), predicted) is None
