"""Each guard of the sanitiser by itself: what it lets through, and what it stops."""

from __future__ import annotations

import time
from typing import Any

import pytest
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from autograder.grading.sanitize import (
    MAX_DEPTH,
    MAX_ESCAPES,
    MAX_ITEM_CHARS,
    MAX_NOTEBOOK_CHARS,
    Page,
    sanitize_notebook,
    sanitized_data,
    sanitized_markdown,
)

SCRIPT = "<script>alert('gotcha')</script>"
ROW = '<table border="1"><tbody><tr>'


def sanitized(*cells: NotebookNode) -> list[NotebookNode]:
    """Return the cells of a notebook after sanitising."""
    notebook = new_notebook()
    notebook.cells = [*cells]
    sanitize_notebook(notebook)
    return notebook.cells


def output_of(output: NotebookNode) -> NotebookNode:
    """Return what is left of an output, which is something."""
    cell = new_code_cell("1")
    cell.outputs = [output]
    [cell] = sanitized(cell)
    [left] = cell.outputs
    return left


def displayed(data: dict[str, Any], kind: str = "display_data", **fields: Any) -> NotebookNode:
    """Return an output with fields that nbformat would not make."""
    return from_dict({"output_type": kind, "data": data, "metadata": {}, **fields})


def left(kind: str, value: Any, metadata: Any = None) -> Any:
    """Return what is left of one form of an output, beside its text."""
    given = metadata if isinstance(metadata, dict) else {}
    output = displayed({"text/plain": "here", kind: value}, metadata=given)
    return output_of(output).data.get(kind)


def test_an_output_of_which_nothing_is_left_is_left_out() -> None:
    cell = new_code_cell("1")
    cell.outputs = [
        displayed({"application/javascript": "alert(1)"}),
        displayed({"text/plain": ""}),
        new_output("stream", text=""),
    ]
    [cell] = sanitized(cell)
    assert cell.outputs == [new_output("stream", text="")]


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text/plain", ["x"]),
        ("text/plain", {"x": SCRIPT}),
        ("image/png", ["AAAA"]),
        ("text/html", ["<b>x</b>"]),
        ("text/markdown", 3),
        ("text/latex", None),
        ("image/png", 'AAAA" onload="alert(1)'),
        ("image/jpeg", "<AAAA>"),
        ("image/svg+xml", "<svg/>"),
        ("application/json", "{}"),
        ("application/vnd.jupyter.widget-view+json", {"model_id": "x"}),
    ],
)
def test_a_form_that_is_not_what_it_says_is_left_out(kind: str, value: Any) -> None:
    output = displayed({kind: value, "text/latex" if kind != "text/latex" else "text/plain": "x"})
    assert kind not in output_of(output).data


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text/plain", SCRIPT),
        ("text/latex", "$x^2$"),
        ("image/png", "iVBORw0KGgo=\n"),
        ("image/jpeg", "/9j/4AAQ+Sk="),
        ("text/html", "<b>x</b>"),
        ("text/html", f'{ROW}<td colspan="2">x</td></tr></tbody></table>'),
        ("text/html", '<a href="https://pytorch.org">x</a>'),
        ("text/markdown", "**x**"),
    ],
)
def test_what_can_be_looked_at_stays(kind: str, value: str) -> None:
    assert left(kind, value) == value


@pytest.mark.parametrize(
    ("value", "stays"),
    [
        ('<a href="own.html">x</a>', "<a>x</a>"),
        ('<a class="https://pytorch.org">x</a>', "<a>x</a>"),
        ('<a target="https://pytorch.org">x</a>', "<a>x</a>"),
        ('<a id="#x" href="#x">x</a>', '<a href="#x">x</a>'),
        (f'{ROW}<td width="2"></td></tr></tbody></table>', f"{ROW}<td></td></tr></tbody></table>"),
        ("<style>b { color: red }</style><b>x</b>", "<b>x</b>"),
        # What would lie over the grading page.
        ('<div class="modal fade in navbar-fixed-top">x</div>', "<div>x</div>"),
        (
            '<b style="color: red; width: 100%; position: fixed">x</b>',
            '<b style="color: red;">x</b>',
        ),
    ],
)
def test_html_keeps_no_other_attribute(value: str, stays: str) -> None:
    assert left("text/html", value) == stays


