#!/usr/bin/env python3
"""Run the command ``predict`` (see ``pharmacell/cli/predict.py``)."""

from pharmacell.cli.predict import predict

if __name__ == "__main__":
    predict()
