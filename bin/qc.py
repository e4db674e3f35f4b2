#!/usr/bin/env python3
from pharmacell.cli.qc import qc

if __name__ == "__main__":
    qc()
