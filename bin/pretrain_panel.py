#!/usr/bin/env python3
"""Run the command ``pretrain_panel`` (see ``pharmacell/cli/pretrain_panel.py``)."""

from pharmacell.cli.pretrain_panel import pretrain_panel

if __name__ == "__main__":
    pretrain_panel()
