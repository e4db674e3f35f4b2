"""How a text table is written, and its rows: any separator, decimal comma, encoding, compression, comment lines."""

import codecs
import csv
import io
import lzma
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from pharmacell.core.errors import InputError
from pharmacell.data.input_file import opener_of, reason

TEXT_SUFFIXES = (".csv", ".tsv", ".txt", ".tab", ".gct")
SEPARATORS = ("\t", ";", ",", " ")  # in this order: a space or a comma may stand inside a field
NAMES = {"\t": "tabs", ";": "semicolons", ",": "commas", " ": "spaces"}
HEAD_LINES = 60  # looked at to tell how the table is written
HEAD_ROWS = 200  # in which a decimal comma is looked for
MISSING = frozenset({"", "na", "nan", "n/a", "#n/a", "null", "none", "-nan", "<na>"})
NOT_THERE = tuple(
    sorted({form for word in MISSING for form in (word, word.upper(), word.capitalize(), "NaN")})
)  # as pandas wants it
DECIMAL_COMMA = re.compile(r"[-+]?\d*,\d+([eE][-+]?\d+)?")
THOUSANDS = re.compile(r"[-+]?[1-9]\d{0,2}(,\d{3})+")
QUOTED_OR_WORD = re.compile(r'"((?:[^"]|"")*)"|(\S+)')
csv.field_size_limit(2**31 - 1)  # tried with a wrong separator, a header of 100,000 cells is one field
TEXT_ERRORS = (EOFError, OSError, UnicodeError, csv.Error, lzma.LZMAError, pd.errors.ParserError)


@dataclass(frozen=True)
class Layout:
    """How a text table is written.

    Attributes
    ----------
    encoding
        Of the text.
    separator
        Between two fields; a space stands for any number of blanks.
    decimal
        ``.`` or ``,``; None where no fraction was seen.
    first_row
        Number of the first line below the header, from 0.
    corner
        Header of the first column; None where the header is one short, as R writes it.
    header
        Names of all columns but the first.
    """

    encoding: str
    separator: str
    decimal: str | None
    first_row: int
    corner: str | None
    header: tuple[str, ...]

    @property
    def width(self) -> int:
        """Fields of a row."""
        return len(self.header) + 1

    def split(self, line: str) -> list[str]:
        """Split a line into its fields; see :func:`split`.

        Parameters
        ----------
        line
            Without its end.
        """
        return split(line, self.separator)


def split(line: str, separator: str) -> list[str]:
    """Split a line into its fields; quotes are taken off.

    Parameters
    ----------
    line
        Without its end.
    separator
        One character; a space stands for any number of blanks.
    """
    if separator == " ":
        if '"' not in line:
            fields = line.split()
        else:
            fields = [quoted.replace('""', '"') or word for quoted, word in QUOTED_OR_WORD.findall(line)]
    elif '"' not in line:
        fields = line.split(separator)
    else:
        fields = next(csv.reader([line], delimiter=separator))
    return [_unquoted(field) for field in fields] if "'" in line else fields


def _unquoted(field: str) -> str:
    """Take off single quotes that stand around a field; a prime, as in 5', stays."""
    return field[1:-1] if len(field) > 1 and field[0] == field[-1] == "'" else field


@contextmanager
def open_text(path: Path, encoding: str) -> Iterator[io.TextIOWrapper]:
    """Open a text file, compressed or not, whatever its name says; any end of line becomes a newline.

    Parameters
    ----------
    path
        The file.
    encoding
        Of the text.
    """
    with opener_of(path)(path, "rb") as plain, io.TextIOWrapper(plain, encoding=encoding) as text:
        yield text


def look_at_table(path: Path) -> Layout:
    """Find out how a text table is written.

    Parameters
    ----------
    path
        The file.

    Raises
    ------
    InputError
        If it is no table of text, or it cannot be told how it is written.
    """
    try:
        encoding = _encoding(path)
        with open_text(path, encoding) as text:
            lines = [line.rstrip("\n") for line, _ in zip(text, range(HEAD_LINES), strict=False)]
        separator, start, rows = _separator(path, lines)
        layout = _layout(path, lines, (encoding, separator), start, rows)
        rows = [fields for _, (_, fields) in zip(range(HEAD_ROWS), rows_of(path, layout), strict=False)]
    except TEXT_ERRORS as error:
        raise damaged(path, error) from None
    return Layout(encoding, separator, _decimal(path, rows, separator), layout.first_row, layout.corner, layout.header)


def damaged(path: Path, error: BaseException) -> InputError:
    """Return the error to raise for a text file that cannot be read to its end.

    Parameters
    ----------
    path
        The file.
    error
        What reading it gave.
    """
    if isinstance(error, UnicodeError):
        return InputError(f"{path}: not a text file ({reason(error)}); save it as csv in UTF-8")
    if isinstance(error, (EOFError, OSError, lzma.LZMAError)) and not isinstance(error, FileNotFoundError):
        return InputError(f"{path}: the file is cut short or damaged ({reason(error)}); copy it again")
    return InputError(f"{path}: not a regular table ({reason(error)}); every row must have as many fields")


