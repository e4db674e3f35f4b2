"""The options that say which bulk data set, and what they lead to, shared by the commands that read one."""

from typing import TYPE_CHECKING, Any

from pharmacell.core.options import combined, options_of
from pharmacell.data.settings import BulkSource, Cut, OwnBulk

if TYPE_CHECKING:
    import pandas as pd

    from pharmacell.data.bulk import Bulk

bulk_options = combined(options_of(BulkSource), options_of(OwnBulk), options_of(Cut))


def labelled_bulk(options: dict[str, Any]) -> "tuple[Bulk, pd.DataFrame, pd.DataFrame]":
    """Return the bulk data set, the response of all drugs with its classes, and one row of summary for each drug."""
    from pharmacell.data.bulk import without_lines
    from pharmacell.data.load_bulk import label_bulk, load_bulk

    loaded = load_bulk(
        options["bulk"],
        options["bulk_expression"],
        options["bulk_response"],
        options["response_measure"],
        options["cache_dir"],
    )
    loaded = without_lines(loaded, options["exclude_lines"] or ())
    response, summary = label_bulk(
        loaded, options["binarise"], options["sensitive_quantile"], options["sensitive_threshold"]
    )
    return loaded, response, summary
