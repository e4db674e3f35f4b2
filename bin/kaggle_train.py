#!/usr/bin/env python3
"""Run the command ``kaggle_train`` (see ``pharmacell/cli/kaggle_train.py``)."""

from pharmacell.cli.kaggle_train import kaggle_train

if __name__ == "__main__":
    kaggle_train()
