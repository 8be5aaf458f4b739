"""A graded notebook holds no active content of the submission."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import nbformat
import pandas as pd
import pytest
from nbconvert import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import (
    new_code_cell,
    new_markdown_cell,
    new_notebook,
    new_output,
    new_raw_cell,
)

from autograder.grading.sanitize import (
    MAX_ITEM_CHARS,
    MAX_NOTEBOOK_CHARS,
    Page,
    sanitize_notebook,
    sanitized_markdown,
)
from tests.support.pages import active_parts

SCRIPT = "<script>alert('gotcha')</script>"


def page_of(*cells: NotebookNode) -> str:
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(new_notebook(cells=[*cells]))
    return page


def showing(data: dict[str, Any], metadata: dict[str, Any] | None = None) -> NotebookNode:
    output = new_output(
        "display_data", data={"text/plain": "here", **data}, metadata=metadata or {}
    )
    return new_code_cell("1", outputs=[output])


def sanitized(*cells: NotebookNode) -> list[NotebookNode]:
    notebook = new_notebook()
    notebook.cells = [*cells]
    sanitize_notebook(notebook)
    return notebook.cells


@pytest.mark.parametrize(
    "cell",
    [
        showing({"text/html": SCRIPT}),
        showing({"text/html": "<img src=x onerror=\"alert('gotcha')\">"}),
        showing({"text/html": "<a href='java\tscript:alert(1)'>gotcha</a>"}),
        showing({"text/html": "<svg><a xlink:href='javascript:alert(1)'>x</a></svg>"}),
        showing({"text/html": "<b>x</b>"}, {"text/html": {"isolated": True}}),
        showing({"text/html": "$\\href{javascript:alert('gotcha')}{x}$"}),
        showing({"text/markdown": SCRIPT}),
        showing({"text/markdown": "[x](javascript:alert('gotcha'))"}),
        showing({"text/latex": "$\\href{javascript:alert('gotcha')}{x}$"}),
        showing({"application/javascript": "alert('gotcha')"}),
        showing({"image/png": "AAAA"}, {"image/png": {"width": "1 onload=alert('gotcha')"}}),
        new_markdown_cell(SCRIPT),
        new_markdown_cell("text <b onclick=\"alert('gotcha')\">x</b>"),
        new_markdown_cell("<div onclick=alert('gotcha')\n\nand >"),
        new_markdown_cell("<!--><script>alert('gotcha')</script>-->"),
        new_markdown_cell("[x]\n\n[x]: javascript:alert('gotcha')"),
        new_markdown_cell("<iframe srcdoc='x'></iframe>"),
    ],
)
def test_active_content_is_removed(cell: NotebookNode) -> None:
    assert active_parts(page_of(cell))
    [clean] = sanitized(cell)
    assert active_parts(page_of(clean)) == []


def test_a_table_a_picture_and_its_description_stay() -> None:
    frame = pd.DataFrame({"size": [3, 5]})
    picture = showing({"image/png": "AAAA"}, {"image/png": {"alt": "a grey square", "width": 9}})
    page = page_of(*sanitized(showing({"text/html": frame._repr_html_()}), picture))
    assert '<table border="1" class="dataframe">' in page
    assert "<td>5</td>" in page
    assert "only-of-type" not in page.split("<body")[1]
    assert 'alt="a grey square"' in page
    assert 'width="9"' in page


def test_metadata_and_names_of_a_cell_stay_text() -> None:
    cell = new_code_cell("1", outputs=[new_output("stream", text=SCRIPT)])
    cell["id"] = cell.execution_count = cell.outputs[0].name = SCRIPT
    [clean, raw] = sanitized(cell, new_raw_cell(SCRIPT))
    assert "<" not in raw.source
    assert clean.execution_count is None
    assert clean.outputs == [new_output("stream", name="stdout", text=SCRIPT)]
    assert SCRIPT not in page_of(clean)


@pytest.mark.parametrize(
    ("kind", "text"),
    [("text/html", "<a href='own.html'>look</a>"), ("text/markdown", "[look](own.html)")],
)
def test_no_link_leads_to_another_file_of_the_submission(kind: str, text: str) -> None:
    assert 'href="own.html"' in page_of(showing({kind: text}))
    assert 'href="own.html"' not in page_of(*sanitized(showing({kind: text})))


@pytest.mark.parametrize(
    "text",
    [
        r"$\style{position:fixed}{x}$", r"$\class{modal}{x}$", r"$\cssId{score}{x}$",
        r"$\require{action}$", r"$\bbox[position:fixed]{x}$", r"$\mmlToken{mi}[href=x]{x}$",
        "![x](/hub/logout)", "![x](../../hub/logout)", "![x](%2E%2e/hub)", "![x](a?b)",
        "# test-double", "# test-double-comment", "# notebook",
    ],
)  # fmt: skip
def test_the_grading_page_keeps_its_look_and_its_requests(text: str) -> None:
    page = Page(ids=frozenset({"test-double", "test-double-comment", "notebook"}))
    assert sanitized_markdown(text, page) == f"    {text}"


def test_ids_of_graded_cells_are_taken() -> None:
    graded = new_code_cell("1", metadata={"nbgrader": {"grade_id": "essay"}})
    _, heading, other = sanitized(
        graded, new_markdown_cell("# essay"), new_markdown_cell("# Essay")
    )
    assert heading.source == "    # essay"
    assert other.source == "# Essay"


SLOW_TO_COLOUR = {
    "easytrieve": "\t" * 1_800, "autoit": " " * 4_000, "xpp": "a\n" * 2_000,
    "r": '"' + "a" * 20_000, "ipython3": "." * 30_000, "python easytrieve": "\t" * 1_800,
}  # fmt: skip


@pytest.mark.parametrize("language", SLOW_TO_COLOUR)
@pytest.mark.parametrize("before", ["", "> ", "- ", "1. > "])
def test_blocks_of_code_in_an_unusual_language_have_no_colours(language: str, before: str) -> None:
    block = f"{before}```{language}\n{SLOW_TO_COLOUR[language]}\n```"
    began = time.process_time()
    (cell,) = sanitized(new_markdown_cell(block))
    page_of(cell)
    assert time.process_time() - began < 3
    assert language not in cell.source


def test_python_in_markdown_keeps_its_language() -> None:
    text = "Like this:\n\n```python\ndouble(2)\n```\n\n```\nplain\n```\n"
    (cell,) = sanitized(new_markdown_cell(text))
    assert cell.source == text


@pytest.mark.parametrize("language", ["python", "R", None])
def test_code_is_coloured_in_linear_time(language: str | None) -> None:
    notebook = new_notebook()
    notebook.cells = [new_code_cell("x = " + "." * 30_000), new_code_cell('"' + "a" * 30_000)]
    if language:
        notebook.metadata["language_info"] = {"name": language, "pygments_lexer": "ipython3"}
    sanitize_notebook(notebook)
    nbformat.validate(notebook)
    began = time.process_time()
    HTMLExporter(template_name="classic").from_notebook_node(notebook)
    assert time.process_time() - began < 5


def test_too_many_colours_are_left_out_and_the_text_stays() -> None:
    few = new_output("stream", text="\x1b[31mred\x1b[0m")
    many = new_output("stream", text="\x1b[31ma" * 300_000)
    errors = new_output("error", ename="E", evalue="", traceback=["\x1b[31mb" * 300_000])
    began = time.process_time()
    cell, _ = sanitized(new_code_cell("1", outputs=[few, many, errors]), new_markdown_cell("x"))
    page_of(cell)
    assert time.process_time() - began < 5
    assert cell.outputs[0].text == "\x1b[31mred\x1b[0m"
    assert cell.outputs[1].text == "a" * 300_000
    assert cell.outputs[2].traceback == ["b" * 300_000]


def test_too_much_markup_is_left_out_and_the_text_stays() -> None:
    cells = sanitized(
        showing({"text/html": "<b>" * MAX_ITEM_CHARS}),
        *(
            showing({"text/html": "<p>x</p>" * 5000})
            for _ in range(MAX_NOTEBOOK_CHARS // 40_000 + 1)
        ),
    )
    data = [cell.outputs[0].data for cell in cells]
    assert data[0] == data[-1] == {"text/plain": "here"}
    assert "text/html" in data[1]


def test_the_text_of_lessons_stays_as_it_is(root: Path) -> None:
    paths = list((root / "release").glob("*/*.ipynb"))
    assert paths
    for path in paths:
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "markdown":
                assert sanitized_markdown(cell.source, Page()) == cell.source


@pytest.mark.parametrize(
    "text",
    [
        "1 < 2 & a<b",
        "$a < b$",
        "- [x] done",
        "<https://pytorch.org>",
        "**x** <b>y</b>",
        "`<script>`",
    ],
)
def test_honest_markdown_stays_as_it_is(text: str) -> None:
    assert sanitized_markdown(text, Page()) == text
