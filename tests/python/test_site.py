"""Pages of the site that come from the code."""

import json

import pytest
import site_pages

from pharmacell.response.columns import PREDICTIONS, Diagnostics


def test_every_param_has_a_row():
    schema = json.loads((site_pages.PROJECT / "nextflow_schema.json").read_text())
    names = [name for group in schema["$defs"].values() for name in group["properties"]]
    page = site_pages.parameters_page()
    assert len(names) > 50
    assert [name for name in names if f"| `{name}` |" not in page] == []


def test_every_column_and_key_is_named():
    page = site_pages.columns_page()
    row = next(line for line in page.splitlines() if "predictions/<sample>/predictions.csv" in line)
    assert [name for name in PREDICTIONS if f"`{name}`" not in row] == []
    keys = page.split("## Keys")[1]
    ends = ("_low", "_high")  # named with their value, in a half sentence
    assert [key for key in Diagnostics.__annotations__ if f"`{key}`" not in keys and not key.endswith(ends)] == []


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("see [CONTRIBUTING.md](../CONTRIBUTING.md)", "see CONTRIBUTING.md"),
        ("the [table](../bin/a.csv) of", "the table (`bin/a.csv`) of"),
        ("[Usage](usage.md)", "[Usage](usage.md)"),
    ],
)
def test_links_that_leave_the_site_become_names(link, shown):
    assert site_pages.on_page_markdown(link) == shown
