"""A kernel sliding over an image: the pixels under it, the products, and their sum."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any, NamedTuple

import ipywidgets as widgets
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle

from course.draw import COLOURS, blank, numbered, show, written
from course.explore.picture import picture

Array = np.ndarray[Any, Any]

SIDE = 6  # units of the longer side of the image
READABLE = 10  # a larger image is drawn without its numbers
WIDTH = 8.8  # inches of a notebook's page


class Position(NamedTuple):
    """A kernel (h, w) on an image (H, W), its upper left corner at (row, column)."""

    image: Array
    kernel: Array
    row: int
    column: int

    @property
    def patch(self) -> Array:
        """The pixels under the kernel, (h, w)."""
        h, w = self.kernel.shape
        return self.image[self.row : self.row + h, self.column : self.column + w]

    @property
    def products(self) -> Array:
        """Pixel times weight, (h, w)."""
        return self.patch * self.kernel

    @property
    def total(self) -> str:
        """The sum of the products, as text."""
        return written(self.products.sum())


def sliding(image: Array, kernel: Array, row: int = 0, column: int = 0) -> None:
    """One position of `kernel` (h, w) on `image` (H, W): pixels, weights, products and their sum.

    row, column  of the kernel's upper left corner

    Raises ValueError if the kernel extends beyond the image. Source: slides 9 and 14.
    """
    position = Position(np.asarray(image, float), np.asarray(kernel, float), row, column)
    if min(row, column) < 0 or position.patch.shape != position.kernel.shape:
        raise ValueError(f"sliding(): at ({row}, {column}) the kernel hangs over the image")
    show(_draw(position), _words(position))


class SlidingExplorer(widgets.VBox):
    """Sliders for row and column, a choice of kernels; the figure and the sum follow.

    image    (H, W)
    kernels  by name, each (h, w) and no larger than the image
    yours    the learner's apply_filter: it is called with the image and the kernel, and its value
             at this position is shown
    """

    def __init__(
        self,
        image: Array,
        kernels: Mapping[str, Array],
        *,
        yours: Callable[[Array, Array], object] | None = None,
    ) -> None:
        self._image = np.asarray(image, dtype=float)
        self._kernels = {name: np.asarray(k, dtype=float) for name, k in kernels.items()}
        self._yours = yours
        self._choice = widgets.Dropdown(options=list(kernels), description="kernel")
        self._row = widgets.IntSlider(0, 0, 1, description="row")
        self._column = widgets.IntSlider(0, 0, 1, description="column")
        self._view = widgets.HTML()
        for control in (self._choice, self._row, self._column):
            control.observe(lambda _: self._update(), names="value")
        super().__init__([self._choice, self._row, self._column, self._view])
        self._update()

    def __repr__(self) -> str:
        position = self._position()
        return (
            f"SlidingExplorer: {self._choice.value} at row {position.row}, column "
            f"{position.column}: sum {position.total} (a live kernel adds sliders)"
        )

    def _position(self) -> Position:
        kernel = self._kernels[self._choice.value]
        return Position(self._image, kernel, self._row.value, self._column.value)

    def _update(self) -> None:
        (height, width), (h, w) = self._image.shape, self._kernels[self._choice.value].shape
        self._row.max, self._column.max = height - h, width - w  # also clamps the values
        position = self._position()
        image = picture(_draw(position), _words(position))
        self._view.value = "".join((_formula(position), self._compare(position), image))

    def _compare(self, position: Position) -> str:
        if self._yours is None:
            return ""
        try:
            result: Any = self._yours(position.image.copy(), position.kernel.copy())
            outcome = f"says {float(result[position.row][position.column]):.6g} here"
        except NotImplementedError:
            outcome = "is still to be written"
        except Exception as error:  # an exception of the learner's function is shown as its result
            outcome = f"raises {type(error).__name__}"
        return f"<p>Your apply_filter {escape(outcome)}.</p>"


def _terms(position: Position, times: str) -> str:
    """The sum written out: 10 · 1 + 0 · (-1) + ..."""
    pairs = zip(position.patch.ravel(), position.kernel.ravel(), strict=True)
    return " + ".join(
        f"{written(pixel)}{times}{f'({written(weight)})' if weight < 0 else written(weight)}"
        for pixel, weight in pairs
    )


def _formula(position: Position) -> str:
    return f"<p>{escape(_terms(position, ' · '))} = <b>{position.total}</b></p>"


def _words(position: Position) -> str:
    (h, w), (height, width) = position.kernel.shape, position.image.shape
    return (
        f"A {h} by {w} kernel on an image of {height} by {width}, its corner at row "
        f"{position.row}, column {position.column}: pixels times weights, added up, are "
        f"{_terms(position, ' times ')} = {position.total}."
    )


def _draw(position: Position) -> Figure:
    """Image, pixels under the kernel, kernel and products in a row, then the sum."""
    h, w = position.kernel.shape
    gap, top = 1.1, 1.0
    height = max(SIDE, h) + top
    width = SIDE + 3 * (gap + w) + 2.6
    figure, ax = blank(width, height, min(0.48, WIDTH / width))
    _draw_image(ax, position, top)
    white = float(position.image.max()) or 1.0
    low = float(np.abs(position.kernel).max()) or 1.0
    high = float(np.abs(position.products).max()) or 1.0
    y = top + (height - top - h) / 2
    left = SIDE + gap
    for name, values, limit, sign in (
        ("pixels", position.patch, white, ""),
        ("kernel", position.kernel, low, "×"),
        ("products", position.products, high, "="),
    ):
        ax.text(left - gap / 2, y + h / 2, sign, fontsize=14, ha="center", va="center")
        ax.text(left, y - 0.25, f"{name} ({h}, {w})", fontsize=10)
        numbered(ax, left, y, values, limit, grey=name == "pixels", size=9)
        if name == "pixels":
            ax.add_patch(Rectangle((left, y), w, h, fill=False, ec=COLOURS[0], lw=2.2))
        left += w + gap
    words = f"sum\n{position.total}"
    ax.text(left - gap / 2 + 0.2, y + h / 2, words, fontsize=12, weight="bold", va="center")
    return figure


def _draw_image(ax: Axes, position: Position, top: float) -> None:
    """The image with the kernel's position; with its numbers if it is small."""
    height, width = position.image.shape
    h, w = position.kernel.shape
    scale = SIDE / max(height, width)
    white = float(position.image.max()) or 1.0
    ax.text(0, top - 0.25, f"image ({height}, {width})", fontsize=10)
    extent = (0, width * scale, top + height * scale, top)
    ax.imshow(position.image, extent=extent, vmin=0, vmax=white, aspect=1)
    corner = (position.column * scale, top + position.row * scale)
    box = Rectangle(corner, w * scale, h * scale, fill=False, ec=COLOURS[0], lw=2.2, zorder=4)
    ax.add_patch(box)
    if max(height, width) > READABLE:
        middle = (corner[0] + w * scale / 2, corner[1] + h * scale / 2)
        ax.add_patch(Circle(middle, 0.4, fill=False, ec=COLOURS[0], lw=2.2))
        return
    for (row, column), value in np.ndenumerate(position.image):
        colour = "white" if value < 0.45 * white else "black"
        place = ((column + 0.5) * scale, top + (row + 0.5) * scale)
        ax.text(*place, written(value), fontsize=9, color=colour, ha="center", va="center")
