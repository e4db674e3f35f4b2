#!/usr/bin/env python3
"""Run the command ``finetune_sc`` (see ``pharmacell/cli/finetune_sc.py``)."""

from pharmacell.cli.finetune_sc import finetune_sc

if __name__ == "__main__":
    finetune_sc()
