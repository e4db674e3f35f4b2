#!/usr/bin/env python3
from pharmacell.cli.key_genes import key_genes

if __name__ == "__main__":
    key_genes()
