#!/usr/bin/env python3
from pharmacell.cli.plan_folds import plan_folds

if __name__ == "__main__":
    plan_folds()
