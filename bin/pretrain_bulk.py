#!/usr/bin/env python3
from pharmacell.cli.pretrain_bulk import pretrain_bulk

if __name__ == "__main__":
    pretrain_bulk()