def lines_of(path: Path, layout: Layout) -> Iterator[tuple[int, str]]:
    """Yield number (from 1) and text of each row's line; empty lines and comments are left out.

    Parameters
    ----------
    path
        The file.
    layout
        From :func:`look_at_table`.
    """
    blank = layout.separator + ' "\t'
    with open_text(path, layout.encoding) as text:
        for number, line in enumerate(text, 1):
            if number <= layout.first_row:
                continue
            line = line.rstrip("\n")
            if line.startswith("#") and len(layout.split(line)) != layout.width:
                continue
            if line.strip(blank):
                yield number, line


def rows_of(path: Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and fields of each row.

    Parameters
    ----------
    path
        The file.
    layout
        From :func:`look_at_table`.

    Raises
    ------
    InputError
        If a row has more or fewer fields than the header.
    """
    for number, line in lines_of(path, layout):
        yield number, checked_fields(path, layout, number, layout.split(line))


def checked_fields(path: Path, layout: Layout, number: int, fields: list[str]) -> list[str]:
    """Return a row's fields without empty ones past the header's end.

    Parameters
    ----------
    path, layout
        Of the table.
    number
        Of the line, for a message.
    fields
        As the line has them.

    Raises
    ------
    InputError
        If there are more or fewer than the header has.
    """
    if len(fields) != layout.width:
        if len(fields) < layout.width or any(field.strip() for field in fields[layout.width :]):
            raise InputError(
                f"{path}: not a regular table: line {number} has {len(fields)} fields where the header has "
                f"{layout.width} (separated by {NAMES[layout.separator]}); every row must have as many"
            )
        fields = fields[: layout.width]
    return fields


def number_of(text: str, layout: Layout) -> float | None:
    """Return the number that a field holds, NaN where it is missing, None where it is something else.

    Parameters
    ----------
    text
        The field.
    layout
        Of the table; a decimal comma is read unless it separates fields or fractions have a point.
    """
    text = text.strip()
    if text.lower() in MISSING:
        return np.nan
    if layout.separator != "," and layout.decimal != "." and DECIMAL_COMMA.fullmatch(text):
        if layout.decimal is None and THOUSANDS.fullmatch(text):
            return None
        text = text.replace(",", ".")
    try:
        return None if "_" in text else float(text)
    except ValueError:
        return None


def read_table(path: Path, is_text: Callable[[str], bool]) -> pd.DataFrame:
    """Read a table whole; ids stay as they are written.

    Parameters
    ----------
    path
        The file.
    is_text
        Tells by its name whether a column holds ids or words. The first column is text anyway.

    Returns
    -------
    pandas.DataFrame
        Columns by number of the header, in its order; the first is called as the header's corner (an empty name where
        it has none). Text columns are exactly as written, missing where the field is empty; the others are numbers
        where every field is one, else text.

    Raises
    ------
    InputError
        If the file is no table.
    """
    layout = look_at_table(path)
    names = [layout.corner or "", *layout.header]
    text = [0] + [place for place, name in enumerate(names) if place and is_text(name)]
    missing: dict[int, Sequence[str]] = dict.fromkeys(range(len(names)), NOT_THERE)
    missing |= dict.fromkeys(text, ("",))
    try:
        table = pd.read_csv(
            _Lines(path, layout),
            sep=r"\s+" if layout.separator == " " else layout.separator,
            decimal=layout.decimal or ".",
            header=None,
            names=range(len(names)),
            index_col=False,
            dtype=dict.fromkeys(text, str),
            keep_default_na=False,
            na_values=missing,
            low_memory=False,
        )
    except TEXT_ERRORS as error:
        raise damaged(path, error) from None
    return table.set_axis(names, axis=1)


class _Lines(io.TextIOBase):
    """The rows of a table as a file that pandas reads, each checked for its number of fields."""

    def __init__(self, path: Path, layout: Layout) -> None:
        self.lines, self.path, self.layout = lines_of(path, layout), path, layout
        self.left = ""

    def read(self, size: int | None = -1) -> str:
        """Return about ``size`` characters, an empty text at the end."""
        parts, length = [self.left], len(self.left)
        for number, line in self.lines:
            fields = self.layout.split(line)
            kept = checked_fields(self.path, self.layout, number, fields)
            if len(fields) > self.layout.width or "'" in line:
                line = _joined(kept, self.layout.separator)
            parts.append(line + "\n")
            length += len(line) + 1
            if size is not None and 0 < size <= length:
                break
        text = "".join(parts)
        cut = len(text) if size is None or size < 0 else size
        self.left = text[cut:]
        return text[:cut]

    def readable(self) -> bool:
        """Tell that this can be read."""
        return True


def _joined(fields: list[str], separator: str) -> str:
    """Write fields as one line again."""
    line = io.StringIO()
    csv.writer(line, delimiter=separator, lineterminator="").writerow(fields)
    return line.getvalue()


def _encoding(path: Path) -> str:
    """Return the encoding by the mark at the start, or else by whether the start is UTF-8.

    Raises
    ------
    InputError
        If the file is not text.
    """
    with open_text(path, "latin-1") as text:
        start = bytes(text.buffer.read(1 << 16))
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if b"\0" in start:
        raise InputError(
            f"{path}: not a text file, whatever its name says; save it as csv, or give it its right suffix"
        )
    try:
        codecs.getincrementaldecoder("utf-8")().decode(start)  # the last character may be cut
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def _separator(path: Path, lines: list[str]) -> tuple[str, int, list[list[str]]]:
    """Return the separator, the header's place among the lines, and the fields of the lines from there on."""
    declared = next((line[4:5] for line in lines[:1] if line.lower().startswith("sep=")), None)
    above = (
        2 if lines[:1] and lines[0].startswith(("#1.2", "#1.3")) else 1 if declared else 0
    )  # a gct has its size there
    shown = [(place, line) for place, line in enumerate(lines) if line.strip() and place >= above]
    if not shown:
        raise InputError(f"{path}: no line of text; there is nothing to read")
    for separator in (declared,) if declared in SEPARATORS else SEPARATORS:
        fields = [(place, split(_uncommented(line), separator)) for place, line in shown]
        widths = [len(row) - _empty_at_end(row) for _, row in fields]
        common = Counter(widths[1:] or widths).most_common(1)[0][0]
        full = Counter(len(row) for _, row in fields).most_common(1)[0][0]  # more where the last columns are empty
        header = next(
            (
                place
                for place, (row, width) in enumerate(zip(fields, widths, strict=True))
                if width in (common, common - 1, full) and _starts(lines[row[0]], row[1], fields[place + 1 :])
            ),
            None,
        )
        if common < 2 or header is None:
            continue
        names = fields[header][1]
        if len(names) < 2 and (common > 2 or {";", ","} & set(names[0])):  # the header has another separator
            continue
        alike = np.mean([abs(width - common) <= 1 or width > common for width in widths[header:]])
        if alike >= 0.5:
            return separator, fields[header][0], [row for _, row in fields[header:]]
    raise InputError(f"{path}: one column only; the fields should be separated by commas, tabs, semicolons or spaces")


