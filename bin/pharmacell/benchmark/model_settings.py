"""Settings of compared models as one line of text, such as ``cnn.dropout=0.5,ridge.alpha=30000``."""

import json
from pathlib import Path

from pharmacell.benchmark.registry import check_names, settings_of
from pharmacell.core.errors import InputError
from pharmacell.data.input_file import check_file, reason


def parse_settings(text: str | None) -> dict[str, dict[str, int | float]]:
    """Return the settings of each model by name.

    Parameters
    ----------
    text
        Such as ``cnn.dropout=0.5,ridge.alpha=30000``; None for none.

    Raises
    ------
    InputError
        If a part is not MODEL.SETTING=NUMBER, or a model or setting does not exist.
    """
    found: dict[str, dict[str, int | float]] = {}
    for part in (text or "").split(","):
        if not part.strip():
            continue
        name, _, value = part.strip().partition("=")
        model, _, setting = name.partition(".")
        check_names([model], "--model_settings")
        known = numbers_of(model)
        if setting not in known:
            raise InputError(
                f"--model_settings {part.strip()}: {model} has no such number to set; it has "
                f"{', '.join(known) or 'none'}"
            )
        try:
            found.setdefault(model, {})[setting] = known[setting](value)
        except ValueError:
            raise InputError(
                f"--model_settings {part.strip()}: '{value}' is not {known[setting].__name__}; give "
                "MODEL.SETTING=NUMBER, such as cnn.dropout=0.5"
            ) from None
    return found


def read_tuned(path: Path, model: str) -> tuple[dict[str, int | float], dict[str, int | float]]:
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


def numbers_of(model: str) -> dict[str, type]:
    """Return the settings of a model that are numbers, with their type; seeds are none.

    Parameters
    ----------
    model
        Its name.
    """
    return {
        name: type(default)
        for name, default in settings_of(model).items()
        if type(default) in (int, float) and name != "user_seed"
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
