"""A graded notebook holds no active content of the submission."""

from __future__ import annotations

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
    MarkupBudget,
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
                assert sanitized_markdown(cell.source, MarkupBudget()) == cell.source


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
    assert sanitized_markdown(text, MarkupBudget()) == text
