#!/usr/bin/env python3
"""Run the command ``prepare_bulk`` (see ``pharmacell/cli/prepare_bulk.py``)."""

from pharmacell.cli.prepare_bulk import prepare_bulk

if __name__ == "__main__":
    prepare_bulk()
