"""Option types shared by the commands of the benchmark."""

import click


class Names(click.ParamType):
    """Comma-separated names, such as ridge,logistic."""

    name = "names"

    def convert(self, value, param, ctx):
        """Return a list without repeats."""
        names = value if isinstance(value, list) else [part.strip() for part in str(value).split(",")]
        if not all(names):
            self.fail(f"'{value}' is not a comma-separated list of names", param, ctx)
        return list(dict.fromkeys(names))


class Counts(click.ParamType):
    """Comma-separated whole numbers, such as 0,2,4."""

    name = "counts"

    def convert(self, value, param, ctx):
        """Return a list of integers without repeats."""
        if isinstance(value, list):
            return value
        parts = [part.strip() for part in str(value).split(",")]
        if not all(part.isdecimal() for part in parts):
            self.fail(f"'{value}' is not a list of whole numbers such as 0,2,4", param, ctx)
        return list(dict.fromkeys(int(part) for part in parts))


class Slice(click.ParamType):
    """Positions of fits in a plan, such as 0:10; the last one is left out."""

    name = "slice"

    def convert(self, value, param, ctx):
        """Return first and last position."""
        if isinstance(value, tuple):
            return value
        first, colon, last = str(value).partition(":")
        if not (colon and first.isdecimal() and last.isdecimal()):
            self.fail(f"'{value}' is not FIRST:LAST, such as 0:10", param, ctx)
        return int(first), int(last)
