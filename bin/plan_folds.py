#!/usr/bin/env python3
"""Run the command ``plan_folds`` (see ``pharmacell/cli/plan_folds.py``)."""

from pharmacell.cli.plan_folds import plan_folds

if __name__ == "__main__":
    plan_folds()
