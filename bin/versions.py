#!/usr/bin/env python3
"""Print the versions behind a process; `versions.py --help` lists the options."""

from pharmacell.cli.versions import versions

versions()
