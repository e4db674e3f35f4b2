"""``python -m pharmacell STEP``: the same as the console command ``pharmacell STEP``."""

from pharmacell.cli.main import pharmacell

pharmacell()
