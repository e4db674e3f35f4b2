#!/usr/bin/env python3
"""Run the command ``simulate_perturbation`` (see ``pharmacell/cli/simulate_perturbation.py``)."""

from pharmacell.cli.simulate_perturbation import simulate_perturbation

if __name__ == "__main__":
    simulate_perturbation()
