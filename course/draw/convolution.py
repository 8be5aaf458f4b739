"""The figures of lesson 02: the inputs of an output; convolution as columns, matrix and stamps.

A weight has the same colour in all of them, so that weight sharing can be seen.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course.draw.style import COLOURS, GREY, PADDING, SIGNED, Array, blank, show

SHADES = "viridis"  # from dark to light: ordered by lightness, also without hue
STAMPS = ("#9CC7E3", "#F5CF85", "#8FD3BC", "#EDA983")  # COLOURS, light enough for black text


def taps(reads: Mapping[str, Sequence[int]]) -> None:
    """Slide 12: the 3 x 3 kernel, and the pixels of a 4 x 4 image that each output reads.

    `reads` maps an output's name to the numbers of its pixels, the pixel under w0 first.
    """
    figure, ax = blank(4 + 5 * len(reads) - 0.4, 5.2, 0.37)
    for k in range(9):
        _cell(ax, k % 3, 1 + k // 3, f"w{k}", k / 8)
    ax.text(1.5, 0.7, "kernel (3, 3)", ha="center", va="bottom", fontsize=10)
    for number, (name, pixels) in enumerate(reads.items()):
        left = 4 + 5 * number
        shade = {pixel: k / 8 for k, pixel in enumerate(list(pixels)[:9])}
        for pixel in range(16):
            _cell(ax, left + pixel % 4, 1 + pixel // 4, f"x{pixel}", shade.get(pixel))
        ax.text(left + 2, 0.7, f"what {name} reads", ha="center", va="bottom", fontsize=10)
    words = "; ".join(f"{name} reads pixels {_listed(p)}" for name, p in reads.items())
    show(
        figure,
        f"A kernel of nine weights and an image of 4 by 4 pixels, numbered row by row. {words}. "
        "Each pixel that is read has the colour of the weight that lies on it.",
    )


def gallery(
    rows: Sequence[Mapping[str, Array]], alt: str, inner: tuple[int, int] | None = None
) -> None:
    """Rows of images or maps (H, W), one scale per row: signed where a row has negative values.

    All pixels have the same size. inner: a dashed frame of (height, width) in the centre of each
    that is larger.
    """
    gap, head = 4, 9
    width = max(sum(values.shape[1] + gap for values in row.values()) for row in rows) - gap
    heights = [head + max(values.shape[0] for values in row.values()) for row in rows]
    figure, ax = blank(width, sum(heights), min(9 / width, 0.06))
    for top, height, row in zip(np.cumsum([0, *heights]), heights, rows, strict=False):
        high = max(float(np.abs(values).max()) for values in row.values()) or 1.0
        signed = any(np.min(values) < 0 for values in row.values())
        left = 0
        for name, values in row.items():
            h, w = values.shape
            y = top + head + (height - head - h) / 2
            ax.imshow(
                values,
                cmap=SIGNED if signed else GREY,
                vmin=-high * signed,
                vmax=high,
                extent=(left, left + w, y + h, y),
                aspect="auto",
            )
            ax.add_patch(Rectangle((left, y), w, h, fc="none", ec="0.6", lw=0.6))
            ax.text(left + w / 2, y - 1, f"{name}\n(1, {h}, {w})", ha="center", fontsize=10)
            if inner and (h, w) > inner:
                corner = (left + (w - inner[1]) / 2, y + (h - inner[0]) / 2)
                frame = Rectangle(corner, inner[1], inner[0], fc="none", ec=COLOURS[1], ls="--")
                ax.add_patch(frame)
            left += w + gap
    show(figure, alt)


def im2col() -> None:
    """Slide 12 as one product: the weights as a row, the four windows as columns."""
    figure, ax = blank(20.6, 10.3, 0.4)
    columns = 10.8
    for pixel in range(16):
        _cell(ax, 2.5 + pixel % 4, 5.2 + pixel // 4, f"x{pixel}", None)
    for k in range(9):
        _cell(ax, k, 2.2, f"w{k}", k / 8)
        for window in range(4):
            pixel = 4 * (k // 3 + window // 2) + k % 3 + window % 2
            _cell(ax, columns + window, 1.2 + k, f"x{pixel}", k / 8)
    for window in range(4):
        _cell(ax, 16.6 + window, 2.2, f"y{window}", None)
    for x, y, words in ((9.9, 2.7, "·"), (15.7, 2.7, "="), (8.7, 7.2, "→")):
        ax.text(x, y, words, ha="center", va="center", fontsize=18)
    for x, y, words in (
        (4.5, 1.9, "weights (1, 9)"),
        (columns + 2, 0.9, "columns (9, 4)"),
        (18.6, 1.9, "output (1, 4)"),
        (4.5, 4.9, "image (1, 4, 4)"),
        (8.7, 6.7, "one column\nper window"),
    ):
        ax.text(x, y, words, ha="center", va="bottom", fontsize=10)
    show(
        figure,
        "The four windows of a 4 by 4 image stand as four columns of nine pixels. The row of nine "
        "weights times these columns gives the four outputs in one product. Pixels 5, 6, 9 and 10 "
        "stand in all four columns.",
    )


def speed(seconds: Mapping[str, float]) -> None:
    """The time of each named implementation, logarithmic, and its speed-up over the first."""
    names, values = list(seconds), np.array(list(seconds.values()))
    figure = Figure(figsize=(8, 0.9 + 0.42 * len(names)))
    ax = figure.add_axes((0.2, 0.25, 0.75, 0.6))
    low = values.min() / 3
    ax.barh(range(len(names)), values - low, left=low, color=COLOURS[0])
    for y, value in enumerate(values):
        times = values[0] / value
        words = "1 x" if y == 0 else f"{times:,.0f} x as fast" if times >= 2 else f"{times:.1f} x"
        ax.text(value * 1.15, y, words, va="center", fontsize=10)
    ax.set(xscale="log", xlim=(low, values.max() * 12), ylim=(len(names) - 0.4, -0.6))
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="seconds (each line a factor of ten)")
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x", color="0.9")
    ax.set_axisbelow(True)
    # No numbers in the text alternative: nbval compares it, and times differ between runs.
    show(
        figure,
        f"Time on a logarithmic scale for {', '.join(names)}. The longest bar is that of "
        f"{names[int(values.argmax())]}; how many times as fast as the first the others are "
        "stands beside their bars.",
    )


def matrix(table: Array, title: str) -> None:
    """A matrix with a colour per value, zeros blank; with numbers and names if there is room."""
    rows, columns = table.shape
    few = columns <= 20
    figure, ax = blank(columns, rows, 0.46 if few else 6 / columns)
    if few:
        for i, j in np.argwhere(table == 0):
            ax.add_patch(Rectangle((j, i), 1, 1, fc="white", ec="0.8", lw=0.5))
        shades = _shades(table)
        for i, j in np.argwhere(table != 0):
            _cell(ax, j, i, f"{table[i, j]:g}", shades[table[i, j]])
        for j in range(columns):
            ax.text(j + 0.5, -0.15, f"x{j}", ha="center", va="bottom", fontsize=9)
        for i in range(rows):
            ax.text(-0.15, i + 0.5, f"y{i}", ha="right", va="center", fontsize=9)
    else:
        seen = np.ma.masked_equal(table, 0)
        ax.imshow(seen, cmap=SHADES, extent=(0, columns, rows, 0), aspect="auto")
        ax.add_patch(Rectangle((0, 0), columns, rows, fc="none", ec="0.5", lw=0.8))
    ax.set_title(f"{title}: ({rows}, {columns})", fontsize=11, pad=22 if few else 6)
    nonzeros, weights = _counts(table)
    show(
        figure,
        f"{title}: a matrix of {rows} rows and {columns} columns. {nonzeros} of its "
        f"{table.size:,} entries are not zero, and they hold {weights} different values, which "
        "run down in diagonals.",
    )


def connections(table: Array) -> None:
    """A dense layer beside the convolution whose matrix is `table`, one line per connection.

    Lines of the same colour share a weight; in the dense layer no weight is shared: all are grey.
    """
    outputs, inputs = table.shape
    figure, ax = blank(25, inputs + 1.6, 0.29)
    shades, colours = _shades(table), mpl.colormaps[SHADES]
    count, weights = _counts(table)
    for left, dense, title in (
        (1, True, f"dense: {table.size} connections, {table.size} weights"),
        (14, False, f"convolution: {count} connections, {weights} weights"),
    ):
        places = [2 + (i + 0.5) * inputs / outputs for i in range(outputs)]
        pairs = [(i, j) for i in range(outputs) for j in range(inputs) if dense or table[i, j]]
        lines = [((left + 1, 2 + j + 0.5), (left + 8.6, places[i])) for i, j in pairs]
        hues = ["0.6" if dense else colours(0.92 * shades[table[pair]]) for pair in pairs]
        ax.add_collection(LineCollection(lines, colors=hues, lw=0.7 if dense else 1.6))
        for j in range(inputs):
            ax.text(left + 0.7, 2.5 + j, f"x{j}", ha="right", va="center", fontsize=9)
        for i, y in enumerate(places):
            ax.text(left + 8.9, y, f"y{i}", ha="left", va="center", fontsize=10)
        ax.text(left + 4.8, 1.2, title, ha="center", fontsize=11)
    show(
        figure,
        f"{inputs} inputs and {outputs} outputs. In a dense layer each pair is joined by a line "
        f"with a weight of its own, {table.size} in all. In the convolution there are {count} "
        f"lines, and their {weights} colours say which of them share a weight.",
    )


def stamps(y: Array, kernel: Array, result: Array) -> None:
    """Transposed convolution: each pixel y stamps its multiple of the kernel, and all are added.

    y (2, 2), kernel (kH, kW), result (1 + kH, 1 + kW), all with integer values.
    """
    height, width = result.shape
    numbers = np.asarray(y).ravel()
    figure, ax = blank(5 * (width + 1.2) - 1.2, height + 1.2, 0.33)
    for k, value in enumerate(numbers):
        sheet = np.full(result.shape, np.nan)
        i, j = divmod(k, 2)
        sheet[i : i + kernel.shape[0], j : j + kernel.shape[1]] = value * kernel
        left = k * (width + 1.2)
        _numbers(ax, left, 1.2, sheet, STAMPS[k])
        ax.text(left + width / 2, 0.9, f"y{k} = {value:g}", ha="center", va="bottom", fontsize=10)
        sign = "=" if k == 3 else "+"
        ax.text(left + width + 0.6, 1.2 + height / 2, sign, ha="center", va="center", fontsize=14)
    left = 4 * (width + 1.2)
    _numbers(ax, left, 1.2, result, "white")
    words = f"result (1, {height}, {width})"
    ax.text(left + width / 2, 0.9, words, ha="center", va="bottom", fontsize=10)
    show(
        figure,
        f"The four numbers {_listed(numbers)} of a 2 by 2 map each stamp their multiple of the "
        f"kernel on a sheet of {height} by {width}, one pixel apart. Where stamps overlap, they "
        "add up to the result.",
    )


def dilated(kernels: Mapping[int, Array]) -> None:
    """Kernels (H, W) of integers by their dilation; the zeros between the taps are grey."""
    width = sum(kernel.shape[1] for kernel in kernels.values()) + 2 * (len(kernels) - 1)
    height = max(kernel.shape[0] for kernel in kernels.values())
    figure, ax = blank(max(width, 8), height + 1.4, 0.36)
    left = 0
    for d, kernel in kernels.items():
        _numbers(ax, left, 1.4, np.where(kernel == 0, np.nan, kernel), STAMPS[0], PADDING)
        title = f"d = {d}\n({kernel.shape[0]}, {kernel.shape[1]})"
        ax.text(left + kernel.shape[1] / 2, 1.2, title, ha="center", va="bottom", fontsize=10)
        left += kernel.shape[1] + 2
    words = ", ".join(f"with {d} {k.shape[0]} by {k.shape[1]}" for d, k in kernels.items())
    show(figure, f"A kernel widened by dilation: {words}. It has the same taps each time.")


def _cell(ax: Axes, x: float, y: float, words: str, shade: float | None) -> None:
    """One square with text; its colour is a weight's shade from 0 to 1, white for None."""
    colour: Any = "white" if shade is None else mpl.colormaps[SHADES](0.15 + 0.85 * shade)
    dark = shade is not None and shade < 0.55
    ax.add_patch(Rectangle((x, y), 1, 1, fc=colour, ec="0.55", lw=0.6))
    ink = "white" if dark else "black"
    ax.text(x + 0.5, y + 0.5, words, ha="center", va="center", fontsize=9, color=ink)


def _numbers(
    ax: Axes, left: float, top: float, table: Array, colour: str, empty: str = "white"
) -> None:
    """A table of integers as squares; NaN is an empty one."""
    height, width = table.shape
    for i in range(height):
        for j in range(width):
            is_empty = np.isnan(table[i, j])
            corner = (left + j, top + i)
            face = empty if is_empty else colour
            ax.add_patch(Rectangle(corner, 1, 1, fc=face, ec="0.55", lw=0.6))
            if not is_empty:
                x, y = corner[0] + 0.5, corner[1] + 0.5
                ax.text(x, y, f"{table[i, j]:g}", ha="center", va="center", fontsize=9)


def _shades(table: Array) -> dict[float, float]:
    """A shade from 0 to 1 for each non-zero value, in ascending order."""
    values = np.unique(table[table != 0])
    return {float(v): k / max(1, len(values) - 1) for k, v in enumerate(values)}


def _counts(table: Array) -> tuple[int, int]:
    """The number of non-zero entries, and of distinct values among them."""
    return int((table != 0).sum()), len(np.unique(table[table != 0]))


def _listed(numbers: Any) -> str:
    return ", ".join(f"{number:g}" for number in numbers)