@pytest.mark.parametrize(
    "text", ["attachment:<script>", "![x](attachment:<script>alert(1)</script>)"]
)
@pytest.mark.parametrize("known", [True, False])
def test_the_name_of_a_picture_hides_no_tag(text: str, known: bool) -> None:
    cell = new_markdown_cell(text)
    names = ("<script>", "<script", "<script>alert(1)</script>")
    cell["attachments"] = {n: {"image/png": "AAAA"} for n in names} if known else {}
    notebook = new_notebook(cells=[cell])
    sanitize_notebook(notebook)
    (cell,) = notebook.cells
    assert cell.source == f"    {text}"  # a block of code


def test_a_form_without_its_picture_keeps_no_metadata() -> None:
    metadata = {"image/png": {"alt": "a square"}, "image/jpeg": {"alt": SCRIPT}}
    output = displayed({"text/plain": "x", "image/png": "AAAA"}, metadata=metadata)
    assert output_of(output).metadata == {"image/png": {"alt": "a square"}}
    output = displayed({"text/plain": "x", "image/png": "<"}, metadata=metadata)
    assert output_of(output).metadata == {}


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (
            {"width": 9, "height": 8, "alt": "a", "isolated": True},
            {"width": 9, "height": 8, "alt": "a"},
        ),
        ({"width": "9 onload=alert(1)", "height": 8}, {"height": 8}),
        ({"alt": ["a"]}, {"alt": "['a']"}),
        ({}, {}),
        (["width"], {}),
        ("alt", {}),
        (None, {}),
    ],
)
def test_metadata_of_a_picture_is_its_size_and_its_words(given: Any, kept: dict[str, Any]) -> None:
    output = displayed({"image/png": "AAAA"}, metadata={"image/png": given})
    assert output_of(output).metadata == {"image/png": kept}


@pytest.mark.parametrize(("count", "kept"), [(3, 3), (SCRIPT, None), (None, None)])
def test_a_result_keeps_its_number_and_nothing_else_for_it(count: Any, kept: int | None) -> None:
    shown = displayed({"text/plain": "x"}, "execute_result", execution_count=count)
    assert output_of(shown).execution_count == kept
    # A display has none, whatever is handed in.
    display = displayed({"text/plain": "x"}, execution_count=count)
    assert "execution_count" not in output_of(display)


def test_an_error_is_text_with_no_more_than_its_fields() -> None:
    error = from_dict(
        {"output_type": "error", "ename": 1, "evalue": [SCRIPT], "traceback": [1], "more": SCRIPT}
    )
    assert output_of(error) == new_output(
        "error", ename="1", evalue=f"[{SCRIPT!r}]", traceback=["1"]
    )


@pytest.mark.parametrize(("name", "kept"), [("stderr", "stderr"), (SCRIPT, "stdout")])
def test_a_stream_has_one_of_two_names(name: str, kept: str) -> None:
    stream = from_dict({"output_type": "stream", "name": name, "text": 3, "more": SCRIPT})
    assert output_of(stream) == new_output("stream", name=kept, text="3")


def test_a_cell_has_an_id_that_can_be_part_of_a_page() -> None:
    kept, long, script = (new_markdown_cell("x") for _ in range(3))
    kept["id"], long["id"], script["id"] = "a-Z_0" * 12 + "wxyz", "a" * 65, 'x" onload="alert(1)'
    sanitized(kept, long, script)
    assert kept.id == "a-Z_0" * 12 + "wxyz"
    assert len(kept.id) == 64
    assert {len(cell.id) for cell in (long, script)} == {8}
    assert long.id != script.id


def test_a_cell_has_a_number_or_none() -> None:
    numbered, script = (new_code_cell("1") for _ in range(2))
    numbered.execution_count, script.execution_count = 7, SCRIPT
    sanitized(numbered, script)
    assert (numbered.execution_count, script.execution_count) == (7, None)


def test_what_the_instructor_wrote_stays_and_a_raw_cell_is_text() -> None:
    locked = {"nbgrader": {"grade_id": "a", "locked": True, "grade": False, "solution": False}}
    cells = sanitized(
        new_markdown_cell(SCRIPT, metadata=locked), new_markdown_cell(SCRIPT), new_raw_cell("a < b")
    )
    assert [cell.source for cell in cells] == [SCRIPT, f"    {SCRIPT}", "a &lt; b"]


