"""The two walks of docs/development.md lead past files and functions that exist."""

import ast
import json
import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
TEXT = (PROJECT / "docs/development.md").read_text()
CHAPTER = re.search(r"^## Two walks through the code\n(.*?)^## ", TEXT, re.M | re.S).group(1)
STOPS = re.findall(r"^(\d)\. `([^`]+)`, `([^`]+)`: .+$", CHAPTER, re.M)


def names_in(path: Path) -> set[str]:
    """Return the functions, classes and methods that a Python file defines, and what it imports by name."""
    found = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{part.name}" for part in node.body if isinstance(part, ast.FunctionDef)}
        if isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names}
    return found


def has(path: Path, name: str) -> bool:
    """Tell whether a file defines a name (a thin script in ``bin/``: imports it)."""
    text = path.read_text()
    if path.suffix == ".py":
        return name in names_in(path)
    if path.suffix == ".json":
        return any(name in group["properties"] for group in json.loads(text)["$defs"].values())
    declared = {".nf": rf"^(process|workflow) {name} \{{", ".groovy": rf"^ +[\w<>, ?]+ {name}\("}[path.suffix]
    return re.search(declared, text, re.M) is not None


def test_two_walks_have_at_most_eight_stops_each():
    numbers = [int(number) for number, _, _ in STOPS]
    first = numbers.index(1, 1)
    assert numbers == [*range(1, first + 1), *range(1, len(numbers) - first + 1)]
    assert max(numbers) <= 8
    assert len(STOPS) == len(re.findall(r"^\d", CHAPTER, re.M))


@pytest.mark.parametrize(("path", "name"), [stop[1:] for stop in STOPS])
def test_stop_is_there(path, name):
    assert has(PROJECT / path, name)
    assert not has(PROJECT / path, f"{name}x")
