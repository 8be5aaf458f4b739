"""One style for all figures: how they are displayed, their colours, and empty sheets."""

from __future__ import annotations

import io
from typing import Any

import matplotlib as mpl
import numpy as np
from cycler import cycler
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure

Array = np.ndarray[Any, Any]

SIGNED = "RdBu_r"
GREY = "gray"
PADDING = "0.85"
MARGIN = 0.1  # inches around a figure
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#F0E442", "#000000")

mpl.rcParams.update(
    {
        "axes.prop_cycle": cycler(color=COLOURS),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "figure.dpi": 100,
        "font.size": 11,
        "image.cmap": GREY,
    }
)


def show(figure: Figure, alt: str) -> None:
    """Display `figure` as a PNG with `alt` as its text alternative, and close it.

    `alt` says in a sentence or two what a reader would take from the figure. Screen readers speak
    it, and it is displayed where images are not.
    """
    import matplotlib.pyplot as plt  # chooses a backend: only where a figure is shown

    if not alt.strip():
        raise ValueError("a figure needs words for those who cannot see it: show(figure, alt)")
    png = io.BytesIO()
    # bbox_inches="tight" would draw twice; stronger compression costs more than it saves.
    box = figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer()).padded(MARGIN)
    figure.savefig(png, format="png", bbox_inches=box, pil_kwargs={"compress_level": 3})
    plt.close(figure)
    display(
        {"image/png": png.getvalue(), "text/plain": alt},
        metadata={"image/png": {"alt": alt}},
        raw=True,
    )


def blank(width: float, height: float, unit: float) -> tuple[Figure, Axes]:
    """Return a figure without axes, `width` x `height` units of `unit` inches, y downwards.

    One such sheet with several drawings on it is many times faster than several axes.
    """
    edge = 0.02 / unit  # room for half a line
    figure = Figure(figsize=(width * unit, height * unit))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-edge, width + edge), ylim=(height + edge, -edge), xticks=[], yticks=[])
    ax.axis("off")
    return figure, ax


def grid(ax: Axes, left: float, top: float, side: int, zorder: float = 2) -> None:
    """Draw the lines of a grid of side x side cells of one unit."""
    lines = [((left, top + k), (left + side, top + k)) for k in range(side + 1)]
    lines += [((left + k, top), (left + k, top + side)) for k in range(side + 1)]
    # One collection, outside of autoscaling, takes a third of the time of hlines and vlines.
    ax.add_collection(LineCollection(lines, colors="0.55", lw=0.6, zorder=zorder), autolim=False)
