#!/usr/bin/env python3
"""Draw a sample's figures; `figures.py --help` lists the options."""

from pharmacell.cli.figures import figures

figures()
