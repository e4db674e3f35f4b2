#!/usr/bin/env python3
"""Run the command ``pretrain_bulk`` (see ``pharmacell/cli/pretrain_bulk.py``)."""

from pharmacell.cli.pretrain_bulk import pretrain_bulk

if __name__ == "__main__":
    pretrain_bulk()
