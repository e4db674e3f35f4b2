"""Which of a model's settings stands for it where models are compared."""

from typing import TYPE_CHECKING

from pharmacell.benchmark.columns import COMPARED, SETTING
from pharmacell.benchmark.settings import MainSetting

if TYPE_CHECKING:
    import pandas as pd

REFERENCE = "atsdp"  # every other model is tested against it
HEADS = MainSetting.main_heads  # what the main job trains by default


def main_settings(expected: "pd.DataFrame", heads: int = HEADS, sampling: str | None = None) -> "pd.DataFrame":
    """Choose one number of heads and one sampling for each model, before any score is known.

    To take the best of a sweep would choose on the test folds and flatter the models that are swept.

    Parameters
    ----------
    expected
        The fits of the table.
    heads
        The number wanted; where the sweep lacks it, the next smaller one, else the smallest.
    sampling
        The resampling wanted; where a model lacks it, or when it is None, the first in the table.

    Returns
    -------
    DataFrame
        Columns ``SETTING``, one row for each model on each dataset and protocol, in the order of the table.
    """
    settings = expected[SETTING].drop_duplicates()
    below = heads - settings["heads"].astype(float).fillna(heads)  # a model without heads is as wanted
    settings = settings.assign(
        order=range(len(settings)), far=below.where(below >= 0, 1e6 - below), other=settings["sampling"].ne(sampling)
    )
    chosen = settings.sort_values(["far", "other", "order"]).drop_duplicates([*COMPARED, "model"])
    return chosen.sort_values("order")[SETTING].reset_index(drop=True)
