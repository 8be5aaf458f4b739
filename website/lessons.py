"""A lesson as a page: the learner's notebook, with the figures that need no answer.

    release/ (text, code) + source/ (outputs) -> Markdown and image files

Nothing is executed. Text and code come from release/, which holds no solution and no hidden test.
An output comes from source/, where the instructor's answers made it: only of a demonstration that
reads no name that an answer or a test defines, directly or through other cells.
"""

from __future__ import annotations

import ast
import base64
import builtins
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Cell = dict[str, Any]

DETAILS = re.compile(r"<details>.*?</details>", re.DOTALL)
BOLD = re.compile(r"\*\*([^*]+)\*\*")
NOT_STORED = re.compile(r"you kept no prediction|a live kernel")
PREDICT, KEPT, TABLE = "**Predict first:**", "predict.keep(", "predict.table("


@dataclass
class Page:
    """The Markdown of a page, its images by file name, and the terms that it explains."""

    title: str
    text: str
    images: dict[str, bytes] = field(default_factory=dict)
    terms: list[str] = field(default_factory=list)


def read_cells(path: Path) -> list[Cell]:
    """Return the cells of a notebook, each with its source as one string."""
    cells: list[Cell] = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [{**cell, "source": "".join(cell["source"])} for cell in cells]


def page_of(root: Path, name: str, terms: Collection[str] = ()) -> Page:
    """Return the page of a lesson; `terms` of the glossary become links where it explains them."""
    by_key = {term.casefold(): term for term in terms}
    released = read_cells(root / "release" / name / f"{name}.ipynb")
    outputs = {
        cell["id"]: cell.get("outputs", [])
        for cell in read_cells(root / "source" / name / f"{name}.ipynb")
    }
    needs_none = without_answers(released)
    (title,) = re.findall(r"\A# (.+)", released[0]["source"])
    page = Page(title, "")
    parts: list[str] = []
    for number, cell in enumerate(released):
        if cell["cell_type"] == "markdown":
            parts.append(linked(cell["source"], by_key, page.terms, name[:2]))
            continue
        parts.append(code_block(cell))
        if cell["id"] in needs_none and (output := markdown_of(outputs[cell["id"]], cell, page)):
            parts.append(folded("Output", output) if is_answer(released, number) else output)
    page.text = "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"
    return page


def is_answer(cells: Sequence[Cell], number: int) -> bool:
    """Return whether an output answers a question that the learner should answer first.

    What a cell shows that keeps a prediction belongs to the question.
    """
    cell, before = cells[number], cells[number - 1]
    if KEPT in cell["source"]:
        return False
    return bool(cell["metadata"].get("jupyter", {}).get("source_hidden")) or (
        before["cell_type"] == "markdown" and PREDICT in before["source"]
    )


def without_answers(cells: Sequence[Cell]) -> set[str]:
    """Return the ids of demonstrations whose outputs do not depend on any answer.

    A name depends on an answer if a solution or test cell defines it, or any cell that reads such
    a name, also in a function. The table of predictions holds what all cells reported.
    """
    dependent: set[str] = set()
    independent: set[str] = set()
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        settings = cell["metadata"].get("nbgrader", {})
        defined, read = names_of(cell["source"])
        if settings.get("solution") or settings.get("grade") or read & dependent:
            dependent |= defined
        elif TABLE in cell["source"]:
            continue
        else:
            dependent -= defined
            if cell["metadata"].get("demonstration"):
                independent.add(cell["id"])
    return independent


def names_of(source: str) -> tuple[set[str], set[str]]:
    """Return the names that a cell defines, and those that it reads, at any depth."""
    defined: set[str] = set()
    read: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Name(name, ast.Load()):
                read.add(name)
            case ast.Name(name):
                defined.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                defined.add(name)
            case ast.alias(name, asname):
                defined.add((asname or name).split(".")[0])
            case ast.Subscript(ast.Name(name), ctx=ast.Store()) | ast.Attribute(
                ast.Name(name), ctx=ast.Store()
            ):
                defined.add(name)
    return defined, read - vars(builtins).keys()


def code_block(cell: Cell) -> str:
    """Return a code cell as a block; tests and what a learner runs before reading are folded."""
    block = fenced("python", cell["source"])
    settings = cell["metadata"].get("nbgrader", {})
    if settings.get("grade") and not settings.get("solution"):
        hidden = settings["grade_id"].startswith("hidden-")
        points = f"{settings['points']:g} point{'s' if settings['points'] != 1 else ''}"
        return folded(f"{'Hidden test' if hidden else 'Test'}, {points}", block)
    if cell["metadata"].get("jupyter", {}).get("source_hidden"):
        return folded("Code, to run before you read it", block)
    return block


def fenced(language: str, text: str) -> str:
    """Return a literal block whose fence is longer than any in the text."""
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    return f"{fence}{language}\n{text.rstrip()}\n{fence}"


def folded(summary: str, text: str) -> str:
    """Return text behind a summary that opens it."""
    return f"<details><summary>{summary}</summary>\n\n{text}\n\n</details>"


def markdown_of(outputs: Sequence[dict[str, Any]], cell: Cell, page: Page) -> str:
    """Return the outputs of a cell as Markdown; their images go into the page."""
    parts = []
    for number, output in enumerate(outputs):
        data = output.get("data", {})
        if png := data.get("image/png"):
            name = f"{cell['id']}-{number}.png"
            page.images[name] = base64.b64decode("".join(png))
            alt = " ".join(output["metadata"]["image/png"]["alt"].split())
            parts.append(f"```{{image}} {{images}}/{name}\n:class: output\n:alt: {alt}\n```")
        elif (text := "".join(output.get("text", data.get("text/plain", "")))).strip():
            lines = [line for line in text.splitlines() if not NOT_STORED.search(line)]
            parts += [fenced("text", "\n".join(lines))] * any(lines)
    return "\n\n".join(parts)


def linked(text: str, terms: Mapping[str, str], explained: list[str], lesson: str) -> str:
    """Return text in which each bold term of the glossary leads there, and can be led to.

    `terms` are those of the lesson by their lower case; those that the text has go to `explained`.
    """

    def link(match: re.Match[str]) -> str:
        words = " ".join(match[1].split())
        term = words.strip(".:,")
        key = term.casefold()
        if key not in terms:
            return match[0]
        explained.append(terms[key])
        rest = words[len(term) :]
        return f"[**{{term}}`{term} <{terms[key]}>`{rest}**]{{#{place(key, lesson)}}}"

    return "".join(
        part if DETAILS.fullmatch(part) else BOLD.sub(link, part) for part in split_details(text)
    )


def split_details(text: str) -> Iterator[str]:
    """Yield the parts of a text, those that are folded by themselves."""
    end = 0
    for match in DETAILS.finditer(text):
        yield text[end : match.start()]
        yield match[0]
        end = match.end()
    yield text[end:]


def place(term: str, lesson: str) -> str:
    """Return the anchor where a lesson explains a term."""
    return f"lesson-{lesson}-{re.sub(r'[^a-z0-9]+', '-', term.casefold()).strip('-')}"
