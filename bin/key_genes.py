#!/usr/bin/env python3
"""Run the command ``key_genes`` (see ``pharmacell/cli/key_genes.py``)."""

from pharmacell.cli.key_genes import key_genes

if __name__ == "__main__":
    key_genes()
