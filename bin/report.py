#!/usr/bin/env python3
"""Gather all samples into one html page; `report.py --help` lists the options."""

from pharmacell.cli.report import report

report()
