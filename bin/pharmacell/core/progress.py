"""Progress of long work: a bar on a terminal, plain lines in a log."""

import sys
from collections.abc import Generator, Iterable
from time import monotonic
from typing import TypeVar

SECONDS_BETWEEN_LINES = 10  # of a log

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


def track(items: Iterable[Item], description: str, total: int, unit: str, size: int = 1) -> Generator[Item, None, None]:
    """Yield the items, showing how much is done and about how long the rest will take.

    Parameters
    ----------
    items
        What to go through.
    description
        What is being done, in a few words.
    total
        How many units there are.
    unit
        What is counted, in the plural.
    size
        Units in each item; the last one may hold fewer.

    Notes
    -----
    In a log there is a line when the work begins, and while it goes on one at most every ten seconds.
    """
    from tqdm import tqdm

    if sys.stderr.isatty():
        with tqdm(desc=description, total=total, unit=f" {unit}", leave=False) as bar:
            for item in items:
                yield item
                bar.update(min(size, total - bar.n))
        return
    begin = said = monotonic()
    for number, item in enumerate(items, start=1):
        if number == 1:  # not earlier: the first item may end in an error, which stands alone
            say(f"{description}: {total:,} {unit}" if total > 1 else description)
        yield item
        now, done = monotonic(), number * size
        if now - said >= SECONDS_BETWEEN_LINES and done < total:
            left = duration((now - begin) / done * (total - done))
            say(f"{description}: {done:,} of {total:,} {unit}, about {left} left")
            said = now


def duration(seconds: float) -> str:
    """Return a time as a user reads it, such as ``20 s``, ``3 min`` or ``1.5 h``.

    Parameters
    ----------
    seconds
        The time.
    """
    if seconds < 100:
        return f"{max(seconds, 1):.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"
