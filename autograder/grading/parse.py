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
            notebook = rebuilt(in_version_4(repaired(raw)))
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


def in_version_4(raw: dict[str, Any]) -> NotebookNode:
    """Return the data of a notebook as one, without its slow validation: rebuilt() needs none."""
    if isinstance(raw.get("cells"), list):
        return nbformat.from_dict(raw)
    return nbformat.reads(json.dumps(raw), as_version=4)


def rebuilt(notebook: NotebookNode) -> NotebookNode:
    """Return a valid notebook with what grading needs of another: types, texts, ids, metadata."""
    known: set[str] = set()
    cells = []
    for cell in notebook.cells:
        name = cell.get("id")
        if not isinstance(name, str) or not CELL_ID.fullmatch(name) or name in known:
            name = uuid4().hex[:8]
        known.add(name)
        source = cell.get("source")
        if isinstance(source, list):
            source = "".join(source)
        new_cell = NEW_CELL.get(cell.get("cell_type"), new_raw_cell)
        rebuilt_cell = new_cell(source if isinstance(source, str) else "", id=name)
        nbgrader = cell.get("metadata", {}).get("nbgrader")
        if isinstance(nbgrader, dict):
            rebuilt_cell.metadata["nbgrader"] = nbgrader
        if cell.get("cell_type") == "markdown" and isinstance(cell.get("attachments"), dict):
            rebuilt_cell["attachments"] = cell["attachments"]
        cells.append(rebuilt_cell)
    return new_notebook(cells=cells)


def fault_in(data: bytes) -> str:
    """Return what is too large in the bytes of a notebook; empty if nothing is."""
    if len(data) > MAX_NOTEBOOK_BYTES:
        return f"more than {MAX_NOTEBOOK_BYTES // MEGABYTE} MB"
    if data.count(b"{") + data.count(b"[") > MAX_OBJECTS:
        return f"more than {MAX_OBJECTS:,} brackets"
    if data.count(b",") > MAX_ITEMS:
        return f"more than {MAX_ITEMS:,} commas"
    return ""


def repaired(raw: dict[str, Any]) -> dict[str, Any]:
    """Return the data of a notebook with what nbformat asks for and its meaning leaves no doubt."""
    cells = raw.get("cells")
    if not isinstance(cells, list):  # of an older version: nbformat converts it
        whole: dict[str, Any] = whole_characters(raw)
        return whole
    for cell in cells:
        if "outputs" in cell:
            cell["outputs"] = []  # they are made anew
    raw = whole_characters(raw)
    cells = raw["cells"]
    raw["nbformat"] = raw.get("nbformat") or 4
    if raw.get("nbformat_minor") is None:
        raw["nbformat_minor"] = 5 if any("id" in cell for cell in cells) else 4
    raw["metadata"] = raw.get("metadata") or {}
    known: set[Any] = set()
    for cell in cells:
        if cell.get("id") in known:  # nbformat would warn, and give it another
            cell["id"] = uuid4().hex[:8]
        known |= {cell["id"]} if "id" in cell else set()
        if cell.get("cell_type") == "heading":  # of version 3
            cell["source"] = "#" * cell.pop("level", 1) + " " + "".join(cell.get("source") or "")
            cell["cell_type"] = "markdown"
        elif cell.get("cell_type") not in ("code", "markdown"):
            cell["cell_type"] = "raw"
        cell["metadata"] = cell.get("metadata") or {}
        if cell.get("cell_type") == "code":
            cell.setdefault("outputs", [])
            cell.setdefault("execution_count", None)
        elif "attachments" in cell:
            cell["attachments"] = cell["attachments"] or {}
    return raw


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
