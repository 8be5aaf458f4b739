"""The words of the field: each is defined once, in the lesson that the glossary names."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import jupytext
import pytest

from tests.support.paths import ROOT

LESSONS = ("01", "02", "03", "04", "05", "06", "07", "09", "10", "11")
PAGE = ROOT / "docs" / "glossary-course.md"
ROW = re.compile(r"\| ([^|]+) \| ([^|]+) \| (\d\d) \| ([^|]*)\|")
ROWS = [match.groups() for line in PAGE.read_text().split("\n") if (match := ROW.fullmatch(line))]
FOLDED = re.compile(r"<details>.*?</details>", re.DOTALL)
BOLD = re.compile(r"\*\*([^*]+)\*\*")


def bold_in(lesson: str) -> list[str]:
    """Return what stands in bold in the text of a lesson, in small letters and without its stop."""
    (path,) = (ROOT / "lessons").glob(f"{lesson}_*.py")
    cells = jupytext.read(path, fmt="py:percent").cells
    texts = [FOLDED.sub("", cell.source) for cell in cells if cell.cell_type == "markdown"]
    terms = BOLD.findall("\n\n".join(texts))
    return [" ".join(term.split()).strip(".:,").casefold() for term in terms]


BOLD_BY_LESSON = {lesson: bold_in(lesson) for lesson in LESSONS}


@pytest.mark.parametrize(("term", "meaning", "lesson", "paper"), ROWS, ids=[r[0] for r in ROWS])
def test_a_term_is_defined_once_in_its_lesson(
    term: str, meaning: str, lesson: str, paper: str
) -> None:
    assert meaning.strip().endswith(".")
    places = [
        name for name, bold in BOLD_BY_LESSON.items() for each in bold if each == term.casefold()
    ]
    assert places == [lesson]


@pytest.mark.parametrize("lesson", [name for name in LESSONS if name != "10"])  # an examination
def test_each_lesson_introduces_words_of_the_field(lesson: str) -> None:
    assert len([row for row in ROWS if row[2] == lesson]) >= 5


def test_no_term_stands_twice_in_the_glossary() -> None:
    terms = [term for term, *_ in ROWS]
    assert len(set(terms)) == len(terms)


# Words of an earlier dialect, each with what the lessons say instead: in texts, messages, figures.
OLD = {
    r"\bdice\b(?! of\b)|\b(throw|throws|thrown)\b": "draw",
    r"\bper cent\b": "%",
    r"\bin per\b": "accuracy (%)",
    r"\bkind (correction|note)s?\b": "correction",
    r"\bby heart\b": "memorised",
    r"(?<!learning )\b(rate that|its rate|the rate|rate of|rates of)\b": "learning rate",
    r"\ba bend\b": "nonlinearity",
    r"(?<!cross-)\blinks\b": "connections",
    r"\bin use\b": "inference",
    r"\b(a|the|mean and|and) spread\b|\bspread of\b": "standard deviation",
    r"\bheld[- ]back\b|\bthose held\b": "validation set, test set",
    r"\bunseen\b": "validation set, test set",
    r"\bblind guess(es)?\b": "chance level",
    r"\bnets?\b": "network, model",
    r"\b\d+ a class\b|\ba (row|cell|column|bar|line) an? [a-z]+\b": "per",
    r"\bonce an (epoch|output|image)\b|\bonce a (layer|sum|weight)\b": "per",
    r"\bstand-ins?\b": "proxy",
    r"\bwhoever\b|\b(nobody|somebody)\b": "the role",
    r"\bfor ever\b": "forever",
    r"\bhas to\b|\bhave to\b": "must",
    r"\bmend(s|ed|ing)?\b": "fix, correct",
    r"\banswers? (to|best|twice) (a|the|an|its|vertical|horizontal|thin)?\b": "response",
    r"\bthe truth\b": "true label",
    r"\bno number\b": "is not a number",
}
NAMES = {"found", "made", "given", "own", "there", "said", "told", "shown", "tell", "held"}
FIGURES = (
    *("filters", "convolution", "counting", "lenet", "training"),
    *("architectures", "inside", "coursework", "detection"),
)
SOURCES = [
    *(path for name in LESSONS for path in (ROOT / "lessons").glob(f"{name}_*.py")),
    *(ROOT / "course" / "draw" / f"{name}.py" for name in FIGURES),
]
CODE_SPAN = re.compile(r"`[^`]*`")


def texts_of(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of what a reader sees: strings, and comments (the text of cells).

    Comments on lines one after the other are one text.
    """
    comment, first, last = "", 0, 0
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.STRING:
            yield token.start[0], token.string
        elif token.type == tokenize.COMMENT and not token.string.startswith("# %%"):
            line = token.start[0]
            if line != last + 1:
                yield first, comment
                comment, first = "", line
            comment, last = f"{comment} {token.string.lstrip('#')}", line
    yield first, comment


def old_words(text: str) -> list[str]:
    words = " ".join(CODE_SPAN.sub("", text).split())
    return [
        f"{hit[0]!r} (say: {new})" for old, new in OLD.items() if (hit := re.search(old, words))
    ]


@pytest.mark.parametrize("path", SOURCES, ids=[path.stem for path in SOURCES])
def test_texts_and_messages_use_words_of_the_field(path: Path) -> None:
    hits = [
        f"{path.name}:{line}: {old}" for line, text in texts_of(path) for old in old_words(text)
    ]
    assert not hits, "\n".join(hits)


@pytest.mark.parametrize("path", SOURCES, ids=[path.stem for path in SOURCES])
def test_names_are_words_of_the_field(path: Path) -> None:
    nodes = [*ast.walk(ast.parse(path.read_text()))]
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    names |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    assert not names & NAMES


def test_the_list_hits_what_it_is_for() -> None:
    assert old_words("# A net that answers to a line: 500 a class, by heart.")
    assert not old_words("# A network whose response is memorised, 500 per class, `net(x)`.")
