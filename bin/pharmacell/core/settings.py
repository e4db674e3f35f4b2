"""Settings of a step: one frozen dataclass, each field with its default, meaning, range and choices.

Click options (:mod:`pharmacell.core.options`) and ``nextflow_schema.json`` are made from these fields, so a default
stands here and nowhere else.
"""

from collections.abc import Mapping
from dataclasses import Field, dataclass, field, fields
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints

Kind = Literal["text", "integer", "number", "flag", "choice", "integers", "names", "file", "folder"]
Made = TypeVar("Made")
KEY = "setting"  # of a field's metadata


@dataclass(frozen=True)
class Meaning:
    """What a field says about itself beside its name, type and default.

    Attributes
    ----------
    help
        What it means, in a sentence or two.
    otherwise
        What happens where no value is given and the field's default is None.
    at_least, at_most, above, below
        Bounds of a number; the first two belong to the range.
    pattern
        Regular expression that a text has to match as a whole.
    forms
        The texts that match it, in words; with ``pattern``.
    kind
        What the value is, where the type does not tell.
    """

    help: str
    otherwise: str | None = None
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None
    pattern: str | None = None
    forms: str | None = None
    kind: Kind | None = None


def setting(default: Any, help: str, **more: Any) -> Any:
    """Return a field of a settings dataclass.

    Parameters
    ----------
    default
        Its value unless the user gives one.
    help
        What it means, with its unit; a sentence or two.
    **more
        The other fields of :class:`Meaning`.
    """
    return field(default=default, metadata={KEY: Meaning(help, **more)})


def meaning(of: Field) -> Meaning:
    """Return what a field says about itself.

    Parameters
    ----------
    of
        Made by :func:`setting`.
    """
    return of.metadata[KEY]


def fields_of(settings: type) -> dict[str, Field]:
    """Return the fields made by :func:`setting`, by name, in order.

    Parameters
    ----------
    settings
        A dataclass.
    """
    return {each.name: each for each in fields(settings) if KEY in each.metadata}


def type_of(settings: type, name: str) -> Any:
    """Return a field's type without its ``None``.

    Parameters
    ----------
    settings
        A dataclass.
    name
        Of its field.
    """
    found = get_type_hints(settings)[name]
    kinds = [each for each in get_args(found) if each is not type(None)]
    return kinds[0] if get_origin(found) not in (None, Literal, tuple) and len(kinds) == 1 else found


def choices_of(settings: type, name: str) -> tuple[str, ...]:
    """Return the values of a field that is a ``Literal``, else nothing.

    Parameters
    ----------
    settings
        A dataclass.
    name
        Of its field.
    """
    found = type_of(settings, name)
    return get_args(found) if get_origin(found) is Literal else ()


def kind_of(settings: type, name: str) -> Kind:
    """Return what a field's value is.

    Parameters
    ----------
    settings
        A dataclass.
    name
        Of its field.

    Raises
    ------
    TypeError
        If the field's type is none that an option can have.
    """
    stated = meaning(fields_of(settings)[name]).kind
    if stated:
        return stated
    if choices_of(settings, name):
        return "choice"
    found = type_of(settings, name)
    simple: Mapping[Any, Kind] = {
        str: "text",
        int: "integer",
        float: "number",
        bool: "flag",
        tuple[int, ...]: "integers",
        tuple[str, ...]: "names",
    }
    if found not in simple:
        raise TypeError(f"{settings.__name__}.{name}: {found} is no type of an option")
    return simple[found]


def chosen(settings: type[Made], options: Mapping[str, Any]) -> Made:
    """Return settings made of the options of the same names.

    Parameters
    ----------
    settings
        A dataclass.
    options
        Values by name; those that are no field are left.
    """
    known = {each.name for each in fields(settings)}  # type: ignore[arg-type]  # a dataclass, which no type says
    return settings(**{name: value for name, value in options.items() if name in known})


def default_words(settings: type, name: str, instances: Mapping[str, Any] | None = None) -> str | None:
    """Return what holds where no value is given, such as ``40; published 500``; None if nothing does.

    Parameters
    ----------
    settings
        A dataclass.
    name
        Of its field.
    instances
        Where the default depends on something: the settings for each case by its name, the usual case first.
    """
    usual, *others = (instances or {"": settings}).items()
    otherwise = meaning(fields_of(settings)[name]).otherwise
    words = {
        case: otherwise if getattr(of, name) is None else written(getattr(of, name)) for case, of in (usual, *others)
    }
    first = words.pop(usual[0])
    more = [f"{case} {word}" for case, word in words.items() if word != first]
    return "; ".join([first, *more]) if first else None


def written(value: Any) -> str:
    """Return a value as the user would write it.

    Parameters
    ----------
    value
        Of a setting.
    """
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


@dataclass(frozen=True)
class Run:
    """What every command takes."""

    seed: int = setting(0, "Seed of every random number.", at_least=0)
    device: Literal["auto", "cpu", "cuda"] = setting(
        "auto", "Where tensors live; auto takes a GPU when torch sees one."
    )
