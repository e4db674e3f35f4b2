#!/usr/bin/env python3
from pharmacell.cli.prepare_gene_table import prepare_gene_table

if __name__ == "__main__":
    prepare_gene_table()
