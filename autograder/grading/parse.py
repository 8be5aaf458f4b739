"""Read a submitted notebook, whatever program wrote it: bytes -> text -> JSON -> notebook.

What is loose where nbformat is strict is repaired where its meaning is plain: byte order marks and
other encodings, missing or empty metadata, a missing minor version, half of a surrogate pair, text
after the end.
"""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import uuid4

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell

from autograder.errors import LessonError, one_line
from autograder.limits import MEGABYTE

# A small object takes two hundred times its text in memory: hence the bounds on their number.
MAX_NOTEBOOK_BYTES = 150 * MEGABYTE  # most of a large one are pictures
MAX_OBJECTS = 200_000  # dictionaries and lists
MAX_ITEMS = 3_000_000  # in them
MAX_CELLS = 2_000
MAX_CODE_CHARS = 2_000_000  # in all cells
CELL_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
NEW_CELL = {"code": new_code_cell, "markdown": new_markdown_cell}
# By the bytes that a file begins with.
ENCODINGS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}


def parse(data: bytes, name: str) -> NotebookNode:
    """Return a notebook, of any nbformat version. Raise LessonError if it cannot be read."""
    if fault := fault_in(data):
        raise LessonError(f"{name} is not a readable notebook: it has {fault}")
    try:
        raw, _ = json.JSONDecoder().raw_decode(text_of(data).lstrip())
        if (count := number_of_cells(raw)) <= MAX_CELLS:
            notebook = rebuilt(cells_of(raw))
    except Exception as error:  # a submission may hold anything
        raise LessonError(f"{name} is not a readable notebook: {one_line(error)}") from error
    if count > MAX_CELLS:
        raise LessonError(f"{name} has more than {MAX_CELLS:,} cells")
    if sum(len(cell.source) for cell in notebook.cells) > MAX_CODE_CHARS:
        raise LessonError(f"{name} has more than {MAX_CODE_CHARS:,} characters in its cells")
    return notebook


def number_of_cells(raw: dict[str, Any]) -> int:
    """Return how many cells the data of a notebook has, in any version of nbformat."""
    sheets = raw.get("worksheets") or []
    return sum(len(part.get("cells") or []) for part in (raw, *sheets))


def cells_of(raw: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the cells of a notebook's data; nbformat converts what is older than version 4."""
    cells = raw.get("cells")
    if not isinstance(cells, list):
        converted = nbformat.reads(json.dumps(whole_characters(raw)), as_version=4)
        return list(converted.cells)
    for cell in cells:
        if "outputs" in cell:
            cell["outputs"] = []  # they are made anew
    return [whole_characters(cell) for cell in cells]


def rebuilt(cells: list[dict[str, Any]]) -> NotebookNode:
    """Return a valid notebook with what grading needs of cells: types, texts, ids, metadata.

    nbformat would validate them, which takes seconds, and refuse what is loose.
    """
    known: set[str] = set()
    fresh = []
    for cell in cells:
        name = cell.get("id")
        if not isinstance(name, str) or not CELL_ID.fullmatch(name) or name in known:
            name = uuid4().hex[:8]
        known.add(name)
        source = cell.get("source")
        if isinstance(source, list):
            source = "".join(source)
        source = source if isinstance(source, str) else ""
        kind = cell.get("cell_type")
        if kind == "heading":  # of version 3
            kind, source = "markdown", "#" * cell.get("level", 1) + " " + source
        new_cell = NEW_CELL[kind] if kind in ("code", "markdown") else new_raw_cell
        fresh.append(new_cell(source, id=name))
        nbgrader = (cell.get("metadata") or {}).get("nbgrader")
        if isinstance(nbgrader, dict):
            fresh[-1].metadata["nbgrader"] = nbgrader
        if kind == "markdown" and isinstance(cell.get("attachments"), dict):
            fresh[-1]["attachments"] = cell["attachments"]
    return new_notebook(cells=fresh)


def fault_in(data: bytes) -> str:
    """Return what is too large in the bytes of a notebook; empty if nothing is."""
    if len(data) > MAX_NOTEBOOK_BYTES:
        return f"more than {MAX_NOTEBOOK_BYTES // MEGABYTE} MB"
    if data.count(b"{") + data.count(b"[") > MAX_OBJECTS:
        return f"more than {MAX_OBJECTS:,} brackets"
    if data.count(b",") > MAX_ITEMS:
        return f"more than {MAX_ITEMS:,} commas"
    return ""


def whole_characters(value: Any) -> Any:
    """Return data with half a character, which no file can hold, replaced in its texts."""
    if isinstance(value, str):
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return value
    if isinstance(value, dict):
        return {whole_characters(key): whole_characters(each) for key, each in value.items()}
    return [whole_characters(each) for each in value] if isinstance(value, list) else value


def text_of(data: bytes) -> str:
    """Return the text of a file: UTF-8, or what its first bytes say, or else Latin-1."""
    for mark, encoding in ENCODINGS.items():
        if data.startswith(mark):
            return data.decode(encoding)
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")
