"""An image on its way through a network: a layer, a channel, and its strongest response.

The maps are computed by the learner's own feature_maps; nothing here looks into a model.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course.draw import COLOURS, SIGNED, show
from course.explore.picture import picture as as_html

Array = np.ndarray[Any, Any]

PANEL = 3.0  # greatest width of an image, in inches


class Choice(NamedTuple):
    """One channel of one layer's maps (C, h, w)."""

    layer: str
    channel: int
    maps: Array

    @property
    def map(self) -> Array:
        """The channel's map, (h, w)."""
        return self.maps[self.channel]

    @property
    def peak(self) -> tuple[int, int]:
        """Row and column of the strongest response."""
        row, column = np.unravel_index(int(self.map.argmax()), self.map.shape)
        return int(row), int(column)


def channels(
    picture: Array, stages: Mapping[str, Array], choices: Sequence[tuple[str, int]]
) -> None:
    """An image, and one channel of each chosen layer with the place of its strongest response.

    picture  (H, W), or (H, W, 3) in colour: uint8, or numbers from 0 to 1
    stages   layer -> its maps (C, h, w), in the order of the network
    choices  pairs (layer, channel)

    Each map has its own scale, signed if it has negative values. Raises ValueError for a missing
    layer or channel. Source: slide 30.
    """
    chosen = [_choose(stages, layer, channel) for layer, channel in choices]
    show(_draw(picture, chosen), " ".join(_words(choice) for choice in chosen))


class LayerExplorer(widgets.VBox):
    """A choice of layers, a slider of channels; the map and the place of its strongest response.

    picture  (H, W), or (H, W, 3) in colour: uint8, or numbers from 0 to 1
    stages   layer -> its maps (C, h, w), in the order of the network
    layer    the initial layer; None for the first
    channel  the initial channel

    Raises ValueError for a missing layer or channel. Source: slide 30.
    """

    def __init__(
        self,
        picture: Array,
        stages: Mapping[str, Array],
        *,
        layer: str | None = None,
        channel: int = 0,
    ) -> None:
        self._picture, self._stages = picture, dict(stages)
        first = _choose(stages, layer or next(iter(stages)), channel)
        self._layer = widgets.Dropdown(options=list(stages), value=first.layer, description="layer")
        most = len(first.maps) - 1
        self._channel = widgets.IntSlider(channel, 0, most, description="channel")
        self._view = widgets.HTML()
        for control in (self._layer, self._channel):
            control.observe(lambda _: self._update(), names="value")
        super().__init__([self._layer, self._channel, self._view])
        self._update()

    def __repr__(self) -> str:
        layer, channel, maps = choice = self._choice()
        row, column = choice.peak
        return (
            f"LayerExplorer: {layer} {maps.shape}, channel {channel}, most at row {row}, "
            f"column {column} (a live kernel adds sliders)"
        )

    def _choice(self) -> Choice:
        return _choose(self._stages, self._layer.value, self._channel.value)

    def _update(self) -> None:
        self._channel.max = len(self._stages[self._layer.value]) - 1  # also clamps the channel
        choice = self._choice()
        figure = _draw(self._picture, [choice])
        self._view.value = f"<p>{_words(choice)}</p>{as_html(figure, _words(choice))}"


def _choose(stages: Mapping[str, Array], layer: str, channel: int) -> Choice:
    if layer not in stages:
        raise ValueError(f"no layer {layer!r}: there are {', '.join(stages)}")
    maps = np.asarray(stages[layer])
    if not 0 <= channel < len(maps):
        raise ValueError(f"{layer} has the channels 0 to {len(maps) - 1}, not {channel}")
    return Choice(layer, channel, maps)


def _words(choice: Choice) -> str:
    row, column = choice.peak
    height, width = choice.map.shape
    return (
        f"{choice.layer}: channel {choice.channel} of {len(choice.maps)}, a map of {height} by "
        f"{width}, answers most at row {row}, column {column}."
    )


def _draw(picture: Array, choices: Sequence[Choice]) -> Figure:
    """The image with a box for each choice's strongest response, then the chosen maps."""
    picture = np.asarray(picture)
    panels = len(choices) + 1
    figure = Figure(figsize=(min(PANEL * panels, 8.8), min(PANEL, 8.8 / panels) + 0.5))
    axes = figure.subplots(1, panels)
    figure.subplots_adjust(0.01, 0.01, 0.99, 0.82, wspace=0.06)
    height, width = picture.shape[:2]
    axes[0].imshow(picture, vmin=0, vmax=255 if picture.dtype == np.uint8 else 1)
    axes[0].set_title(f"picture\n({height}, {width})", fontsize=10)
    for k, (ax, choice) in enumerate(zip(axes[1:], choices, strict=True)):
        colour = COLOURS[(1, 5, 4, 2)[k % 4]]
        low, high = min(float(choice.map.min()), 0.0), float(np.abs(choice.map).max()) or 1.0
        ax.imshow(choice.map, cmap=SIGNED if low < 0 else None, vmin=-high * (low < 0), vmax=high)
        _box(ax, choice.peak, (1, 1), colour)
        row, column = choice.peak
        rows, columns = height / choice.map.shape[0], width / choice.map.shape[1]
        _box(axes[0], (row, column), (rows, columns), colour)
        ax.set_title(f"{choice.layer}, channel {choice.channel}\n{choice.maps.shape}", fontsize=10)
    for ax in axes:
        ax.set(xticks=[], yticks=[], frame_on=False)
    return figure


def _box(ax: Axes, place: tuple[int, int], cell: tuple[float, float], colour: str) -> None:
    """Mark a cell of a grid with a box of at least a few pixels; `cell` is its (height, width)."""
    (row, column), (tall, wide) = place, cell
    middle = ((column + 0.5) * wide - 0.5, (row + 0.5) * tall - 0.5)
    # A cell of one pixel in a large image would be too small to see.
    least = max(ax.get_images()[0].get_size()) / 14
    w, h = max(wide, least), max(tall, least)
    corner = (middle[0] - w / 2, middle[1] - h / 2)
    ax.add_patch(Rectangle(corner, w, h, fill=False, ec=colour, lw=2.2))
