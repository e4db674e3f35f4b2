#!/usr/bin/env python3
from pharmacell.cli.simulate_cells import simulate_cells

if __name__ == "__main__":
    simulate_cells()
