#!/usr/bin/env python3
"""Run the command ``tune`` (see ``pharmacell/cli/tune.py``)."""

from pharmacell.cli.tune import tune

if __name__ == "__main__":
    tune()
