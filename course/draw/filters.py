"""The figures of lesson 01: pixels as numbers, kernels, and filtered photographs."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course.draw.style import COLOURS, GREY, SIGNED, Array, blank, show

LINES = "0.55"
WIDTH = 8.8  # inches of a notebook's page


def written(value: float) -> str:
    """Return a number as text for a cell: integers as such, others with two decimals."""
    value = round(float(value), 2) + 0.0  # + 0.0 turns -0.0 into 0.0
    if value.is_integer():
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def numbered(
    ax: Axes,
    left: float,
    top: float,
    values: Array,
    limit: float,
    grey: bool = False,
    size: float = 10,
) -> None:
    """Values (H, W) as a grid of numbers, cells of one unit, on a sheet from `blank`.

    limit  the value of the strongest colour, red; -limit is blue, 0 is white
    grey   the values are grey levels: 0 is black and `limit` is white
    size   of the digits, in points
    """
    rows, columns = values.shape
    ax.pcolormesh(
        left + np.arange(columns + 1),
        top + np.arange(rows + 1),
        values,
        cmap=GREY if grey else SIGNED,
        # Only half the range of the signed colours, so that black digits are readable on all.
        vmin=0 if grey else -2 * limit,
        vmax=limit if grey else 2 * limit,
        edgecolors=LINES,
        linewidth=0.6,
    )
    for (row, column), value in np.ndenumerate(values):
        colour = "white" if grey and value < 0.45 * limit else "black"
        place = (left + column + 0.5, top + row + 0.5)
        ax.text(*place, written(value), size=size, color=colour, ha="center", va="center")


def numbers(image: Array, top: int, left: int, side: int = 8) -> None:
    """A photograph (H, W), and beside it a square of `side` x `side` pixels with their numbers.

    top, left  row and column of the square's upper left pixel; it is marked in the photograph
    """
    height, width = image.shape
    unit = 0.46
    figure, ax = blank(side + 1.5 + side, side + 1, unit)
    scale = side / max(height, width)
    ax.imshow(image, extent=(0, width * scale, 1 + height * scale, 1), vmin=0, vmax=255, aspect=1)
    edge = max(side * scale, 0.3)
    middle = ((left + side / 2) * scale, 1 + (top + side / 2) * scale)
    corner = (middle[0] - edge / 2, middle[1] - edge / 2)
    ax.add_patch(Rectangle(corner, edge, edge, fill=False, ec=COLOURS[3], lw=2.2))
    ax.text(0, 0.7, f"the photograph ({height}, {width})", fontsize=10)
    numbered(ax, side + 1.5, 1, image[top : top + side, left : left + side], 255, grey=True)
    box = Rectangle((side + 1.5, 1), side, side, fill=False, ec=COLOURS[3], lw=2.2)
    ax.add_patch(box)
    words = f"rows {top} to {top + side - 1}, columns {left} to {left + side - 1}"
    ax.text(side + 1.5, 0.7, words, fontsize=10)
    show(
        figure,
        f"A grey photograph of {height} by {width} pixels, and {side} by {side} of its pixels "
        f"enlarged with their numbers, from {image.min()} for black to {image.max()} for white at "
        "most. The numbers of neighbours are close, but where an edge runs through.",
    )


def neighbours(images: Mapping[str, Array]) -> None:
    """Each named image (H, W), and under it each pixel's value against its right neighbour's."""
    figure = Figure(figsize=(4.2 * len(images), 3.2))
    correlations = {}
    for k, (name, image) in enumerate(images.items()):
        here, right = image[:, :-1].ravel().astype(float), image[:, 1:].ravel().astype(float)
        correlations[name] = float(np.corrcoef(here, right)[0, 1])
        left = k / len(images)
        ax = figure.add_axes((left, 0.12, 0.42 / len(images), 0.7))
        ax.imshow(image, vmin=0, vmax=255)
        ax.axis("off")
        ax.set_title(f"{name}\n{image.shape}", fontsize=10)
        ax = figure.add_axes((left + 0.56 / len(images), 0.12, 0.4 / len(images), 0.7))
        some = slice(None, None, max(1, here.size // 1500))
        ax.plot(here[some], right[some], ".", ms=2, alpha=0.5)
        ax.set(xticks=(0, 255), yticks=(0, 255), aspect=1)
        ax.set_xlabel("a pixel", fontsize=10, labelpad=-8)
        ax.set_ylabel("its right neighbour", fontsize=10, labelpad=-14)
        ax.set_title(f"correlation {correlations[name]:.2f}", fontsize=10)
    words = ", ".join(f"{name} {value:.2f}" for name, value in correlations.items())
    show(
        figure,
        "Images, and each pixel's grey level plotted against that of its right neighbour. In a "
        "photograph the points lie along the diagonal, in a shuffled one they fill the square. "
        f"Correlations: {words}.",
    )


def matrices(named: Mapping[str, Array], alt: str, together: bool = False) -> None:
    """Small matrices (H, W) side by side with their numbers, positive red and negative blue.

    together  all on one scale, for numbers that are compared; otherwise one scale each
    """
    values = {name: np.asarray(matrix, dtype=float) for name, matrix in named.items()}
    ends = {name: float(np.abs(matrix).max()) or 1.0 for name, matrix in values.items()}
    gap = 1.2
    widths = [max(matrix.shape[1], 2.6) for matrix in values.values()]
    total = sum(widths) + gap * (len(widths) - 1)
    tall = max(matrix.shape[0] for matrix in values.values())
    unit = min(0.48, WIDTH / total)
    figure, ax = blank(total, tall + 0.62 / unit, unit)
    left, size = 0.0, 10 if unit > 0.4 else 9
    for width, (name, matrix) in zip(widths, values.items(), strict=True):
        ax.text(left, 0.52 / unit, f"{name}\n{matrix.shape}", fontsize=10)
        limit = max(ends.values()) if together else ends[name]
        numbered(ax, left, 0.62 / unit, matrix, limit, size=size)
        left += width + gap
    show(figure, alt)


def filtered(image: Array, maps: Mapping[str, Array], alt: str, grey: Collection[str] = ()) -> None:
    """An image (H, W) and, four panels per row, the maps (H', W') that filters computed from it.

    grey  names of the maps that are drawn as images, from 0 to their own maximum

    The other maps of a row share one signed scale: red is positive, white 0, blue negative. Scales
    end at the 99th percentile, so that outliers do not make all else pale.
    """
    panels = {"image": np.asarray(image, dtype=float)}
    panels |= {name: np.asarray(values, dtype=float) for name, values in maps.items()}
    columns, rows = min(4, len(panels)), -(-len(panels) // 4)
    tall, head, gap = image.shape[0] / image.shape[1] * WIDTH / columns, 0.5, 0.1
    figure = Figure(figsize=(WIDTH, rows * (tall + head)))
    names = list(panels)
    for row in range(rows):
        some = names[row * columns : (row + 1) * columns]
        signed = [name for name in some if name != "image" and name not in grey]
        high = max((_end(panels[name]) for name in signed), default=1.0)
        for column, name in enumerate(some):
            bottom = 1 - (row + 1) / rows
            box = (column / columns, bottom, (1 - gap / 4) / columns, tall / (tall + head) / rows)
            ax = figure.add_axes(box)
            if name in signed:
                ax.imshow(panels[name], cmap=SIGNED, vmin=-high, vmax=high)
            else:
                ax.imshow(panels[name], vmin=0, vmax=_end(panels[name]))
            ax.set(xticks=[], yticks=[])
            ax.spines[:].set(visible=True, color=LINES, lw=0.6)
            ax.set_title(f"{name}\n{panels[name].shape}", fontsize=10)
    show(figure, alt)


def _end(values: Array) -> float:
    """The end of a map's scale: the 99th percentile of its absolute values, 1 if that is 0."""
    return float(np.percentile(np.abs(values), 99)) or float(np.abs(values).max()) or 1.0
