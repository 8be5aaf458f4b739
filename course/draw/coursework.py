"""The figures of the coursework: a network as a funnel, its last pool, and a vanishing signal."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course.draw.style import COLOURS, PADDING, blank, show

HUES = {"Conv": COLOURS[0], "Pool": COLOURS[2]}


def funnel(table: pd.DataFrame, title: str) -> None:
    """The maps of a network from the image down: bars of their width, with their shapes.

    `table` has the columns of course.coursework; dense layers and totals are left out.
    """
    layers = table[table["f"].notna()]
    first = layers.iloc[0]
    maps = [("image", _whole(first["channels_in"]), _whole(first["n"]))]
    for name, row in layers.iterrows():
        maps.append((str(name), _whole(row["channels_out"]), _whole(row["out"])))
    widest = max(1, *(side for _, _, side in maps))
    figure, ax = blank(20, len(maps) + 1, 0.38)
    ax.text(10, 0.4, title, ha="center", va="center", fontsize=12)
    for y, (name, channels, side) in enumerate(maps, start=1):
        width = 11 * side / widest
        colour = HUES.get(name[:4], COLOURS[5])
        ax.add_patch(Rectangle((8.5 - width / 2, y + 0.12), width, 0.76, fc=colour))
        ax.text(2.6, y + 0.5, name, ha="right", va="center")
        ax.text(14.4, y + 0.5, f"({channels}, {side}, {side})", va="center")
    words = "; ".join(f"{name} ({channels}, {side}, {side})" for name, channels, side in maps)
    show(figure, f"{title}, shapes (C, H, W) from the image to the last pool: {words}.")


def last_pool(n: int, f: int, s: int) -> None:
    """The windows of a pool along n pixels: those that fit, and the one that ceil adds."""
    n, f, s = _whole(n), _whole(f), _whole(s)
    low = (n - f) // s + 1
    high = -(-(n - f) // s) + 1
    end = max(n, (high - 1) * s + f)
    figure, ax = blank(end + 5, 2.4 + 0.75 * high, min(0.42, 8.8 / (end + 5)))
    ax.text(0, 0.5, f"n={n}  f={f}  s={s}:  floor {low}, ceil {high}")
    for x in range(end):
        inside = x < n
        ax.add_patch(Rectangle((x, 1), 1, 1, fc="white" if inside else PADDING, ec="0.4"))
        ax.text(x + 0.5, 1.5, str(x) if inside else "", ha="center", va="center", fontsize=10)
    for k in range(high):
        y, colour = 2.3 + 0.75 * k, COLOURS[k >= low]
        ax.add_patch(Rectangle((k * s, y), f, 0.6, fc=colour, ec=colour))
        if k >= low:
            ax.text(k * s + f + 0.2, y + 0.3, "only with ceil", va="center", fontsize=10)
    show(
        figure,
        f"{n} pixels, windows of {f}, stride {s}: {low} windows fit; ceil makes it {high}, and the "
        "last one hangs over the right end.",
    )


def fading(factor: float, depth: int = 30) -> None:
    """RMS of a signal through `depth` ReLU layers: kept (He), or down to `factor` (Glorot)."""
    layers = np.arange(depth + 1)
    figure = Figure(figsize=(7.5, 3.4))
    ax = figure.subplots()
    ax.semilogy(layers, np.ones(depth + 1), color=COLOURS[0], lw=2)
    ax.semilogy(layers, float(factor) ** (layers / depth), color=COLOURS[3], lw=2)
    ax.text(depth * 0.55, 1.3, "He: variance 2/n", color=COLOURS[0], va="bottom")
    middle = float(factor) ** 0.45
    ax.text(depth * 0.5, middle, "Glorot: variance 1/n", color=COLOURS[3], va="bottom")
    ax.set(xlabel="layer", ylabel="RMS of the signal", xlim=(0, depth))
    ax.set_ylim(min(float(factor), 1) / 3, 5)
    ax.set_title(f"ReLU layers of equal width, from RMS 1; after {depth}: {factor:.1e}")
    show(
        figure,
        f"Through {depth} ReLU layers He's weights keep the signal as strong as it was; with "
        f"Glorot's it falls evenly, on a logarithmic scale, to {factor:.1e}.",
    )


def _whole(cell: Any) -> int:
    """A cell's number, rounded; an empty one counts as 0."""
    return 0 if pd.isna(cell) or cell == "" else round(float(cell))
