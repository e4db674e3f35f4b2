#!/usr/bin/env python3
"""Run the command ``simulate_cells`` (see ``pharmacell/cli/simulate_cells.py``)."""

from pharmacell.cli.simulate_cells import simulate_cells

if __name__ == "__main__":
    simulate_cells()
