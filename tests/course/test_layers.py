"""The explorer of layers: it shows feature maps, and where their response is strongest."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest

from course import explore
from course.explore import layers

PICTURE = np.zeros((12, 12, 3), dtype=np.uint8)
EARLY = np.zeros((2, 6, 6))
EARLY[0, 1, 4], EARLY[1, 5, 2] = 3, 2
LATE = -np.ones((3, 2, 2))
LATE[2, 0, 1] = 4
STAGES = {"early": EARLY, "late": LATE}


@pytest.fixture
def explorer():
    return explore.LayerExplorer(PICTURE, STAGES)


def test_the_place_of_the_strongest_response_is_named(explorer):
    assert "early: channel 0 of 2, a map of 6 by 6, answers most at row 1, column 4" in (
        explorer._view.value
    )
    explorer._layer.value, explorer._channel.value = "late", 2
    assert "late: channel 2 of 3, a map of 2 by 2, answers most at row 0, column 1" in (
        explorer._view.value
    )


def test_the_channel_stays_among_those_of_the_layer():
    explorer = explore.LayerExplorer(PICTURE, STAGES, layer="late", channel=2)
    assert explorer._channel.max == 2
    explorer._layer.value = "early"
    assert (explorer._channel.max, explorer._channel.value) == (1, 1)
    explorer._layer.value = "late"
    assert (explorer._channel.max, explorer._channel.value) == (2, 1)


def test_the_picture_changes_with_layer_and_channel(explorer):
    seen = {explorer._view.value}
    explorer._channel.value = 1
    seen.add(explorer._view.value)
    explorer._layer.value = "late"
    seen.add(explorer._view.value)
    assert len(seen) == 3


def test_the_box_in_the_picture_lies_on_the_cell_of_the_map():
    figure = layers._draw(PICTURE, [layers.Choice("late", 2, LATE)])
    (box,) = figure.axes[0].patches
    assert (box.get_x(), box.get_y(), box.get_width(), box.get_height()) == (5.5, -0.5, 6, 6)


def test_the_explorer_is_one_readable_sentence_where_no_kernel_runs(explorer):
    sentence = "LayerExplorer: early (2, 6, 6), channel 0, most at row 1, column 4"
    assert repr(explorer) == f"{sentence} (a live kernel adds sliders)"
    large = explore.LayerExplorer(PICTURE, {"block11": np.ones((1280, 112, 112))}, channel=1279)
    assert len(repr(large)) <= 110, "ipywidgets would cut it"


def test_the_explorer_writes_no_output_and_leaves_no_figure_open(explorer, capsys):
    explorer._channel.value = 1
    assert capsys.readouterr() == ("", "")
    assert plt.get_fignums() == []


def test_the_static_figure_shows_what_the_explorer_shows(monkeypatch, explorer):
    drawings = []
    monkeypatch.setattr(layers, "show", lambda figure, alt: drawings.append((figure, alt)))
    explore.channels(PICTURE, STAGES, [("early", 0), ("late", 2)])
    ((figure, alt),) = drawings
    for layer, channel in (("early", 0), ("late", 2)):
        explorer._layer.value, explorer._channel.value = layer, channel
        text = explorer._view.value.split("<p>")[1].split("</p>")[0]
        assert text in alt
    assert len(figure.axes[0].patches) == 2


@pytest.mark.parametrize(("layer", "channel"), [("middle", 0), ("early", 2), ("late", -1)])
def test_an_unknown_layer_or_channel_is_refused(layer, channel):
    with pytest.raises(ValueError, match=r"no layer|has the channels 0 to"):
        explore.channels(PICTURE, STAGES, [(layer, channel)])
    with pytest.raises(ValueError, match=r"no layer|has the channels 0 to"):
        explore.LayerExplorer(PICTURE, STAGES, layer=layer, channel=channel)
