#!/usr/bin/env python3
from pharmacell.cli.kaggle_train import kaggle_train

if __name__ == "__main__":
    kaggle_train()
