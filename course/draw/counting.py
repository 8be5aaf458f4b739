"""The figures of lesson 03: sizes, counts, shares and receptive fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course.draw.style import COLOURS, PADDING, blank, grid, show


def windows() -> None:
    """Floor and ceil compared on a line of pixels, with the window that torch leaves out."""
    figure, ax = blank(19, 5.2, 0.42)
    for left, (n, f, p, s) in ((0, (6, 3, 0, 2)), (10, (5, 2, 1, 2))):
        low, high = (
            F.max_pool1d(torch.zeros(1, 1, n), f, s, p, ceil_mode=ceil).shape[-1]
            for ceil in (False, True)
        )
        ax.text(left, 0.5, f"n={n}  f={f}  p={p}  s={s}:  floor {low}, ceil {high}")
        for x in range(n + 2 * p):
            inside = p <= x < n + p
            ax.add_patch(
                Rectangle((left + x, 1), 1, 1, fc="white" if inside else PADDING, ec="0.4")
            )
            ax.text(left + x + 0.5, 1.5, str(x - p) if inside else "", ha="center", va="center")
        kinds = [("", COLOURS[0])] * low + [("only with ceil", COLOURS[1])] * (high - low)
        if high == low:
            kinds.append(("never: starts in padding", "none"))
        for k, (words, colour) in enumerate(kinds):
            x, y = left + k * s, 2.3 + 0.75 * k
            edge, dashes = ("0.45", "--") if colour == "none" else (colour, "-")
            ax.add_patch(Rectangle((x, y), f, 0.6, fc=colour, ec=edge, ls=dashes))
            ax.text(x - 0.15, y + 0.3, words, ha="right", va="center", fontsize=10)
    show(
        figure,
        "Six pixels, windows of three, stride 2: two windows fit, and ceil adds a third that hangs "
        "over the right end. Five pixels with one of padding on either side, windows of two, "
        "stride 2: three windows fit; a fourth would start in the right padding, so ceil leaves "
        "it out too.",
    )


def staircases(sizes: Mapping[int, Mapping[int, float]], f: int) -> None:
    """Output size against image size n: `sizes[s][n]` for each stride s, filter f, no padding."""
    figure = Figure(figsize=(8, 3.6))
    ax = figure.subplots()
    for colour, (s, outputs) in zip(COLOURS, sizes.items(), strict=False):
        n = np.array(list(outputs))
        ax.plot(n, (n - f) / s + 1, lw=1, ls=":", color=colour)  # the formula without its floor
        ax.plot(n, list(outputs.values()), "o", ms=5, color=colour, label=f"stride {s}")
    ax.set(xlabel="image size n", ylabel="output size", title=f"filter {f}, no padding")
    ax.set(xticks=n[::3], yticks=range(1, n.max(), 4))
    ax.legend(frameon=False, loc="upper left")
    words = "; ".join(
        f"Stride {s}: {', '.join(f'{size:g}' for size in outputs.values())}"
        for s, outputs in sizes.items()
    )
    show(
        figure,
        f"Output sizes of a filter of {f} on images of {n.min()} to {n.max()} pixels. {words}. "
        "Dotted lines: the formula without its floor.",
    )


def volumes() -> None:
    """Slides 19 and 20: filters as deep as the image, each of which makes one channel."""
    figure, ax = blank(31.5, 22, 0.25)
    hues = (COLOURS[1], COLOURS[2])
    for y, filters in ((6, 1), (17, 2)):
        _sheets(ax, 0, y, 6, ("#F4B6A6", "#B5DDB0", "#A9CBE8"), "image\n(3, 6, 6)")
        ax.text(9.2, y - 0.5, "*", fontsize=20, ha="center", va="center")
        for k in range(filters):
            words = "one filter\n(3, 3, 3)" if filters == 1 else f"filter {k + 1}\n(3, 3, 3)"
            _sheets(ax, 11.5 + 6 * k, y, 3, hues[k : k + 1] * 3, words)
        ax.text(24, y - 0.5, "=", fontsize=20, ha="center", va="center")
        _sheets(ax, 26, y, 4, hues[:filters], f"output\n({filters}, 4, 4)")
    show(
        figure,
        "Above: an image of three channels, 6 by 6, and one filter of three slices, 3 by 3, "
        "give one sheet of 4 by 4. Below: two such filters give two sheets, one for each filter.",
    )


def layer_bars(counts: Sequence[tuple[str, int]], title: str, what: str = "parameters") -> None:
    """The count of each (layer, count) with shares; dense layers (FC...) in another colour.

    what  is counted: parameters, multiply-accumulates, ...
    """
    names = [name for name, _ in counts]
    values = np.array([count for _, count in counts], dtype=float)
    share = 100 * values / values.sum()
    dense = np.array([name.startswith("FC") for name in names])
    heading = title if what == "parameters" else f"{title}: {what}"
    figure, ax = _bars(names, heading, 0.25)
    ax.barh(range(len(names)), values, color=[COLOURS[1] if d else COLOURS[0] for d in dense])
    for y, (value, part) in enumerate(zip(values, share, strict=True)):
        words = f"{value:,.0f}  ({part:.1f} %)"
        ax.text(value + values.max() / 80, y, words, va="center", fontsize=9)
    ax.set_xlim(0, 1.3 * values.max())
    show(
        figure,
        f"{title}, layer by layer: {names[int(values.argmax())]} alone has {share.max():.0f} % of "
        f"the {values.sum():,.0f} {what}, and the dense layers together "
        f"{share[dense].sum():.1f} %.",
    )


def net(table: pd.DataFrame, title: str) -> None:
    """A network as a row of blocks: the height shows the map size, the width the channels.

    `table` has slide 29's columns as lesson 03 names them, one row per layer, and a row "Total".
    """
    layers = table.drop(index="Total")
    image = layers.iloc[0]
    blocks = [("image", "", _shape(image["channels_in"], image["n"], 0), "neurons\nparameters")]
    for name, row in layers.iterrows():
        shape = _shape(row["channels_out"], row["out"], row["neurons"])
        below = f"{_number(row['neurons']):,.0f}\n{_number(row['parameters']):,.0f}"
        blocks.append((str(name), str(name)[:4], shape, below))
    figure, ax = blank(len(blocks), 2.65, 1.15)
    hues = {"": COLOURS[5], "Conv": COLOURS[0], "Pool": COLOURS[2]}
    for x, (name, kind, shape, below) in enumerate(blocks):
        dense = len(shape) == 1
        height = 0.5 if dense else max(1.4 * shape[-1] / _number(image["n"]), 0.08)
        width = 0.10 if dense else min(0.07 + 0.02 * shape[0], 0.8)
        corner = (x + 0.5 - width / 2, 1.4 - height / 2)
        colour = hues.get(kind, COLOURS[3])
        ax.add_patch(Rectangle(corner, width, height, fc=colour, ec="0.2"))
        ax.text(x + 0.5, 0.6, f"{name}\n{shape}", ha="center", va="bottom", fontsize=10)
        ax.text(x + 0.5, 2.2, below, ha="center", va="top", fontsize=10)
    ax.text(len(blocks) / 2, 0.12, title, ha="center", fontsize=12)
    words = "; ".join(f"{name} {shape}" for name, _, shape, _ in blocks)
    show(figure, f"{title}, shapes (C, H, W) from layer to layer: {words}.")


def shares(table: pd.DataFrame, title: str) -> None:
    """Each layer's share of the neurons (to the left) and of the parameters (to the right)."""
    layers = table.drop(index="Total")
    names = [str(name) for name in layers.index]
    part = {}
    for column in ("neurons", "parameters"):
        numbers = np.array([_number(cell) for cell in layers[column]])
        part[column] = 100 * numbers / numbers.sum()
    figure, ax = _bars(names, f"{title}\nshare of the neurons   |   share of the parameters", 0.36)
    for column, colour, side in (("neurons", COLOURS[0], -1), ("parameters", COLOURS[1], 1)):
        ax.barh(range(len(names)), side * part[column], color=colour)
        for y, value in enumerate(part[column]):
            align = "left" if side > 0 else "right"
            ax.text(side * (value + 1), y, f"{value:.0f} %", ha=align, va="center", fontsize=10)
    ax.spines["left"].set_position("zero")
    ax.set_xlim(-100, 100)
    most = {column: names[int(values.argmax())] for column, values in part.items()}
    show(
        figure,
        f"{title}: most neurons are in {most['neurons']} ({part['neurons'].max():.0f} %), "
        f"most parameters in {most['parameters']} ({part['parameters'].max():.0f} %).",
    )


