#!/usr/bin/env python3
from pharmacell.cli.prepare_bulk import prepare_bulk

if __name__ == "__main__":
    prepare_bulk()
