#!/usr/bin/env python3
"""Order a sample's cells along a pseudotime; `trajectory.py --help` lists the options."""

from pharmacell.cli.trajectory import trajectory

trajectory()
