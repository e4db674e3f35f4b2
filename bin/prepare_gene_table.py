#!/usr/bin/env python3
"""Run the command ``prepare_gene_table`` (see ``pharmacell/cli/prepare_gene_table.py``)."""

from pharmacell.cli.prepare_gene_table import prepare_gene_table

if __name__ == "__main__":
    prepare_gene_table()
