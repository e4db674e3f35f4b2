#!/usr/bin/env python3
"""Run the command ``cross_validate`` (see ``pharmacell/cli/cross_validate.py``)."""

from pharmacell.cli.cross_validate import cross_validate

if __name__ == "__main__":
    cross_validate()
