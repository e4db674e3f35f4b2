"""From json values to a dataclass, with every field checked."""

import math
from typing import Annotated, Any, TypeVar

from pharmacell.core.errors import InputError

NO_OTHER_KEYS: dict[str, Any] = {"extra": "forbid"}  # as __pydantic_config__: a key that is no field is an error
Read = TypeVar("Read")


class NullIsNaN:
    """Marks a number that may be NaN, for which json has null only."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Return pydantic's check of such a field.

        Parameters
        ----------
        source
            The field's type.
        handler
            Makes the check of that type.
        """
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(
            lambda value: math.nan if value is None else value, handler(source)
        )


Measured = Annotated[float, NullIsNaN]


def from_json(kind: type[Read], content: object, where: str, remedy: str) -> Read:
    """Make a dataclass, and those within it, from json values.

    Parameters
    ----------
    kind
        The dataclass.
    content
        Json values, as ``json.loads`` gives them.
    where
        The file that they come from.
    remedy
        What to do about a misfit.

    Raises
    ------
    InputError
        If a field is missing, unknown or of another type.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(kind).validate_python(content)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"]) or "as a whole"
        raise InputError(
            f"{where}: not of this version of PharmaCell ({place}: {first['msg'].lower()}); {remedy}"
        ) from error
