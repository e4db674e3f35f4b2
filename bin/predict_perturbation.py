#!/usr/bin/env python3
"""Run the command ``predict_perturbation`` (see ``pharmacell/cli/predict_perturbation.py``)."""

from pharmacell.cli.predict_perturbation import predict_perturbation

if __name__ == "__main__":
    predict_perturbation()
