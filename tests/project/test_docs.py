"""Pages lead to what exists, and their tables say what the code says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from autograder.cli import app
from autograder.execution import cells
from autograder.execution.doctor import Finding
from autograder.execution.kernels import PRINTED
from autograder.grading import verdict
from autograder.grading.coordinator import FROM
from autograder.grading.results import CellResult, Result
from autograder.limits import NAMES
from autograder.service.watch import JournalEntry
from tests.support.paths import ROOT, python_files

PAGES = sorted(
    [*(ROOT / "docs").glob("*.md")]
    + [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")]
)
FOLDERS = (
    *(
        ".ci",
        ".github",
        "answers",
        "autograder",
        "benchmarks",
        "course",
        "docs",
        "hub",
        "lab",
        "lessons",
    ),
    *("release", "source", "tests"),
)
PATH = re.compile(rf"({'|'.join(map(re.escape, FOLDERS))})/[^\s:]*|[\w-]+\.(md|toml|lock|yml)")
# Paths of a classroom, of an example, or of an earlier version, and not of the repository.
ELSEWHERE = {"hub/jupyterhub.sqlite", "NOTES.md", "deadlines.toml", "tests/answers/"}
PLACEHOLDER = re.compile(r"[<…]|NN_|\d\d_name|/name\.py")
FORMATS: tuple[Any, ...] = (Result, CellResult, Finding, JournalEntry)
OUTCOMES = (
    *(verdict.PASSED, verdict.FAILED, cells.TIMED_OUT, cells.OUT_OF_MEMORY, cells.CRASHED),
    *(verdict.NOT_RUN, verdict.TO_MARK, verdict.NO_RESPONSE),
)
KEYS = {cells.ENDED, PRINTED, verdict.VERDICT, FROM}


def read(page: str) -> str:
    """Return the text of a page of docs/."""
    return (ROOT / "docs" / f"{page}.md").read_text()


def without_code(text: str) -> str:
    """Return a page without its blocks of code."""
    return re.sub(r"```.*?```", "", text, flags=re.S)


def spans(text: str) -> list[str]:
    """Return the code spans of a text."""
    return re.findall(r"`([^`\n]+)`", text)


def section(text: str, heading: str) -> str:
    """Return what stands under a heading of any level."""
    found = re.search(rf"^(#+) {re.escape(heading)}\n(.*?)(?=^#|\Z)", text, flags=re.M | re.S)
    assert found, f"no heading {heading!r}"
    return found[2]


def rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of each row of the tables in a text, but for their heads."""
    for table in re.findall(r"(?:^ *\|.*\n?)+", text, flags=re.M):
        for line in table.strip().splitlines()[2:]:
            yield [cell.strip() for cell in line.strip().strip("|").split("|")]


def first_column(text: str) -> list[str]:
    """Return the code spans in the first column of the tables in a text."""
    return [name for row in rows(text) for name in spans(row[0])]


def table_under(text: str, head: str) -> str:
    """Return the table whose first column has this head."""
    found = re.search(rf"^\| {re.escape(head)} \|.*\n(?:\|.*\n?)+", text, flags=re.M)
    assert found, f"no table of {head!r}"
    return found[0]


@cache
def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", without_code(page.read_text()), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@cache
def definitions(path: Path) -> set[str]:
    """Return the names of functions, classes and methods in a Python file: "f", "C", "C.f"."""
    tree = ast.parse(path.read_text())
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    top = [node for node in tree.body if isinstance(node, kinds)]
    members = {
        f"{node.name}.{member.name}"
        for node in top
        if isinstance(node, ast.ClassDef)
        for member in node.body
        if isinstance(member, kinds)
    }
    return {node.name for node in top} | members


def broken_link(page: Path, target: str) -> str:
    """Return a relative link that leads nowhere, else an empty string."""
    path, _, anchor = target.partition("#")
    found = (page.parent / path).resolve() if path else page
    is_there = found.exists() and (not anchor or anchor in anchors(found))
    return "" if is_there else target


def broken_path(span: str) -> str:
    """Return a repository path that does not exist, else an empty string.

    A path may be a pattern, and a function or class may follow it after a colon.
    """
    path, _, name = span.partition(":")
    if not PATH.fullmatch(path) or path in ELSEWHERE or PLACEHOLDER.search(path):
        return ""
    found = [*ROOT.glob(path.rstrip("/"))] or [*(ROOT / "docs").glob(path)]
    if found and (not name or name.isdigit() or name in definitions(found[0])):
        return ""
    return span


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text()))
    relative = [target for target in targets if not re.match(r"\w+:", target)]
    assert [broken for target in relative if (broken := broken_link(page, target))] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_paths_and_functions_in_code_spans_exist(page: Path) -> None:
    words = [word for span in spans(without_code(page.read_text())) for word in span.split()]
    assert [broken for word in words if (broken := broken_path(word.rstrip(",;")))] == []


def test_a_path_that_does_not_exist_is_noticed() -> None:
    broken = ("autograder/none.py", "tests/none/*.py", "autograder/limits.py:none")
    assert [broken_path(span) for span in broken] == [*broken]
    right = ("autograder/limits.py:Limits.of_process", "tests/submissions/*.py", "marks.json")
    assert [broken_path(span) for span in right] == ["", "", ""]
    page = ROOT / "docs" / "formats.md"
    targets = ("none.md", "architecture.md#none", "#none", "../README.md", "#digest")
    assert [broken_link(page, target) for target in targets] == [*targets[:3], "", ""]


def test_each_page_is_in_the_index() -> None:
    index = read("README")
    missing = {page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in index}
    assert missing == {"README.md"}


@pytest.mark.parametrize("kind", FORMATS, ids=lambda kind: kind.__name__)
def test_documented_fields_are_those_of_the_dataclass(kind: Any) -> None:
    table = section(read("formats"), f"`{kind.__name__}`")
    assert first_column(table) == [field.name for field in fields(kind)]


def test_documented_outcomes_are_those_of_verdicts() -> None:
    assert first_column(section(read("formats"), "Outcomes")) == [*OUTCOMES]


def test_metadata_keys_of_the_grader_are_documented() -> None:
    documented = first_column(section(read("formats"), "Metadata of notebooks and cells"))
    assert set(documented) >= KEYS
    assert len(documented) == len(set(documented))


def test_options_for_instructors_are_those_of_the_command() -> None:
    command: Any = typer.main.get_command(app)
    options = [
        {*option.opts, *option.secondary_opts}
        for option in command.commands["grade"].params
        if option.param_type_name == "option"
    ]
    documented = {
        span.split()[0] for span in first_column(section(read("instructors"), "Grade"))
    } - {*NAMES}
    assert {name for names in options for name in names} >= documented
    assert [names for names in options if names.isdisjoint(documented)] == []


@pytest.mark.parametrize("page", ["instructors", "architecture"])
def test_documented_limits_are_all_that_there_are(page: str) -> None:
    assert sorted(first_column(table_under(read(page), "limit"))) == sorted(NAMES)


def test_the_table_of_rooms_names_each_module() -> None:
    documented = {
        (room, module)
        for where, _, modules in rows(table_under(read("architecture"), "room"))
        for room in [where.strip("`/").removeprefix("autograder/").removesuffix(".py")]
        for module in spans(modules)
    }
    package = ROOT / "autograder"
    files = [path.relative_to(package) for path in python_files(package)]
    ground = {"errors", "limits", "log", "terminal", "versions"}
    assert documented == {
        (file.parts[0] if file.parts[1:] else "ground" if file.stem in ground else file.stem,
         file.stem)
        for file in files
        if file.stem != "__init__"
    }  # fmt: skip
