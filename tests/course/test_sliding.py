"""The explorer of a sliding kernel: its sum is that of a convolution, in text and numbers."""

from __future__ import annotations

import re
from importlib import import_module

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from course import data, explore

sliding = import_module("course.explore.sliding")  # in the package the function has this name

STEP = np.array([[10, 10, 10, 0, 0, 0]] * 6)
KERNELS = {
    "slide 9": np.array([[1, 0, -1]] * 3),
    "wide": np.array([[2, -1, 0, 1, -2]]),
    "high": np.array([[1], [-3], [2], [0]]),
}


def referee(image, kernel):
    """Return the filtered image, computed by torch in float64."""
    pair = [torch.tensor(np.array(a, dtype=float))[None, None] for a in (image, kernel)]
    return F.conv2d(*pair)[0, 0].numpy()


def move(explorer, kernel=None, row=None, column=None):
    for slider, value in ((explorer._choice, kernel), (explorer._row, row)):
        if value is not None:
            slider.value = value
    if column is not None:
        explorer._column.value = column
    return explorer._view.value


def test_the_sum_is_that_of_a_convolution_at_every_position():
    image = np.random.default_rng(1).integers(0, 20, (5, 7))
    explorer = explore.SlidingExplorer(image, KERNELS)
    for name, kernel in KERNELS.items():
        for (row, column), total in np.ndenumerate(referee(image, kernel)):
            html = move(explorer, name, row, column)
            assert f"= <b>{total:.0f}</b>" in html, (name, row, column)


def test_the_sum_is_displayed_with_its_terms():
    html = move(explore.SlidingExplorer(STEP, KERNELS), row=2, column=1)
    assert "10 · 1 + 10 · 0 + 0 · (-1) + 10 · 1" in html
    assert html.count(" · ") == 9


def test_the_sliders_reach_every_position_and_no_other():
    explorer = explore.SlidingExplorer(STEP[:, :5], KERNELS)
    assert (explorer._row.max, explorer._column.max) == (3, 2)
    move(explorer, row=3, column=2)
    move(explorer, "wide")
    assert (explorer._row.max, explorer._column.max) == (5, 0)
    assert (explorer._row.value, explorer._column.value) == (3, 0)
    move(explorer, "high")
    assert (explorer._row.max, explorer._column.max) == (2, 4)
    assert (explorer._row.value, explorer._column.value) == (2, 0)


def test_the_result_of_the_learners_function_is_displayed_beside_it():
    def unwritten(image, kernel):
        raise NotImplementedError

    for yours, text in (
        (referee, "Your apply_filter says 30 here."),
        (lambda image, kernel: torch.full((4, 4), 7.5), "says 7.5 here."),
        (lambda image, kernel: [[1, 2], [3, 4]], "Your apply_filter says 2 here."),
        (lambda image, kernel: None, "Your apply_filter raises TypeError."),
        (unwritten, "Your apply_filter is still to be written."),
    ):
        assert text in move(explore.SlidingExplorer(STEP, KERNELS, yours=yours), column=1)


def test_the_learners_function_cannot_change_the_image():
    def hasty(image, kernel):
        image[:] = 1
        kernel[:] = 1
        return image

    explorer = explore.SlidingExplorer(STEP, KERNELS, yours=hasty)
    assert "<b>30</b>" in move(explorer, column=1)


def test_the_explorer_is_one_readable_sentence_where_no_kernel_runs():
    explorer = explore.SlidingExplorer(STEP, KERNELS)
    assert repr(explorer) == repr(explore.SlidingExplorer(STEP, KERNELS))
    move(explorer, row=1, column=2)
    assert "slide 9 at row 1, column 2: sum 30" in repr(explorer)
    assert len(repr(explorer)) <= 110, "ipywidgets would cut it"


def test_the_explorer_writes_no_output_and_leaves_no_figure_open(capsys):
    move(explore.SlidingExplorer(STEP, KERNELS), row=1)
    assert capsys.readouterr() == ("", "")
    assert plt.get_fignums() == []


def test_the_static_figure_shows_what_the_explorer_shows(monkeypatch):
    drawings = []
    monkeypatch.setattr(sliding, "show", lambda figure, alt: drawings.append((figure, alt)))
    explore.sliding(STEP, KERNELS["slide 9"], row=2, column=1)
    ((_, alt),) = drawings
    explorer = explore.SlidingExplorer(STEP, KERNELS)
    text = re.search('alt="([^"]+)"', move(explorer, row=2, column=1))
    assert text is not None
    assert text[1] == alt


def test_a_photograph_is_drawn_without_its_numbers():
    camera = data.photograph("camera")
    figure = sliding._draw(sliding.Position(camera / 1.0, np.ones((3, 3)), 300, 200))
    written = [text.get_text() for text in figure.axes[0].texts]
    assert "image (512, 512)" in written
    assert len(written) < 40


@pytest.mark.parametrize("place", [(4, 0), (0, 4), (-1, 0), (0, -1)])
def test_a_position_beyond_the_image_is_refused(place):
    with pytest.raises(ValueError, match="hangs over the image"):
        explore.sliding(STEP, KERNELS["slide 9"], *place)
