"""The site's pages, before Sphinx reads them: nothing secret, each page for a reader."""

from __future__ import annotations

import re
from functools import cache

import nbformat
import pytest

from autograder.authoring.build import notebook_path
from tests.support.paths import LESSONS, ROOT
from tests.support.secrets import secret_pieces, without_layout
from website import docs, glossary
from website.__main__ import site_pages
from website.lessons import Cell, markdown_of, page_of, place, read_cells, without_answers

FIGURE = re.compile(r"```\{image\} (\S+)")


@cache
def pages() -> dict[str, str]:
    """The text of each page."""
    return {name: text for name, text in site_pages(ROOT).items() if isinstance(text, str)}


def code(source: str, **metadata: object) -> Cell:
    """Return a code cell as in a notebook's JSON."""
    name = re.sub(r"\W+", "-", source)
    return {"cell_type": "code", "id": name, "source": source, "metadata": metadata}


@pytest.mark.parametrize("lesson", LESSONS)
def test_no_page_has_a_solution_or_a_hidden_test(lesson: str) -> None:
    texts = {name: without_layout(text) for name, text in pages().items()}
    pieces = secret_pieces(lesson)
    assert pieces, "a lesson without a solution"
    assert [(name, s) for s in pieces for name, text in texts.items() if s in text] == []


def test_a_page_with_a_solution_is_noticed() -> None:
    secret = secret_pieces("03_counting")[0]
    assert secret in without_layout(f"A text.\n\n    {secret}\n")


def test_outputs_that_need_an_answer_are_left_out() -> None:
    cells = [
        code("import numpy as np\nx = np.ones(3)", nbgrader={"locked": True}),
        code("print(x)", demonstration=True),
        code("def f(x):\n    ...", nbgrader={"solution": True}),
        code("assert f(1)\nlimit = 3", nbgrader={"grade": True, "points": 1}),
        code("y = f(x)", demonstration=True),
        code("def g():\n    return y", demonstration=True),
        code("print(g())", demonstration=True),
        code("print(limit)", demonstration=True),
        code("predict.table()", demonstration=True),
        code("y = 2", demonstration=True),
        code("print(y)", demonstration=True),
    ]
    assert without_answers(cells) == {"print-x-", "y-2", "print-y-"}


def test_what_answers_a_prediction_is_folded() -> None:
    text = page_of(ROOT, "03_counting").text
    asked = text.index("**Predict first:** 6 pixels, windows of 3, stride 2.")
    between = text[asked : FIGURE.search(text, asked).start()]  # type: ignore[union-attr]
    assert "<details><summary>Output</summary>" in between


def test_figures_have_their_text_and_their_file() -> None:
    page = page_of(ROOT, "01_filters")
    names = [name.removeprefix("{images}/") for name in FIGURE.findall(page.text)]
    assert names == [*page.images]
    assert page.images
    assert page.text.count(":alt: ") == len(names)


def test_unanswered_text_outputs_lose_the_lines_about_predictions() -> None:
    output = {"output_type": "stream", "text": "1\nit: you kept no prediction, it was yes\n"}
    cell = code("...")
    assert markdown_of([output], cell, page_of(ROOT, "01_filters")) == "```text\n1\n```"


def test_terms_and_lessons_lead_to_each_other() -> None:
    terms = glossary.terms_in(ROOT / "docs" / "glossary-course.md")
    assert terms
    page = pages()["docs/glossary-course.md"]
    for lesson in LESSONS:
        text = pages()[f"lessons/{lesson}.md"]
        here = [term for term in terms if term.lesson == lesson[:2]]
        for term in here:
            anchor = place(term.name, term.lesson)
            assert text.count(f"{{#{anchor}}}") == 1, term.name
            assert f"(#{anchor})" in page
            assert f"<{term.name}>`" in text


def test_each_page_of_the_docs_has_one_reader() -> None:
    listed = [page for group in docs.READERS.values() for page in group]
    assert len(set(listed)) == len(listed)
    written = {f"docs/{path.stem}" for path in (ROOT / "docs").glob("*.md")}
    assert written - {*listed} == {"docs/README", "docs/glossary-course"}


def test_links_hold_or_become_text() -> None:
    text = "[a](glossary.md#cell) [`b.py`](../course/b.py) [03](../lessons/03_counting.py) <a>"
    known = {"docs/glossary.md", "lessons/03_counting.md"}
    assert docs.converted(text, "docs/page.md", known) == (
        "[a](/docs/glossary.md#cell) `b.py` [03](/lessons/03_counting.md) <a>"
    )


def test_the_course_s_api_is_all_that_it_exports() -> None:
    page = pages()["docs/api-course.md"]
    text = (ROOT / "course" / "check" / "__init__.py").read_text()
    names = re.findall(r'^    "(\w+)",$', text, flags=re.M)
    assert names
    assert [name for name in names if f"function}} {name}(" not in page] == []


def test_outputs_of_the_site_are_read_by_the_ids_of_the_release() -> None:
    for lesson in LESSONS:
        released = read_cells(notebook_path(ROOT / "release", lesson))
        source = nbformat.read(notebook_path(ROOT / "source", lesson), as_version=4)
        assert [cell["id"] for cell in released] == [cell["id"] for cell in source.cells]
