"""Files of tables as platforms write them (CSV, TSV, UTF-16), read so that each byte can be kept.

read_table -> rows of values -> Table.fill (single cells) -> Table.encode

Python's csv module does not keep how a field was quoted.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.errors import UsageError

MAX_BYTES = 50_000_000
SEPARATORS = (",", ";", "\t")
QUOTED = re.compile(r'"((?:[^"]|"")*)"')
# What a spreadsheet takes for a formula at the start of a cell.
FORMULA = tuple("=+-@\t\r")
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass
class Field:
    """A field: as it stands in the file, and its value."""

    raw: str
    value: str


@dataclass
class Row:
    """A line of a table: its fields, how it ends, and the number of its first line in the file."""

    fields: list[Field]
    end: str
    line: int

    @property
    def values(self) -> list[str]:
        """The values, without space around them."""
        return [field.value.strip() for field in self.fields]

    def value(self, column: int | None) -> str:
        """Return a value; empty where the row is too short or there is no such column."""
        inside = column is not None and column < len(self.fields)
        return self.fields[column].value.strip() if inside and column is not None else ""


@dataclass
class Table:
    """A file of fields: its name, byte order mark, encoding, separator and rows."""

    name: str
    bom: bytes
    encoding: str
    separator: str
    rows: list[Row]

    @property
    def header(self) -> list[str]:
        """The values of the first row."""
        return self.rows[0].values

    @property
    def body(self) -> list[Row]:
        """The rows below the header, without blank ones."""
        return [row for row in self.rows[1:] if any(row.values)]

    def fill(self, row: Row, column: int, value: str) -> None:
        """Replace one value; it is quoted as it was, or as it must be."""
        while len(row.fields) <= column:
            row.fields.append(Field("", ""))
        field = row.fields[column]
        quoted = field.raw.lstrip().startswith('"')
        field.value = value
        field.raw = quote(value) if quoted or needs_quotes(value, self.separator) else value

    def encode(self) -> bytes:
        """Return the file."""
        text = "".join(
            self.separator.join(field.raw for field in row.fields) + row.end for row in self.rows
        )
        return self.bom + text.encode(self.encoding)


def read_table(path: Path) -> Table:
    """Return the table in a file. Raise UsageError, in one line, where it is not one."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB: not a class list")
        data = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    bom, encoding = encoding_of(data)
    try:
        text = data[len(bom) :].decode(encoding)
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not text in {encoding}") from None
    if "\0" in text or data.startswith(b"PK"):
        raise UsageError(f"{path} is not a text file: save the spreadsheet as CSV")
    if not text.strip():
        raise UsageError(f"{path} is empty")
    separator = separator_of(text)
    rows = list(scan(text, separator, path))
    table = Table(path.name, bom, encoding, separator, rows)
    width = len(table.rows[0].fields)
    for row in table.rows:
        if any(row.values[width:]):
            raise UsageError(
                f"{path}, line {row.line}: {len(row.fields)} fields, the header has {width}: is a"
                f" field with {separator!r} not in quotes?"
            )
    return table


def encoding_of(data: bytes) -> tuple[bytes, str]:
    """Return the byte order mark of a file and its encoding; without a mark UTF-8 or Latin-1."""
    for bom, encoding in BOMS:
        if data.startswith(bom):
            return bom, encoding
    for encoding in ("utf-8", "cp1252"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return b"", encoding
    return b"", "latin-1"


def separator_of(text: str) -> str:
    """Return the separator that gives the first three lines the same number of fields, most."""

    def score(separator: str) -> tuple[bool, int]:
        widths = []
        for row in scan(text, separator, None):
            if any(row.values):
                widths.append(len(row.fields))
            if len(widths) == 3:
                break
        return widths[0] > 1 and len(set(widths)) == 1, widths[0] if widths else 0

    return max(SEPARATORS, key=score)


def scan(text: str, separator: str, path: Path | None) -> Iterator[Row]:
    """Yield the rows of a text. Raise UsageError where a quote is not closed, if there is a path.

    Without one, such a quote is a character like any other: the separator is still being guessed.
    """
    plain = re.compile(rf"[^{re.escape(separator)}\r\n]*")
    position, line, fields = 0, 1, list[Field]()
    start = line
    while position < len(text) or fields:
        raw, value = plain.match(text, position)[0], ""  # type: ignore[index]  # it matches nothing
        if text.startswith('"', position):
            if match := QUOTED.match(text, position):
                rest = plain.match(text, match.end())[0]  # type: ignore[index]
                raw, value = match[0] + rest, match[1].replace('""', '"') + rest
            elif path:
                raise UsageError(f"{path}, line {line}: a quote is not closed")
            else:
                value = raw
        else:
            value = raw
        fields.append(Field(raw, value))
        line += raw.count("\n")
        position += len(raw)
        if text.startswith(separator, position):
            position += 1
            continue
        end = "\r\n" if text.startswith("\r\n", position) else text[position : position + 1]
        position += len(end)
        line += 1
        yield Row(fields, end, start)
        fields, start = [], line


def needs_quotes(value: str, separator: str) -> bool:
    """Whether a value must be quoted."""
    return any(mark in value for mark in (separator, '"', "\n", "\r"))


def quote(value: str) -> str:
    """Return a value in quotes."""
    return '"' + value.replace('"', '""') + '"'


def safe_text(value: str) -> str:
    """Return a text that no spreadsheet takes for a formula: a leading sign of one is quoted."""
    return f"'{value}" if value.startswith(FORMULA) else value


def same_text(value: str) -> str:
    """Return a text for comparisons: NFC, case and spaces aside."""
    return " ".join(unicodedata.normalize("NFC", value).casefold().split())


def number_text(value: float, decimal_comma: bool = False) -> str:
    """Return a number as platforms read it: at most two decimals, never a mark of thousands."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    text = "0" if text in ("-0", "") else text
    return text.replace(".", ",") if decimal_comma else text


def number_in(text: str) -> float | None:
    """Return the number in a cell, with a decimal point or comma; None where it has none."""
    match = re.fullmatch(r"-?\d+(?:[.,]\d+)?", text.strip())
    return float(text.replace(",", ".")) if match else None


def write_new(path: Path, data: bytes) -> None:
    """Write a file that is not there yet, whole or not at all. Raise UsageError where it fails."""
    try:
        with path.open("xb") as stream:
            try:
                stream.write(data)
                stream.flush()
            except OSError:
                path.unlink()
                raise
    except FileExistsError:
        raise UsageError(f"{path} exists already: choose another name with --to") from None
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
