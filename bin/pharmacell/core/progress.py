"""Progress of long work: a bar on a terminal, plain lines in a log."""

import sys
from collections.abc import Generator, Iterable
from typing import TypeVar

Item = TypeVar("Item")


def say(message: str) -> None:
    """Write one line to standard error, above a running bar if there is one.

    Parameters
    ----------
    message
        The line.
    """
    from tqdm import tqdm

    tqdm.write(message, file=sys.stderr)


def track(items: Iterable[Item], description: str, total: int, unit: str) -> Generator[Item, None, None]:
    """Yield the items, showing how many are done.

    Parameters
    ----------
    items
        What to go through.
    description
        What is being done, in a few words.
    total
        How many items there are.
    unit
        What an item is, in the plural.

    Notes
    -----
    In a log there is a line when the work begins and one for each tenth that is done.
    """
    from tqdm import tqdm

    if sys.stderr.isatty():
        yield from tqdm(items, desc=description, total=total, unit=f" {unit}", leave=False)
        return
    next_tenth = 1
    for done, item in enumerate(items, start=1):
        if done == 1:  # not earlier: the first item may end in an error, which stands alone
            say(f"{description}: {total:,} {unit}" if total > 1 else description)
        yield item
        if total > 1 and done * 10 >= next_tenth * total:
            say(f"{description}: {done:,} of {total:,} {unit} done")
            next_tenth = done * 10 // total + 1
