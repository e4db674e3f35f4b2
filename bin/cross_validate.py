#!/usr/bin/env python3
from pharmacell.cli.cross_validate import cross_validate

if __name__ == "__main__":
    cross_validate()
