"""The figures: drawn, labelled, described, the same every time, and legible."""

from __future__ import annotations

import importlib
import io
import itertools
import sys

import pandas as pd
import pytest

from course import draw
from course.draw import style
from tests.figures.counting import TABLE
from tests.support.paths import ROOT

FIGURES = {
    name: figure
    for module in sorted(path.stem for path in (ROOT / "tests" / "figures").glob("[a-z]*.py"))
    for name, figure in importlib.import_module(f"tests.figures.{module}").FIGURES.items()
}


@pytest.fixture(params=FIGURES)
def figure(request):
    return FIGURES[request.param]


@pytest.fixture
def drawings(monkeypatch):
    """Return (figure, alternative text) of what would be shown."""
    caught = []
    for name, module in list(sys.modules.items()):
        if name.startswith(("course.draw.", "course.explore")) and hasattr(module, "show"):
            monkeypatch.setattr(module, "show", lambda *pair: caught.append(pair))
    return caught


@pytest.fixture
def displayed(monkeypatch):
    """Return (data, metadata) of what would be displayed in the notebook."""
    caught = []
    monkeypatch.setattr(
        style, "display", lambda data, metadata, raw: caught.append((data, metadata))
    )
    return caught


def texts(figure):
    """Return all visible texts of a figure."""
    import matplotlib.text

    all_texts = figure.findobj(matplotlib.text.Text)
    return [text for text in all_texts if text.get_visible() and text.get_text().strip()]


def test_a_figure_is_labelled_and_described(figure, drawings):
    plot, labels, phrases = figure
    assert plot() is None, "no figure is left as a value"
    ((drawn, alt),) = drawings
    assert labels
    assert phrases
    written = "\n".join(text.get_text() for text in texts(drawn))
    assert [label for label in labels if label not in written] == []
    assert [word for word in phrases if word not in alt] == []


def test_no_two_labels_of_a_figure_overlap_and_all_can_be_read(figure, drawings):
    figure[0]()
    ((drawn, _),) = drawings
    drawn.savefig(io.BytesIO())  # puts legends and titles into their places
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(drawn)]
    for (one, first), (other, second) in itertools.combinations(boxes, 2):
        assert one == other or not first.overlaps(second), f"{one!r} overlaps {other!r}"
    assert min(text.get_fontsize() for text in texts(drawn)) >= 9


def test_a_figure_is_displayed_with_its_description_and_a_width_that_fits_the_same_each_time(
    figure, displayed
):
    figure[0]()
    figure[0]()
    (data, metadata), again = displayed
    assert (data, metadata) == again
    assert data["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == data["text/plain"]
    width = int.from_bytes(data["image/png"][16:20], "big")
    assert width <= 920, "wider than a notebook's page"


def test_a_figure_without_a_description_is_refused():
    from matplotlib.figure import Figure

    with pytest.raises(ValueError, match="words"):
        draw.show(Figure(), " ")


def test_a_table_is_printed_as_on_the_slide():
    table = draw.printed(TABLE)
    assert table.loc["Conv1", "neurons"] == "5,760"
    assert table.loc["Total", "parameters"] == "144,360"
    assert table.loc["Pool1", "parameters"] == "0"
    assert table.loc["FC1", "channels_out"] == table.loc["Pool1", "filter_plus_1"] == ""


@pytest.mark.parametrize("empty", [None, float("nan"), "", pd.NA])
def test_an_empty_cell_of_any_kind_does_not_break_a_figure(empty, drawings):
    table = TABLE.astype(object)
    table = table.where(table.notna(), empty)
    draw.net(table, "a net")
    draw.shares(table, "a net")
    assert draw.printed(table).equals(draw.printed(TABLE))
    assert "FC1 (100,)" in drawings[0][1]
