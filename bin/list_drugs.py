#!/usr/bin/env python3
"""Run the command ``list_drugs`` (see ``pharmacell/cli/list_drugs.py``)."""

from pharmacell.cli.list_drugs import list_drugs

if __name__ == "__main__":
    list_drugs()
