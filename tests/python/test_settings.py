"""Settings modules are light, and an option is what its field says."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import click
import pytest
from click.testing import CliRunner

from pharmacell.cli.main import COMMANDS
from pharmacell.core.options import options_of
from pharmacell.core.settings import choices_of, chosen, default_words, setting
from pharmacell.perturbation.encodings.registry import ENCODERS
from pharmacell.perturbation.losses import LOSSES
from pharmacell.perturbation.settings import FitOptions

BIN = Path(__file__).parents[2] / "bin"
HEAVY = {"anndata", "matplotlib", "numpy", "pandas", "scanpy", "scipy", "sklearn", "torch"}
LIST_MODULES = """
import json, sys
from pharmacell.cli.main import pharmacell
try:
    pharmacell(sys.argv[1:])
except SystemExit as end:
    assert not end.code, end.code
print(json.dumps(sorted(sys.modules)))
"""


@dataclass(frozen=True)
class Oven:
    """Settings to test with."""

    heat: float = setting(180.0, "Temperature in degrees.", above=0, at_most=300)
    minutes: int | None = setting(None, "How long.", at_least=1, otherwise="until brown")
    mode: Literal["fan", "grill"] = setting("fan", "How it heats.")
    shelves: tuple[int, ...] = setting((1, 3), "Numbers of the shelves.", at_least=1)
    code: str = setting("A1", "Of the programme.", pattern=r"[A-Z]\d", forms="a letter and a digit")
    clean: bool = setting(False, "Clean it first.")
    hidden: int = 7


@click.command()
@options_of(Oven)
def bake(**options):
    click.echo(json.dumps(vars(chosen(Oven, options))))


def baked(*arguments: str) -> dict:
    return json.loads(CliRunner().invoke(bake, arguments).output)


def test_options_make_the_settings():
    given = ("--heat", "200", "--mode", "grill", "--shelves", "2, 4", "--code", "B7", "--clean")
    settings = {"heat": 200, "minutes": None, "mode": "grill", "shelves": [2, 4], "code": "B7", "clean": True}
    assert baked(*given) == settings | {"hidden": 7}


def test_options_that_are_not_given_leave_the_defaults():
    assert baked() == vars(Oven()) | {"shelves": [1, 3]}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--heat", "0"),
        ("--heat", "301"),
        ("--minutes", "0"),
        ("--mode", "steam"),
        ("--shelves", "0,1"),
        ("--shelves", "1;2"),
        ("--code", "b7"),
        ("--code", "B77"),
        ("--hidden", "8"),
    ],
)
def test_value_that_the_field_excludes_is_refused(option, value):
    result = CliRunner().invoke(bake, [option, value])
    assert result.exit_code == 2
    assert option in result.stderr


def test_help_has_meaning_range_choices_and_default():
    words = " ".join(CliRunner().invoke(bake, ["--help"]).output.split())
    assert "How long. [default: until brown] [x>=1]" in words
    assert "--mode [fan|grill] How it heats." in words


def test_default_of_each_configuration_stands_in_the_help():
    instances = {"default": Oven(heat=150.0), "published": Oven(minutes=30)}
    assert default_words(Oven, "heat", instances) == "150; published 180"
    assert default_words(Oven, "minutes", instances) == "until brown; published 30"
    assert default_words(Oven, "mode", instances) == "fan"


def test_option_whose_default_depends_on_the_configuration_leaves_it_to_that():
    @click.command()
    @options_of(Oven, "heat", instances={"default": Oven(heat=150.0), "published": Oven()})
    def warm(heat):
        click.echo(repr(heat))

    assert CliRunner().invoke(warm, []).output == "None\n"
    assert "[default: 150; published 180]" in CliRunner().invoke(warm, ["--help"]).output.replace("\n", " ")


def test_choices_of_the_perturbation_task_are_what_there_is():
    assert choices_of(FitOptions, "encoding") == tuple(ENCODERS)
    assert choices_of(FitOptions, "loss") == tuple(LOSSES)


@pytest.mark.parametrize("name", ["", *COMMANDS])
def test_help_imports_nothing_heavy(name):
    line = [sys.executable, "-c", LIST_MODULES, *filter(None, [name]), "--help"]
    done = subprocess.run(line, capture_output=True, text=True, cwd=BIN)
    assert done.returncode == 0, done.stderr
    modules = set(json.loads(done.stdout.splitlines()[-1]))
    assert "pharmacell.cli.main" in modules
    assert not HEAVY & modules
