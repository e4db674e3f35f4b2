#!/usr/bin/env python3
from pharmacell.cli.simulate_perturbation import simulate_perturbation

if __name__ == "__main__":
    simulate_perturbation()
