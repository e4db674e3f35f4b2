"""The study's own figures."""

from pathlib import Path

import pandas as pd

SLOT = Path(__file__).with_name("published.csv")


def read_published() -> pd.Series:
    """Return the study's figures, by model and metric; the file says where each is printed."""
    return pd.read_csv(SLOT).set_index(["model", "metric"])["value"]
