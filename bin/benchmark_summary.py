#!/usr/bin/env python3
"""Scores, tests, tables and figures of a benchmark; `benchmark_summary.py --help` lists the options."""

from pharmacell.cli.benchmark_summary import benchmark_summary

benchmark_summary()
