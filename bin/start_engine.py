#!/usr/bin/env python3
"""Start Nextflow; `make setup` writes .venv/bin/nextflow, which calls this."""

import sys

from pharmacell.core.engine import main

main(sys.argv[1:])