def _uncommented(line: str) -> str:
    """Return a line without a comment's sign."""
    return line.lstrip("#% ") if line.startswith(("#", "%")) else line


def _starts(line: str, fields: list[str], below: list[tuple[int, list[str]]]) -> bool:
    """Tell whether a line can be the header: a comment is none, unless it has as many fields as the line below."""
    if not line.startswith(("#", "%")):
        return True
    return bool(below) and len(below[0][1]) == len(fields) > (2 if line.startswith("# ") else 1)


def _empty_at_end(fields: list[str]) -> int:
    """Count the empty fields at the end of a row."""
    return next((count for count, field in enumerate(reversed(fields)) if field.strip()), len(fields))


def _layout(path: Path, lines: list[str], written: tuple[str, str], start: int, rows: list[list[str]]) -> Layout:
    """Return the layout but for the decimal sign; ``rows`` begin with the header, which is line ``start``."""
    encoding, separator = written
    header, below = [field.strip() for field in rows[0]], rows[1:]
    if not below:
        raise InputError(f"{path}: a header and no rows; there is nothing to read")
    header = header[: len(header) - _empty_at_end(header)]
    width = Counter(map(len, below)).most_common(1)[0][0]
    surplus = min(_empty_at_end(row) for row in below)
    corner: str | None = None
    if len(header) == width - 1 and not surplus:
        names = header
    else:
        corner, names = header[0], header[1:]
    return Layout(encoding, separator, None, start + 1, corner, tuple(names))


def _decimal(path: Path, rows: list[list[str]], separator: str) -> str | None:
    """Return the decimal sign of the values.

    Raises
    ------
    InputError
        If a comma may stand for thousands.
    """
    values = [field.strip() for fields in rows for field in fields[1:]]
    grouped = [value for value in values if re.fullmatch(r"[1-9]\d{0,2}(([ \u00a0\u202f]\d{3})+|('\d{3})+)", value)]
    if separator == ",":
        grouped += [value for value in values if THOUSANDS.fullmatch(value)]
    if grouped:
        raise InputError(
            f"{path}: '{grouped[0]}' has a separator of thousands; write numbers without one (in a spreadsheet: format "
            "the cells as plain numbers, then save)"
        )
    if any(re.fullmatch(r"[-+]?\d*\.\d+([eE][-+]?\d+)?", value) for value in values):
        return "."
    commas = [value for value in values if "," in value and re.fullmatch(r"[-+\d,eE]+", value)]
    if not commas or separator == ",":
        return None
    if all(THOUSANDS.fullmatch(value) for value in commas):
        raise InputError(
            f"{path}: '{commas[0]}' may be a fraction or thousands; write numbers without a thousands separator, or "
            "fractions with a point"
        )
    return "," if all(DECIMAL_COMMA.fullmatch(value) for value in commas) else None
