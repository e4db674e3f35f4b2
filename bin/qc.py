#!/usr/bin/env python3
"""Run the command ``qc`` (see ``pharmacell/cli/qc.py``)."""

from pharmacell.cli.qc import qc

if __name__ == "__main__":
    qc()
