"""The project's words are those of the field: a name, comment or message has none of the old ones.

The lessons, and what learners read in figures and messages of the package `course`, are not judged
here.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT, python_files

CODE = ("autograder", "benchmarks", "hub", "course", "website")
PROSE = [
    *sorted((ROOT / "docs").glob("*.md")),
    # The changelog names what was renamed.
    *(page for page in sorted(ROOT.glob("*.md")) if page.name != "CHANGELOG.md"),
    ROOT / "hub" / "README.md",
    ROOT / "website" / "index.md",
    ROOT / "Makefile",
    ROOT / "pyproject.toml",
    *sorted((ROOT / ".github" / "workflows").glob("*.yml")),
]
# Parts of names, each with what is said instead.
NAMES = {
    "dice": "rng",
    "mood": "call_context",
    "patience": "timeout",
    "patiently": "retry_while_locked",
    "peer": "endpoint",
    "wire": "transport",
    "parcel": "payload",
    "parcels": "payloads",
    "thing": "object",
    "far": "remote",
    "shown": "exported",
    "owed": "pending",
    "standin": "proxy",
    "inert": "sanitized",
    "bait": "canary",
    "baits": "canaries",
    "obey": "handle_request",
    "unharmed": "isolate_failures",
    "contender": "baseline",
    "said": "output, log, message",
    "told": "message, report",
    "tell": "report, log",
    "whoever": "callers",
}
WHOLE_NAMES = {
    "need": "require",
    "lay_out": "write_files, publish",
    "lay_down": "write_files",
    "put_out": "deploy",
    "take_down": "remove",
    "let_go": "shutdown",
    "give_up": "drop_privileges",
    "separate": "unshare_namespaces",
    "in_words": "description",
    "learner_words": "error_text",
    "Desk": "FeedbackService",
    "Order": "GradingRequest",
    "Book": "GradebookSession",
    "a_day": "daily_limit",
    "found": "what it holds",
    "made": "what it holds",
    "given": "args",
    "own": "what it holds",
    "there": "what it holds",
}
# Patterns of prose: comments, docstrings, messages and pages.
TERMS = {
    r"\bdice\b(?! (?:score|loss|\d))": "random number generator",
    r"\b(throw|threw|throws|thrown) (a|the|its|their) (dice|die)\b": "draw",
    r"\bper cent\b": "%",
    r"\bstand-ins?\b": "proxy",
    r"\bparcels?\b": "payload",
    r"\bpatien(ce|tly)\b": "timeout, retry",
    r"\bbaits?\b": "canaries",
    r"\bmarks[- ]at[- ]once\b": "immediate feedback",
    r"--a-day\b": "--daily-limit",
    r"--unconfined\b": "--no-confine",
    r"\bpassed over\b": "skipped",
    r"\btrying on\b": "retrying",
    r"\bnot given\b": "missing",
    r"\bset-up cells?\b": "locked setup cell",
    r"\banswers' kernels?\b": "submission kernel",
    r"\bexaminer's kernels?\b": "test kernel",
    r"\bbank of (right and wrong )?answers\b": "answer bank",
    r"\bkind corrections?\b": "a correction",
    r"\bheld back\b": "validation set, test set",
    r"\bblind guess\b": "chance level",
    r"\bwhoever\b": "callers, or the role",
    r"\b(nobody|somebody)\b": "the role",
    r"\bfor ever\b": "forever",
    r"\bwhat comes of\b": "the outcome",
    r"\bover there\b": "remotely",
    r"\bhas to\b": "must",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\b(laid|lay|lays|lie|lies) (out|down)\b": "write, publish",
    r"\binert\b": "sanitised",
    r"(?<!there )\b(is|are) (?-i:none)\b": "is invalid",
    r"\bis no (number|data|whole number|test|lesson|notebook)\b": "is not a ...",
    r"\ba (row|cell|column|bar|module|line) a [a-z]+\b": "one per",
}


def files_of(folder: str) -> list[Path]:
    files = [p for p in python_files(ROOT / folder) if not {"node_modules", "lessons"} & {*p.parts}]
    assert files
    return files


def names_in(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and name of all that a module names: variables, arguments, functions, classes."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.Attribute(attr=name, ctx=ast.Store()):
                yield node.lineno, name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield node.lineno, name
            case ast.ClassDef(name=name):
                yield node.lineno, name


def old_names(name: str) -> list[str]:
    """Return the parts of a name that are words of the old list."""
    parts = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    found = [part for part in map(str.lower, parts) if part in NAMES]
    return [*found, *([name] if name.strip("_") in WHOLE_NAMES else [])]


def prose_of_code(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of comments, docstrings and other strings (of `course`: no messages)."""
    source, is_lesson = path.read_text(), path.is_relative_to(ROOT / "course")
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and (text := ast.get_docstring(node)):
            yield getattr(node, "lineno", 1), text
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and not is_lesson:
            yield node.lineno, node.value


def old_terms(text: str) -> list[str]:
    return [
        f"{hit[0]!r} (say: {instead})"
        for term, instead in TERMS.items()
        if (hit := re.search(term, " ".join(text.split()), re.IGNORECASE))
    ]


@pytest.mark.parametrize("folder", CODE)
def test_names_are_words_of_the_field(folder: str) -> None:
    hits = sorted(
        {
            f"{path.relative_to(ROOT)}:{line}: {name}"
            for path in files_of(folder)
            for line, name in names_in(path)
            if old_names(name)
        }
    )
    assert not hits, "\n".join(hits)


@pytest.mark.parametrize("folder", CODE)
def test_comments_docstrings_and_messages_use_words_of_the_field(folder: str) -> None:
    hits = sorted(
        {
            f"{path.relative_to(ROOT)}:{line}: {term}"
            for path in files_of(folder)
            for line, text in prose_of_code(path)
            for term in old_terms(text)
        }
    )
    assert not hits, "\n".join(hits)


@pytest.mark.parametrize("page", PROSE, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pages_use_words_of_the_field(page: Path) -> None:
    hits = [
        f"{page.name}: {term}"
        for paragraph in page.read_text().split("\n\n")
        for term in old_terms(paragraph)
    ]
    assert not hits, "\n".join(hits)


def test_the_lists_hit_what_they_are_for() -> None:
    assert old_names("StandInWire") == ["wire"]
    assert old_names("others_unharmed") == ["unharmed"]
    assert old_names("Order") == ["Order"]
    assert not old_names("order_of_rooms")
    assert old_terms("It throws the dice\nfor ever.")
    assert not old_terms("It draws a number.")
