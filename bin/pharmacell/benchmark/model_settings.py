"""Settings of compared models as one line of text, such as ``cnn.dropout=0.5,ridge.alpha=30000``."""

from dataclasses import fields

from pharmacell.benchmark.registry import REGISTRY, check_names
from pharmacell.core.errors import InputError


def parse_settings(text: str | None) -> dict[str, dict[str, int | float]]:
    """Return the settings of each model by name.

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


def numbers_of(model: str) -> dict[str, type]:
    """Return the settings of a model that are numbers, with their type; seeds are none."""
    _, config = REGISTRY[model].load()
    return {
        field.name: type(field.default)
        for field in fields(config)
        if type(field.default) in (int, float) and field.name != "user_seed"
    }


def settings_line(model: str, values: dict[str, int | float]) -> str:
    """Return the text that :func:`parse_settings` reads."""
    return ",".join(f"{model}.{name}={value!r}" for name, value in values.items())
