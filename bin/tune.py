#!/usr/bin/env python3
from pharmacell.cli.tune import tune

if __name__ == "__main__":
    tune()
