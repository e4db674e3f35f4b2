#!/usr/bin/env python3
"""Write a page that shows the cells of a sample; `explorer.py --help` lists the options."""

from pharmacell.cli.explorer import explorer

explorer()
