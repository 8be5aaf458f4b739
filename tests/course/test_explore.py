"""The explorer of output sizes: it agrees with torch, and shows the learner's result."""

from __future__ import annotations

import itertools
import re

import matplotlib.pyplot as plt
import pytest
import torch
import torch.nn.functional as F

from course import draw, explore
from course.explore import sizes

SETTINGS = [
    setting
    for setting in itertools.product((1, 5, 8), (1, 2, 3, 7), (0, 1, 3), (1, 2, 5), (1, 3))
    if sum(setting) % 7 == 0  # some of each kind
]


def torch_size(n, f, p, s, d):
    """Return the output width of a convolution in two dimensions, None if torch refuses."""
    try:
        return F.conv2d(torch.zeros(1, 1, n, n), torch.zeros(1, 1, f, f), None, s, p, d).shape[-1]
    except RuntimeError:
        return None


def move(explorer, **values):
    for name, value in values.items():
        explorer._sliders[name].value = value
    return explorer._view.value


def test_the_formula_gives_what_torch_gives():
    explorer = explore.SizeExplorer()
    outcomes = set()
    for setting in SETTINGS:
        html = move(explorer, **dict(zip("nfpsd", setting, strict=True)))
        size = torch_size(*setting)
        outcomes.add(size is None)
        if size is None:
            assert html.count("<p>") == 1, f"one kind line for {setting}"
            assert "<img" not in html
        else:
            assert f"<b>{size}</b>" in html, setting
            assert f"the output is {size} by {size}" in html, setting
    assert outcomes == {True, False}


def test_the_formula_is_displayed_with_its_numbers():
    html = move(explore.SizeExplorer(), n=8, f=3, p=0, s=2, d=1)
    assert "(8 + 2&middot;0 &minus; 3) / 2&rfloor; + 1 = &lfloor;2.5&rfloor; + 1" in html


def test_the_result_of_the_learners_function_is_displayed_beside_it():
    def unwritten(n, f, p, s, d):
        raise NotImplementedError

    def refuses(n, f, p, s, d):
        raise ValueError("no")

    for yours, text in (
        (lambda n, f, p, s, d: n * s, "Your output_size says 10."),
        (lambda n, f, p, s, d: "<script>", "says &#x27;&lt;script&gt;&#x27;."),
        (unwritten, "Your output_size is still to be written."),
        (refuses, "Your output_size raises ValueError."),
    ):
        assert text in explore.SizeExplorer(yours=yours)._view.value


def test_the_position_slider_moves_the_filter_and_stays_among_the_positions():
    explorer = explore.SizeExplorer()
    assert explorer._at.max == 9
    before = explorer._view.value
    explorer._at.value = 9
    assert explorer._view.value != before
    move(explorer, s=5)
    assert (explorer._at.max, explorer._at.value) == (1, 1)


def test_the_explorer_is_one_readable_sentence_where_no_kernel_runs():
    explorer = explore.SizeExplorer()
    assert repr(explorer) == repr(explore.SizeExplorer())
    assert "n=5 f=3 p=1 s=2 d=1: out 3 x 3" in repr(explorer)
    move(explorer, p=0, n=2)
    assert "does not fit" in repr(explorer)
    assert len(repr(explorer)) <= 110, "ipywidgets would cut it"


def test_the_explorer_writes_no_output_and_leaves_no_figure_open(capsys):
    move(explore.SizeExplorer(), n=7)
    assert capsys.readouterr() == ("", "")
    assert plt.get_fignums() == []


def test_the_static_figure_shows_what_the_explorer_shows(monkeypatch):
    drawings = []
    monkeypatch.setattr(sizes, "show", lambda figure, alt: drawings.append((figure, alt)))
    explore.positions((8, 3, 0, 2), (8, 3, 0, 1, 3))
    ((figure, alt),) = drawings
    explorer = explore.SizeExplorer()
    for setting in ({"n": 8, "p": 0}, {"s": 1, "d": 3}):
        move(explorer, **setting)
        text = re.search('alt="([^"]+)"', explorer._view.value)
        assert text is not None
        assert text[1] in alt
    written = " ".join(text.get_text() for text in figure.axes[0].texts)
    for label in ("in (1, 8, 8)", "out (1, 3, 3)", "out (1, 2, 2)", "f=3  p=0  s=1  d=3"):
        assert label in written


def test_a_static_figure_of_invalid_sizes_is_refused():
    with pytest.raises(ValueError, match="larger than its padded image"):
        explore.positions((5, 3), (3, 5))


@pytest.mark.parametrize("setting", [(8, 3, 0, 2), (8, 3, 0, 1, 3), (7, 2, 1, 4), (5, 3, 1, 1)])
def test_the_crosses_are_the_pixels_whose_gradient_is_zero(setting):
    chosen = sizes.Setting(*setting)
    n, f, p, s, d = chosen
    x = torch.zeros(1, 1, n, n, requires_grad=True)
    F.conv2d(x, torch.ones(1, 1, f, f), None, s, p, d).sum().backward()
    unread = int((x.grad == 0).sum())
    text = sizes._words(chosen, sizes._torch_size(chosen))
    assert (f"{unread} of the {n * n} pixels are never read" in text) == (unread > 0)


def test_no_public_name_answers_the_exercise():
    assert explore.__all__ == [
        "LayerExplorer",
        "SizeExplorer",
        "SlidingExplorer",
        "channels",
        "positions",
        "sliding",
    ]
    assert not hasattr(draw, "output_size")
