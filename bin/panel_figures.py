#!/usr/bin/env python3
"""Draw what the panel found in one sample; `panel_figures.py --help` lists the options."""

from pharmacell.cli.panel_figures import panel_figures

panel_figures()
