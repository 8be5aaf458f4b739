"""The figures: drawn, labelled, told in words, the same every time, and legible."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pandas as pd
import pytest

from course import draw, explore

COLUMNS = ["n", "channels_in", "f", "p", "s", "out", "channels_out"]
COLUMNS += ["neurons", "filter_plus_1", "parameters"]
TABLE = pd.DataFrame.from_dict(
    {
        "Conv1": [28, 1, 5, 0, 1, 24, 10, 5760, 26, 260],
        "Pool1": [24, 10, 2, 0, 2, 12, 10, 1440, None, 0],
        "FC1": [1440, *6 * [None], 100, 1441, 144100],
        "Total": [*7 * [None], 7300, None, 144360],
    },
    orient="index",
    columns=COLUMNS,
)
NETS = {"with pools": {"Conv1": 260, "FC1": 32100}, "without": {"Conv1": 260, "FC1": 800100}}
STEPS = {s: {n: (n - 3) // s + 1 for n in range(3, 16)} for s in (1, 2, 3)}
DIGITS = np.arange(12 * 28 * 28).reshape(12, 28, 28) % 251
CLASSES = np.arange(100) // 10
MAPS = np.linspace(-2, 3, 12 * 8 * 8).reshape(12, 8, 8)
LAYERS = [(f"conv {k}", 1000 * k) for k in range(1, 14)] + [("FC1", 10**6), ("FC2", 10**5)]

FIGURES = {
    # name: (what draws it, words that stand in the picture, words of its alternative)
    "positions": (
        lambda: explore.positions((5, 3, 1, 1), (5, 3, 1, 2)),
        ("in (1, 5, 5)", "out (1, 5, 5)", "out (1, 3, 3)", "s=2"),
        ("5 positions a side", "output is 3 by 3"),
    ),
    "windows": (
        draw.windows,
        ("floor 2, ceil 3", "floor 3, ceil 3", "only with ceil", "never: starts in padding"),
        ("hangs over the right end", "right padding"),
    ),
    "staircases": (
        lambda: draw.staircases(STEPS, f=3),
        ("stride 1", "stride 3", "image size n", "output size"),
        ("filter of 3", "Stride 2: 1, 1, 2, 2, 3"),
    ),
    "volumes": (
        draw.volumes,
        ("(3, 6, 6)", "(3, 3, 3)", "(1, 4, 4)", "(2, 4, 4)"),
        ("three channels", "two sheets"),
    ),
    "layer_bars": (
        lambda: draw.layer_bars(LAYERS, "a net"),
        ("conv 13", "FC2", "1,000,000  (84.0 %)", "a net"),
        ("FC1 alone has 84 %", "1,191,000", "92.4 %"),
    ),
    "net": (
        lambda: draw.net(TABLE, "a net"),
        ("(1, 28, 28)", "(10, 24, 24)", "(10, 12, 12)", "(100,)", "144,100", "a net"),
        ("Pool1 (10, 12, 12)", "FC1 (100,)"),
    ),
    "shares": (
        lambda: draw.shares(TABLE, "a net"),
        ("79 %", "100 %", "Pool1", "share of the neurons"),
        ("most neurons are in Conv1 (79 %)", "most parameters in FC1 (100 %)"),
    ),
    "stacked": (
        lambda: draw.stacked(NETS, "two nets"),
        ("32,360", "800,360", "with pools", "two nets", "FC1"),
        ("with pools 32,360", "without 800,360"),
    ),
    "receptive_fields": (
        lambda: draw.receptive_fields(["Conv1", "Pool1"], [(5, 1), (6, 2)], n=28),
        ("sees 5, jumps 1", "sees 6, jumps 2", "Pool1", "28 pixels"),
        ("Conv1 5/1", "Pool1 6/2"),
    ),
    "digit_grid": (
        lambda: draw.digit_grid(DIGITS, [f"{k}, not 8" for k in range(12)], "digits", "twelve"),
        ("0, not 8", "11, not 8", "digits"),
        ("twelve",),
    ),
    "class_counts": (
        lambda: draw.class_counts({"cut": CLASSES[:80], "split": CLASSES}, "two parts"),
        ("cut: 80 digits", "split: 100 digits", "none", "class"),
        ("two parts",),
    ),
    "pooled": (
        lambda: draw.pooled(DIGITS[0], {"max": DIGITS[0, ::2, ::2], "mean": DIGITS[0, ::4, ::4]}),
        ("(1, 28, 28)", "max\n(1, 14, 14)", "mean\n(1, 7, 7)"),
        ("maximum", "average"),
    ),
    "loss_curve": (
        lambda: draw.loss_curve([1.2, 0.5, 0.3], "a net", "it falls"),
        ("a blind guess: log 10", "epoch", "mean loss", "a net"),
        ("it falls",),
    ),
    "rungs": (
        lambda: draw.rungs({"expected": 2.303, "first": 2.31, "overfit": 1e-9}),
        ("log 10", "untrained", "20 digits", "under 0.1"),
        ("Three losses", "by heart"),
    ),
    "accuracy_bars": (
        lambda: draw.accuracy_bars({"LeNet": 0.96, "shuffled": 0.7}, "right", "two bars"),
        ("LeNet", "96 %", "70 %", "right", "chance"),
        ("two bars",),
    ),
    "learning_curve": (
        lambda: draw.learning_curve([0.6, 0.2], [0.1, 0.9, 0.95], [0.1, 0.88, 0.94]),
        ("train", "held back", "epoch (0: untrained)", "a blind guess: log 10"),
        ("Left", "Right"),
    ),
    "confusion": (
        lambda: draw.confusion(np.diag(range(90, 100)) + np.eye(10, k=3, dtype=int)),
        ("99", "the truth", "the net's answer"),
        ("diagonal",),
    ),
    "feature_maps": (
        lambda: draw.feature_maps(DIGITS[0], {"conv": MAPS, "ReLU": MAPS.clip(0)}),
        ("digit\n(1, 28, 28)", "conv: (12, 8, 8), the first 10 of 12", "ReLU: (12, 8, 8)"),
        ("ten a stage",),
    ),
    "times_seen": (
        lambda: draw.times_seen({"hasty": np.arange(10) % 4, "mended": np.ones(10, dtype=int)}),
        ("hasty", "mended", "30 %", "100 %", "times seen in one epoch"),
        ("never", "once"),
    ),
}


@pytest.fixture(params=FIGURES)
def figure(request):
    return FIGURES[request.param]


@pytest.fixture
def shown(monkeypatch):
    """(figure, alt) of what is shown, in place of showing it."""
    caught = []
    for module in (draw, explore):
        monkeypatch.setattr(module, "show", lambda *pair: caught.append(pair))
    return caught


@pytest.fixture
def displayed(monkeypatch):
    """What reaches the notebook: (data, metadata) of each display."""
    caught = []
    monkeypatch.setattr(
        draw, "display", lambda data, metadata, raw: caught.append((data, metadata))
    )
    return caught


def texts(figure):
    """All texts of a figure that are seen."""
    import matplotlib.text

    found = figure.findobj(matplotlib.text.Text)
    return [text for text in found if text.get_visible() and text.get_text().strip()]


def test_a_figure_is_labelled_and_told_in_words(figure, shown):
    plot, labels, words = figure
    assert plot() is None, "no figure is left as a value"
    ((drawn, alt),) = shown
    written = "\n".join(text.get_text() for text in texts(drawn))
    assert [label for label in labels if label not in written] == []
    assert [word for word in words if word not in alt] == []


def test_no_two_labels_of_a_figure_overlap_and_all_can_be_read(figure, shown):
    figure[0]()
    ((drawn, _),) = shown
    drawn.savefig(io.BytesIO())  # puts legends and titles into their places
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts(drawn)]
    for (one, first), (other, second) in itertools.combinations(boxes, 2):
        assert one == other or not first.overlaps(second), f"{one!r} overlaps {other!r}"
    assert min(text.get_fontsize() for text in texts(drawn)) >= 9


def test_a_figure_reaches_the_notebook_with_its_words_and_a_width_that_fits(figure, displayed):
    figure[0]()
    ((data, metadata),) = displayed
    assert data["image/png"].startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == data["text/plain"]
    width = int.from_bytes(data["image/png"][16:20], "big")
    assert width <= 920, "wider than a notebook's page"


def test_a_figure_is_the_same_every_time(displayed):
    for plot, _, _ in FIGURES.values():
        plot()
        plot()
        first, second = displayed[-2:]
        assert first == second


def test_a_figure_without_words_is_refused():
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
def test_an_empty_cell_of_any_kind_does_not_break_a_figure(empty, shown):
    table = TABLE.astype(object)
    table = table.where(table.notna(), empty)
    draw.net(table, "a net")
    draw.shares(table, "a net")
    assert draw.printed(table).equals(draw.printed(TABLE))
    assert "FC1 (100,)" in shown[0][1]
