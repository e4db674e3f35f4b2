#!/usr/bin/env python3
"""Run the command ``predict_panel`` (see ``pharmacell/cli/predict_panel.py``)."""

from pharmacell.cli.predict_panel import predict_panel

if __name__ == "__main__":
    predict_panel()
