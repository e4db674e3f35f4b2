"""The drugs of the panel that a sheet asks for."""

from collections.abc import Iterable

from pharmacell.core.errors import InputError
from pharmacell.data.drugs import ALL, choose_drugs


def drugs_asked_for(asked: Iterable[str], drugs: list[str], left_out: list[str]) -> tuple[list[str], list[str]]:
    """Return the drugs that are asked for, in the panel's order, and a note on those that could not be had.

    Parameters
    ----------
    asked
        Each one a name, several joined with ``;``, ``target:T``, ``pathway:P`` or ``all``; nothing means all.
    drugs
        Of the panel.
    left_out
        Drugs of the response table that too few lines were given.

    Raises
    ------
    InputError
        If a name is unknown, a target or pathway has no drug, or nothing is left.
    """
    parts = [part.strip() for text in asked for part in text.split(";") if part.strip()] or [ALL]
    wanted = {drug for part in parts for drug in choose_drugs(part, [*drugs, *left_out], "the panel")}
    missing = sorted(wanted & set(left_out))
    if not wanted - set(left_out):
        raise InputError(f"--drug: nothing is left: {', '.join(missing)} were measured on fewer than 50 lines")
    notes = [f"left out, because measured on fewer than 50 lines: {', '.join(missing)}"] if missing else []
    return [drug for drug in drugs if drug in wanted], notes
