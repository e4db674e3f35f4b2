#!/usr/bin/env python3
from pharmacell.cli.pretrain_autoencoder import pretrain_autoencoder

if __name__ == "__main__":
    pretrain_autoencoder()
