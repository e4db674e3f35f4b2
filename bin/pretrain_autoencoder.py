#!/usr/bin/env python3
"""Run the command ``pretrain_autoencoder`` (see ``pharmacell/cli/pretrain_autoencoder.py``)."""

from pharmacell.cli.pretrain_autoencoder import pretrain_autoencoder

if __name__ == "__main__":
    pretrain_autoencoder()