def stacked(networks: Mapping[str, Mapping[str, float]], title: str) -> None:
    """One bar per network, `networks[name][layer]` parameters stacked by layer, with the total."""
    layers = list(dict.fromkeys(layer for counts in networks.values() for layer in counts))
    figure, ax = _bars(list(networks), title, 0.45)
    totals = np.zeros(len(networks))
    for colour, layer in zip(COLOURS, layers, strict=False):
        values = np.array([_number(counts.get(layer)) for counts in networks.values()])
        if values.any():
            ax.barh(range(len(networks)), values, left=totals, color=colour, label=layer)
        totals += values
    for y, total in enumerate(totals):
        ax.text(total + totals.max() / 80, y, f"{total:,.0f}", va="center", fontsize=10)
    ax.set_xlim(0, 1.15 * totals.max())
    ax.legend(frameon=False, ncols=6, loc="upper center", bbox_to_anchor=(0.45, 0), fontsize=10)
    words = ", ".join(f"{name} {total:,.0f}" for name, total in zip(networks, totals, strict=True))
    show(figure, f"{title}: {words}.")


def receptive_fields(names: Sequence[str], fields: Sequence[tuple[int, int]], n: int) -> None:
    """The receptive fields of the first two neurons of each layer on a line of n pixels.

    `fields` holds (size, jump) of each layer: pixels seen, and pixels between two neighbours.
    """
    title = "what the first neuron (dark) and its neighbour (light) see"
    figure, ax = _bars(names, title, 0.55)
    ax.vlines(range(n + 1), -0.5, len(names) - 0.5, color="0.85", lw=0.5, zorder=0)
    for y, (size, jump) in enumerate(fields):
        ax.barh(y - 0.19, size, height=0.32, color=COLOURS[0])
        ax.barh(y + 0.19, size, left=jump, height=0.32, color=COLOURS[5])
        words = f"sees {size}, jumps {jump}"
        ax.text(size + jump + 0.4, y, words, va="center", fontsize=10)
    ax.set(xlim=(0, n), xlabel=f"the image's {n} pixels")
    words = ", ".join(f"{name} {s}/{j}" for name, (s, j) in zip(names, fields, strict=True))
    show(
        figure,
        f"Receptive fields on {n} pixels, size and jump by layer: {words}. They grow with depth, "
        "and neighbours overlap.",
    )


