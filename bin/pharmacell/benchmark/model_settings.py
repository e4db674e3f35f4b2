"""Settings of compared models as one line of text: ``cnn.dropout=0.5,scdeal.encoder=512x256``."""

import json
from collections.abc import Callable
from pathlib import Path

from pharmacell.benchmark.registry import check_names, settings_of
from pharmacell.core.errors import InputError
from pharmacell.data.input_file import check_file, reason

Value = int | float | tuple[int, ...]
WORDS = {"int": "a whole number", "float": "a number", "widths": "widths such as 512x256"}


def widths(text: str) -> tuple[int, ...]:
    """Read the widths of layers.

    Parameters
    ----------
    text
        Whole numbers from 1 upwards, with an x between them.

    Raises
    ------
    ValueError
        If it is something else.
    """
    found = tuple(int(part) for part in text.split("x"))
    if min(found) < 1:
        raise ValueError(text)
    return found


def parse_settings(text: str | None) -> dict[str, dict[str, Value]]:
    """Return the settings of each model by name.

    Parameters
    ----------
    text
        Such as ``cnn.dropout=0.5,ridge.alpha=30000``; None for none.

    Raises
    ------
    InputError
        If a part is not MODEL.SETTING=VALUE, or a model or setting does not exist.
    """
    found: dict[str, dict[str, Value]] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        name, _, value = part.strip().partition("=")
        model, _, setting = name.partition(".")
        check_names([model], "--model_settings")
        known = readers_of(model)
        if setting not in known:
            raise InputError(
                f"--model_settings {part.strip()}: {model} has no such number to set; it has "
                f"{', '.join(known) or 'none'}"
            )
        try:
            found.setdefault(model, {})[setting] = known[setting](value)
        except ValueError:
            raise InputError(
                f"--model_settings {part.strip()}: '{value}' is not {WORDS[known[setting].__name__]}; give "
                "MODEL.SETTING=VALUE, such as cnn.dropout=0.5 or scdeal.encoder=512x256"
            ) from None
    return found


def read_tuned(path: Path, model: str) -> tuple[dict[str, int | float], dict[str, Value]]:
    """Read what ``tune`` found for a model.

    Parameters
    ----------
    path
        ``SAMPLE.MODEL.params.json``.
    model
        The model.

    Returns
    -------
    params, settings
        Params of the pipeline, and settings of a compared model; both empty where the defaults are best.

    Raises
    ------
    InputError
        If the file is no such file, or of another model.
    """
    check_file(path, [".json"])
    try:
        params = dict(json.loads(path.read_text()))
        line = params.pop("model_settings", None)
        settings = parse_settings(line)
        unknown = set(params) - set(settings_of(model))
        if unknown or settings.keys() - {model}:
            raise ValueError(f"{', '.join(sorted(unknown | settings.keys()))}: not settings of {model}")
    except (ValueError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: not what tune wrote for {model} ({reason(error)}); run tune again") from error
    return params, settings.get(model, {})


def readers_of(model: str) -> dict[str, Callable[[str], Value]]:
    """Return the settings of a model that are numbers or widths of layers, with what reads them; seeds are none.

    Parameters
    ----------
    model
        Its name.
    """
    readers: dict[type, Callable[[str], Value]] = {int: int, float: float, tuple: widths}
    return {
        name: readers[type(default)]
        for name, default in settings_of(model).items()
        if type(default) in readers and name != "user_seed"
    }


def settings_line(model: str, values: dict[str, int | float]) -> str:
    """Return the text that :func:`parse_settings` reads.

    Parameters
    ----------
    model
        Its name.
    values
        Its settings.
    """
    return ",".join(f"{model}.{name}={value!r}" for name, value in values.items())