def test_one_form_has_a_largest_size() -> None:
    assert Page().take("x" * MAX_ITEM_CHARS)
    assert not Page().take("x" * (MAX_ITEM_CHARS + 1))
    assert sanitized_markdown("x" * MAX_ITEM_CHARS, Page()) == "x" * MAX_ITEM_CHARS
    assert sanitized_markdown("x" * (MAX_ITEM_CHARS + 1), Page()) == "    " + "x" * (
        MAX_ITEM_CHARS + 1
    )
    assert left("text/html", "x" * MAX_ITEM_CHARS)
    assert left("text/html", "x" * (MAX_ITEM_CHARS + 1)) is None


def test_all_of_a_notebook_has_a_largest_size() -> None:
    assert MAX_NOTEBOOK_CHARS % MAX_ITEM_CHARS == 0
    budget = Page()
    assert all(
        budget.take("x" * MAX_ITEM_CHARS) for _ in range(MAX_NOTEBOOK_CHARS // MAX_ITEM_CHARS)
    )
    assert not budget.take("x")


@pytest.mark.parametrize(
    "words",
    [
        "![x](https://elsewhere.org/x.png)",
        "![x](//elsewhere.org/x.png)",
        "[x](data:text/html,gotcha)",
        "[x](own.html)",
        "<p onclick='x'>y</p>",
        "<script src=x>",
        "<b style='background: url(x)'>x</b>",
        "<input type=image src=x>",
        "$\\href{x}{y}$",
    ],
)
def test_markdown_that_would_become_more_than_text_is_shown_as_it_was_written(words: str) -> None:
    assert sanitized_markdown(words, Page()) == f"    {words}"


@pytest.mark.parametrize(
    "words",
    [
        "![x](own.png)",
        "[x](https://pytorch.org 'the title')",
        "# a\n\n1. b\n2. c\n\n| a | b |\n|:-:|--:|\n| 1 | 2 |",
        "3. starts elsewhere",
        "<B>x</B>",
    ],
)
def test_what_markdown_makes_of_itself_stays(words: str) -> None:
    assert sanitized_markdown(words, Page()) == words


MANY = "".join(f"<b title={k}>" for k in range(98))


@pytest.mark.parametrize(
    "value",
    [
        f"<p>{MANY}</p>" + "<p>x</p>" * 500,
        f"<p>{MANY}" + "<p>x" * 500,
        f"<p>{MANY}" + "<p>x" * 500 + "</b>" * 98,
    ],
    ids=["left open", "blocks left open", "closed at the end"],
)
def test_formatting_that_html_would_open_again_and_again_is_left_out_at_once(value: str) -> None:
    began = time.process_time()
    assert sanitized_data("text/html", value, Page()) == ""
    assert time.process_time() - began < 1


def test_formatting_in_formatting_stays() -> None:
    value = '<p><a href="https://a.example"><b><i><code>x</code></i></b></a></p>' * 20
    assert sanitized_data("text/html", value, Page()) == value


def test_html_has_a_largest_depth() -> None:
    assert MAX_DEPTH == 100
    deepest = "<div>" * MAX_DEPTH + "x" + "</div>" * MAX_DEPTH
    assert sanitized_data("text/html", deepest, Page()) == deepest
    assert sanitized_data("text/html", f"<p>{deepest}</p>", Page()) == ""


def test_a_notebook_has_a_largest_number_of_colours() -> None:
    page, most = Page(), "\x1b[31ma" * MAX_ESCAPES
    assert sanitized_data("text/plain", most, page) == most
    assert sanitized_data("text/plain", "\x1b[31ma", page) == "a"


@pytest.mark.parametrize(
    ("metadata", "language", "lexer"),
    [
        ({}, "python", "python"),
        ({"kernelspec": {"language": "R"}}, "R", "text"),
        (
            {"kernelspec": {"language": "R"}, "language_info": {"name": "python"}},
            "python",
            "python",
        ),
        ({"language_info": {"name": "R", "pygments_lexer": "ipython3"}}, "R", "text"),
    ],
)
def test_code_is_coloured_as_the_language_that_the_notebook_names(
    metadata: dict[str, Any], language: str, lexer: str
) -> None:
    notebook = new_notebook()
    notebook.metadata = from_dict(metadata)
    sanitize_notebook(notebook)
    info = notebook.metadata["language_info"]
    assert (info["name"], info["pygments_lexer"]) == (language, lexer)
