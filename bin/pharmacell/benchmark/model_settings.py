"""Settings of compared models as one line of text, such as ``cnn.dropout=0.5,ridge.alpha=30000``."""

from pharmacell.benchmark.registry import check_names, settings_of
from pharmacell.core.errors import InputError


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
