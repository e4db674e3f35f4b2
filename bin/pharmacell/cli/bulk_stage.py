"""What the commands share whose result depends on the bulk data alone, so that it is kept between runs."""

from collections.abc import Callable
from pathlib import Path

import click

from pharmacell.cli import inputs
from pharmacell.core.kept import MadeFrom, make_or_take, reuse
from pharmacell.core.options import combined, options_of
from pharmacell.data.settings import BulkSource

STORE = "bulk_stage"  # beside the built-in bulk data
WARNING = "reused.warning"  # what differs in a reused result, for the engine to say

bulk_stage_options = combined(
    options_of(BulkSource, "cache_dir"),
    click.option("--code", help="Digest of this command's code; with it the result is kept between runs."),
    click.option("--model", type=inputs.READABLE_FOLDER, help="Folder of a published result to reuse."),
)


def fill_bulk_stage(
    target: Path, source: MadeFrom, cache_dir: Path | None, model: Path | None, make: Callable[[Path], None]
) -> None:
    """Fill a folder with a published result, the kept one of an earlier run, or a new one.

    Parameters
    ----------
    target
        The folder; it is made.
    source
        Everything that the result depends on.
    cache_dir
        Where built-in data and kept results are; None for the usual folder.
    model
        Folder of a published result; None to take a kept one or make one.
    make
        Computes the result and writes it into the folder that it is given.
    """
    from pharmacell.core.files import whole_file
    from pharmacell.core.progress import say
    from pharmacell.data.gdsc import default_cache

    if model is None:
        make_or_take(target, source, (cache_dir or default_cache()) / STORE, make)
        return
    notes = reuse(target, source, model)
    for note in notes:
        say(note)
    if notes:
        with whole_file(target.parent / WARNING) as partial:
            partial.write_text("\n".join(notes) + "\n")