def printed(table: pd.DataFrame) -> pd.DataFrame:
    """`table` as a slide prints it: integers with thousands separators, empty cells blank."""
    return table.map(lambda cell: "" if _is_empty(cell) else f"{_number(cell):,.0f}")


def _bars(names: Sequence[str], title: str, height: float) -> tuple[Figure, Axes]:
    """Axes for one horizontal bar per name, `height` inches each, the first on top."""
    figure = Figure(figsize=(7.5, 0.9 + height * len(names)))
    ax = figure.add_axes((0.12, 0.1, 0.86, 0.8))
    ax.set(ylim=(len(names) - 0.4, -0.6), xticks=[], yticks=[])
    ax.spines["bottom"].set_visible(False)
    for y, name in enumerate(names):
        ax.text(-0.015, y, name, ha="right", va="center", transform=ax.get_yaxis_transform())
    ax.set_title(title, fontsize=11)
    return figure, ax


def _is_empty(cell: Any) -> bool:
    return bool(pd.isna(cell)) or cell == ""


def _number(cell: Any) -> float:
    """A cell's number; an empty cell counts as 0."""
    return 0.0 if _is_empty(cell) else float(cell)


def _shape(channels: object, side: object, neurons: object) -> tuple[int, ...]:
    """(C, H, W) of a layer with maps, (neurons,) of a dense layer, whose side is empty."""
    if _is_empty(side):
        return (round(_number(neurons)),)
    return (round(_number(channels)), *2 * [round(_number(side))])


def _sheets(ax: Axes, x: float, y: float, side: int, colours: Sequence[str], words: str) -> None:
    """Channels as sheets one behind the other, the first in front, with a caption below."""
    for k, colour in reversed(list(enumerate(colours))):
        left, top, layer = x + 0.7 * k, y - side / 2 - 0.7 * k, 3 - 0.1 * k
        ax.add_patch(Rectangle((left, top), side, side, fc=colour, zorder=layer))
        grid(ax, left, top, side, zorder=layer)
    ax.text(x + side / 2, y + 3.3, words, ha="center", va="top", fontsize=10)
