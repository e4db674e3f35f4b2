#!/usr/bin/env python3
from pharmacell.cli.finetune_sc import finetune_sc

if __name__ == "__main__":
    finetune_sc()
