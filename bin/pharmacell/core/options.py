"""Click options made from the fields of settings dataclasses (:mod:`pharmacell.core.settings`)."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click
from typing_extensions import override

from pharmacell.core.settings import (
    Meaning,
    choices_of,
    default_words,
    fields_of,
    kind_of,
    meaning,
    written,
)

Decorator = Callable[[Callable], Callable]


class Names(click.ParamType):
    """Comma-separated names, such as ridge,logistic; a repeat counts once."""

    name = "names"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        names = value if isinstance(value, tuple) else [part.strip() for part in str(value).split(",")]
        if not all(names):
            self.fail(f"'{value}' is not a comma-separated list of names", param, ctx)
        return tuple(dict.fromkeys(names))


class Integers(click.ParamType):
    """Comma-separated whole numbers, such as 256,128.

    Parameters
    ----------
    at_least
        The smallest that is allowed.
    """

    name = "integers"

    def __init__(self, at_least: int) -> None:
        self.at_least = at_least

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        if isinstance(value, tuple):
            return value
        parts = [part.strip() for part in str(value).split(",")]
        numbers = tuple(int(part) for part in parts if part.isdecimal())
        if len(numbers) < len(parts) or min(numbers) < self.at_least:
            self.fail(
                f"'{value}' is not a list of whole numbers from {self.at_least} upwards, such as 256,128", param, ctx
            )
        return numbers


class Form(click.ParamType):
    """A text of a given form.

    Parameters
    ----------
    pattern
        Regular expression that it matches as a whole.
    forms
        The same in words.
    """

    name = "text"

    def __init__(self, pattern: str, forms: str) -> None:
        self.pattern, self.forms = pattern, forms

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not re.fullmatch(self.pattern, str(value)):
            self.fail(f"'{value}' cannot be read; give {self.forms}", param, ctx)
        return str(value)


class Slice(click.ParamType):
    """Positions of fits in a plan, such as 0:10; the last one is left out."""

    name = "slice"

    @override
    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        first, colon, last = str(value).partition(":")
        if not (colon and first.isdecimal() and last.isdecimal()):
            self.fail(f"'{value}' is not FIRST:LAST, such as 0:10", param, ctx)
        return int(first), int(last)


def combined(*options: Decorator) -> Decorator:
    """Return one decorator that adds several options in the order given.

    Parameters
    ----------
    *options
        Click's decorators.
    """

    def wrap(function: Callable) -> Callable:
        for option in reversed(options):
            function = option(function)
        return function

    return wrap


def options_of(settings: type, *names: str, instances: Mapping[str, Any] | None = None) -> Decorator:
    """Return a decorator that adds an option for each field of a settings dataclass.

    Parameters
    ----------
    settings
        The dataclass.
    *names
        Of the fields; without any, all that :func:`pharmacell.core.settings.setting` made.
    instances
        Where the default depends on the configuration: the settings of each configuration by its name, the usual one
        first. An option that is not given is then None, and the configuration decides.
    """
    return combined(*(option(settings, name, instances) for name in names or fields_of(settings)))


def option(settings: type, name: str, instances: Mapping[str, Any] | None = None) -> Decorator:
    """Return the option of one field.

    Parameters
    ----------
    settings
        The dataclass.
    name
        Of the field.
    instances
        As in :func:`options_of`.
    """
    field = fields_of(settings)[name]
    described = meaning(field)
    default = None if instances else field.default
    words = default_words(settings, name, instances) if default is None else None
    attributes: dict[str, Any] = {"default": written(default) if isinstance(default, tuple) else default}
    if kind_of(settings, name) == "flag":
        attributes["is_flag"] = True
    else:
        attributes["type"] = click_type(settings, name)
    return click.option(f"--{name}", help=described.help + (f" [default: {words}]" if words else ""), **attributes)


def click_type(settings: type, name: str) -> click.ParamType:
    """Return the type of a field's option, with its range or choices.

    Parameters
    ----------
    settings
        The dataclass.
    name
        Of the field.
    """
    described = meaning(fields_of(settings)[name])
    match kind_of(settings, name):
        case "choice":
            return click.Choice(choices_of(settings, name))
        case "integer":
            return click.IntRange(whole(described.at_least), whole(described.at_most))
        case "number":
            return number_range(described)
        case "integers":
            return Integers(whole(described.at_least) or 0)
        case "names":
            return Names()
        case "file":
            return click.Path(path_type=Path, dir_okay=False)
        case "folder":
            return click.Path(path_type=Path, file_okay=False)
    return Form(described.pattern, described.forms or described.pattern) if described.pattern else click.STRING


def whole(bound: float | None) -> int | None:
    """Return a bound of a whole number as one.

    Parameters
    ----------
    bound
        From the field; None for none.
    """
    return None if bound is None else int(bound)


def number_range(described: Meaning) -> click.ParamType:
    """Return the range of a number.

    Parameters
    ----------
    described
        What its field says.
    """
    least, most = (
        inside if inside is not None else outside
        for inside, outside in ((described.at_least, described.above), (described.at_most, described.below))
    )
    if least is None and most is None:
        return click.FLOAT
    return click.FloatRange(least, most, min_open=described.above is not None, max_open=described.below is not None)
