"""The words of the field: each is defined once, in the lesson that the glossary names."""

from __future__ import annotations

import re

import jupytext
import pytest

from tests.support.paths import ROOT

LESSONS = ("01", "02", "03")
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


@pytest.mark.parametrize("lesson", LESSONS)
def test_each_lesson_introduces_words_of_the_field(lesson: str) -> None:
    assert len([row for row in ROWS if row[2] == lesson]) >= 5


def test_no_term_stands_twice_in_the_glossary() -> None:
    terms = [term for term, *_ in ROWS]
    assert len(set(terms)) == len(terms)
