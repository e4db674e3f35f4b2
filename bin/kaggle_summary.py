#!/usr/bin/env python3
"""Score and compare perturbation models; `kaggle_summary.py --help` lists the options."""

from pharmacell.cli.kaggle_summary import kaggle_summary

kaggle_summary()
