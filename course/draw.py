"""Pictures of the course: one style, one palette, and words for those who cannot see them.

    show(figure, alt)   display a figure with its text alternative, and close it

Colours: `SIGNED` for maps with a sign (diverging, white is zero), `GREY` for images,
`COLOURS` for categories (Okabe and Ito, safe for the colour-blind).
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from cycler import cycler
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

__all__ = [
    "COLOURS",
    "PADDING",
    "accuracy_bars",
    "blank",
    "class_counts",
    "confusion",
    "digit_grid",
    "feature_maps",
    "grid",
    "layer_bars",
    "learning_curve",
    "loss_curve",
    "net",
    "pooled",
    "printed",
    "receptive_fields",
    "rungs",
    "shares",
    "show",
    "stacked",
    "staircases",
    "times_seen",
    "volumes",
    "windows",
]

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

    `alt` says in a sentence or two what a reader would take from the picture: it is what a
    screen reader speaks, and the text that stands where no picture can be shown.
    """
    import matplotlib.pyplot as plt

    if not alt.strip():
        raise ValueError("a figure needs words for those who cannot see it: show(figure, alt)")
    png = io.BytesIO()
    # With bbox_inches="tight" matplotlib draws twice; packing harder costs more than it saves.
    box = figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer()).padded(MARGIN)
    figure.savefig(png, format="png", bbox_inches=box, pil_kwargs={"compress_level": 3})
    plt.close(figure)
    display(
        {"image/png": png.getvalue(), "text/plain": alt},
        metadata={"image/png": {"alt": alt}},
        raw=True,
    )


# Lesson 03: counting


def windows() -> None:
    """Floor against ceil on a line of pixels, with the window that torch leaves out."""
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
    for colour, (s, found) in zip(COLOURS, sizes.items(), strict=False):
        n = np.array(list(found))
        ax.plot(n, (n - f) / s + 1, lw=1, ls=":", color=colour)  # the formula without its floor
        ax.plot(n, list(found.values()), "o", ms=5, color=colour, label=f"stride {s}")
    ax.set(xlabel="image size n", ylabel="output size", title=f"filter {f}, no padding")
    ax.set(xticks=n[::3], yticks=range(1, n.max(), 4))
    ax.legend(frameon=False, loc="upper left")
    words = "; ".join(
        f"Stride {s}: {', '.join(f'{size:g}' for size in found.values())}"
        for s, found in sizes.items()
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


def layer_bars(counts: Sequence[tuple[str, int]], title: str) -> None:
    """Parameters of each (layer, count), dense layers (FC...) in another colour, with shares."""
    names = [name for name, _ in counts]
    values = np.array([count for _, count in counts], dtype=float)
    share = 100 * values / values.sum()
    dense = np.array([name.startswith("FC") for name in names])
    figure, ax = _bars(names, title, 0.25)
    ax.barh(range(len(names)), values, color=[COLOURS[1] if d else COLOURS[0] for d in dense])
    for y, (value, part) in enumerate(zip(values, share, strict=True)):
        words = f"{value:,.0f}  ({part:.1f} %)"
        ax.text(value + values.max() / 80, y, words, va="center", fontsize=9)
    ax.set_xlim(0, 1.3 * values.max())
    show(
        figure,
        f"{title}, layer by layer: {names[int(values.argmax())]} alone has {share.max():.0f} % of "
        f"the {values.sum():,.0f} parameters, and the dense layers together "
        f"{share[dense].sum():.1f} %.",
    )


def net(table: pd.DataFrame, title: str) -> None:
    """A net as a row of blocks: as high as its maps are wide, as thick as its channels are many.

    `table` has slide 29's columns as lesson 03 names them, a row a layer, and a row "Total".
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


def stacked(nets: Mapping[str, Mapping[str, float]], title: str) -> None:
    """One bar a net, `nets[net][layer]` parameters stacked by layer, the total at its end."""
    layers = list(dict.fromkeys(layer for counts in nets.values() for layer in counts))
    figure, ax = _bars(list(nets), title, 0.45)
    totals = np.zeros(len(nets))
    for colour, layer in zip(COLOURS, layers, strict=False):
        values = np.array([_number(counts.get(layer)) for counts in nets.values()])
        if values.any():
            ax.barh(range(len(nets)), values, left=totals, color=colour, label=layer)
        totals += values
    for y, total in enumerate(totals):
        ax.text(total + totals.max() / 80, y, f"{total:,.0f}", va="center", fontsize=10)
    ax.set_xlim(0, 1.15 * totals.max())
    ax.legend(frameon=False, ncols=6, loc="upper center", bbox_to_anchor=(0.45, 0), fontsize=10)
    words = ", ".join(f"{name} {total:,.0f}" for name, total in zip(nets, totals, strict=True))
    show(figure, f"{title}: {words}.")


def receptive_fields(names: Sequence[str], fields: Sequence[tuple[int, int]], n: int) -> None:
    """What the first two neurons of each layer see of a line of n pixels.

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
    """`table` as a slide prints it: whole numbers with commas, empty cells blank."""
    return table.map(lambda cell: "" if _is_empty(cell) else f"{_number(cell):,.0f}")


def blank(width: float, height: float, unit: float) -> tuple[Figure, Axes]:
    """A figure without axes, `width` x `height` units of `unit` inches, y running down.

    One such sheet with several drawings on it is many times faster than as many axes.
    """
    edge = 0.02 / unit  # room for half a line
    figure = Figure(figsize=(width * unit, height * unit))
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set(xlim=(-edge, width + edge), ylim=(height + edge, -edge), xticks=[], yticks=[])
    ax.axis("off")
    return figure, ax


def grid(ax: Axes, left: float, top: float, side: int, zorder: float = 2) -> None:
    """The lines of a grid of side x side cells of one unit."""
    lines = [((left, top + k), (left + side, top + k)) for k in range(side + 1)]
    lines += [((left + k, top), (left + k, top + side)) for k in range(side + 1)]
    # One collection, outside of autoscaling, takes a third of the time of hlines and vlines.
    ax.add_collection(LineCollection(lines, colors="0.55", lw=0.6, zorder=zorder), autolim=False)


def _bars(names: Sequence[str], title: str, height: float) -> tuple[Figure, Axes]:
    """Axes for one horizontal bar a name, `height` inches each, the first on top."""
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
    """(C, H, W) of a layer of maps, (neurons,) of a dense layer, whose side is empty."""
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


# Lesson 04: LeNet on MNIST


def digit_grid(images: Array, captions: Sequence[str], title: str, alt: str) -> None:
    """Digits (N, H, W), grey and all on one scale, ten a row, each with its caption above."""
    height, width = images.shape[1:]
    rows, gap = -(-len(images) // 10), 12
    sheet = np.full((rows * (height + gap), 10 * (width + 4)), np.nan)
    figure = Figure(figsize=(9, 9 * sheet.shape[0] / sheet.shape[1]))
    ax = figure.add_axes((0, 0, 1, 1))
    for k, (image, caption) in enumerate(zip(images, captions, strict=True)):
        y, x = k // 10 * (height + gap) + gap, k % 10 * (width + 4)
        sheet[y : y + height, x : x + width] = image
        ax.text(x + width / 2, y - 2, caption, ha="center", va="bottom", fontsize=10)
    ax.imshow(sheet, vmin=float(np.min(images)), vmax=float(np.max(images)))
    ax.axis("off")
    ax.set_title(title, fontsize=11)
    show(figure, alt)


def class_counts(parts: Mapping[str, Array], alt: str) -> None:
    """How many digits of each class are in each part, a panel a part: `parts` maps name to labels.

    A class that a part lacks is named in red.
    """
    figure = Figure(figsize=(9, 2.6))
    for ax, (name, labels) in zip(
        figure.subplots(1, len(parts), sharey=True), parts.items(), strict=True
    ):
        counts = np.bincount(labels, minlength=10)
        ax.bar(range(10), counts)
        for label in np.flatnonzero(counts == 0):
            ax.text(label, 12, "none", color=COLOURS[3], rotation=90, ha="center", va="bottom")
        ax.set(xticks=range(10), xlabel="class")
        ax.set_title(f"{name}: {len(labels):,} digits", fontsize=10)
    figure.axes[0].set_ylabel("digits")
    show(figure, alt)


def pooled(image: Array, pools: Mapping[str, Array]) -> None:
    """An image (H, W) beside its pooled versions, one grey scale for all; shapes in the titles."""
    figure = Figure(figsize=(9, 2.7))
    panels = {"digit": image, **pools}
    for ax, (name, values) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        ax.imshow(values, vmin=float(np.min(image)), vmax=float(np.max(image)))
        ax.set_title(f"{name}\n(1, {values.shape[0]}, {values.shape[1]})", fontsize=10)
        ax.axis("off")
    show(
        figure,
        "A digit of 28 by 28 pixels beside its pooled versions, each of the size in its title. "
        "The maximum keeps the ink and makes strokes thicker; the average keeps their weight and "
        "blurs them to grey.",
    )


def loss_curve(losses: Sequence[float], title: str, alt: str) -> None:
    """The loss after each epoch, with the loss of a blind guess, log 10, as a dashed line."""
    figure = Figure(figsize=(7.5, 2.9))
    ax = figure.subplots()
    _blind_guess(ax)
    ax.plot(range(1, len(losses) + 1), losses, "o-")
    ax.set(xlabel="epoch", ylabel="mean loss", ylim=(0, 2.7))
    ax.set_title(title, fontsize=11)
    ax.set_xticks(range(1, len(losses) + 1))
    show(figure, alt)


def rungs(found: Mapping[str, float]) -> None:
    """The sanity ladder: expected, first and overfit loss on one logarithmic line."""
    figure = Figure(figsize=(8, 1.9))
    ax = figure.subplots()
    ax.axvspan(1e-7, 0.1, color=COLOURS[2], alpha=0.15, lw=0)
    ax.text(1.3e-6, 3.0, "known by heart: under 0.1", fontsize=10, va="center")
    rows = (
        ("log 10", found["expected"], COLOURS[7]),
        ("untrained", found["first"], COLOURS[0]),
        ("20 digits", found["overfit"], COLOURS[2]),
    )
    for y, (_, loss, colour) in enumerate(reversed(rows)):
        ax.plot(max(loss, 2e-6), y, "o", ms=9, color=colour)
    ax.set_yticks(range(3), [name for name, *_ in reversed(rows)])
    ax.set(xscale="log", xlim=(1e-6, 10), ylim=(-0.6, 3.5), xlabel="loss")
    show(
        figure,
        "Three losses on a logarithmic line. That of the untrained net lies on log 10, that of "
        "the net which has learnt twenty digits by heart far to the left of 0.1.",
    )


def accuracy_bars(accuracies: Mapping[str, float], title: str, alt: str) -> None:
    """One horizontal bar for each named accuracy (0 to 1), in per cent, chance at 10 dashed."""
    figure = Figure(figsize=(7, 0.7 + 0.42 * len(accuracies)))
    ax = figure.subplots()
    for y, (name, accuracy) in enumerate(accuracies.items()):
        colour = COLOURS[1] if "shuffled" in name else COLOURS[0]
        ax.barh(y, 100 * accuracy, color=colour, height=0.7)
        ax.text(100 * accuracy + 1, y, f"{100 * accuracy:.0f} %", va="center", fontsize=10)
    ax.axvline(10, color="0.35", ls="--", lw=1)
    ax.set_yticks(range(len(accuracies)), list(accuracies))
    ax.set(xlim=(0, 108), xlabel="right, in per cent (dashed: chance)")
    ax.set_title(title, fontsize=11)
    ax.invert_yaxis()
    show(figure, alt)


def learning_curve(losses: Sequence[float], train: Sequence[float], held: Sequence[float]) -> None:
    """Two panels over the epochs: the loss, and the accuracies (0 to 1) on train and held digits.

    Epoch 0 is the untrained net and has no loss of an epoch: `train` and `held` are one longer.
    """
    figure = Figure(figsize=(9, 3))
    left, right = figure.subplots(1, 2)
    _blind_guess(left)
    left.plot(range(1, len(losses) + 1), losses, "o-")
    left.set(xlabel="epoch", ylabel="mean loss", ylim=(0, 2.7))
    left.set_xticks(range(1, len(losses) + 1))
    for name, values, style in (("train", train, "o-"), ("held back", held, "s--")):
        right.plot(range(len(values)), 100 * np.array(values), style, label=name)
    right.set(xlabel="epoch (0: untrained)", ylabel="right, in per cent", ylim=(0, 103))
    right.set_xticks(range(len(train)))
    right.legend(frameon=False, loc="lower right")
    show(
        figure,
        "Left: the loss of an epoch falls from one epoch to the next, steeply at first. Right: the "
        "accuracy jumps from chance to far above 80 % in the first epoch, and the curves of the "
        "digits trained on and of those held back stay close together.",
    )


def confusion(counts: Array) -> None:
    """Digits by true class (rows) and answer (columns), (10, 10); mistakes in orange, by number."""
    counts = np.asarray(counts)
    wrong = counts - np.diag(np.diag(counts))
    figure = Figure(figsize=(5.2, 4.9))
    ax = figure.subplots()
    ax.imshow(wrong, cmap="Oranges", vmin=0, vmax=max(4, 1.6 * wrong.max()))
    for (row, column), count in np.ndenumerate(counts):
        if row == column:
            ax.add_patch(Rectangle((column - 0.5, row - 0.5), 1, 1, fc="0.9"))
        if count:
            ax.text(column, row, str(count), ha="center", va="center", fontsize=10)
    ax.set(xlabel="the net's answer", ylabel="the truth", xticks=range(10), yticks=range(10))
    ax.set_title("digits by truth and answer", fontsize=11)
    show(
        figure,
        "A table of ten true classes by ten answers. Almost all digits are on the diagonal; the "
        "few mistakes off it gather in a handful of look-alike pairs.",
    )


def feature_maps(digit: Array, stages: Mapping[str, Array]) -> None:
    """A digit (H, W) and, a row a stage, the first ten maps of each (C, H, W), one scale a row.

    A stage with negative values is drawn on the signed scale, one without in grey.
    """
    figure = Figure(figsize=(9, 1.15 * len(stages)))
    ax = figure.add_axes((0, 0.5 - 0.4 / len(stages), 0.13, 0.8 / len(stages)))
    ax.imshow(digit)
    ax.set_title(f"digit\n(1, {digit.shape[0]}, {digit.shape[1]})", fontsize=10)
    ax.set(xticks=[], yticks=[], frame_on=False)
    for row, (name, maps) in enumerate(stages.items()):
        side, some = maps.shape[-1], maps[:10]
        sheet = np.full((side, 10 * side + 9 * (gap := max(1, side // 8))), np.nan)
        for k, values in enumerate(some):
            sheet[:, k * (side + gap) : k * (side + gap) + side] = values
        high, signed = float(np.abs(some).max()), bool(np.min(some) < 0)
        ax = figure.add_axes((0.15, 1 - (row + 1) / len(stages), 0.85, 0.7 / len(stages)))
        ax.imshow(sheet, cmap=SIGNED if signed else GREY, vmin=-high * signed, vmax=high)
        ax.set(xticks=[], yticks=[], frame_on=False)
        cut = f", the first 10 of {len(maps)}" if len(maps) > 10 else ""
        ax.set_title(f"{name}: ({', '.join(map(str, maps.shape))}){cut}", fontsize=10)
    show(
        figure,
        "A digit and its maps, ten a stage. After conv1 they show the digit's strokes, in red and "
        "blue for positive and negative answers, each map another direction. After the last pool "
        "they are a few bright squares in which the digit can no longer be read.",
    )


def times_seen(counts: Mapping[str, Array]) -> None:
    """How often each digit was seen in an epoch: a panel of bars a named array of counts."""
    figure = Figure(figsize=(8, 2.6))
    for ax, (name, seen) in zip(
        figure.subplots(1, len(counts), sharey=True), counts.items(), strict=True
    ):
        shares = 100 * np.bincount(seen, minlength=6)[:6] / len(seen)
        ax.bar(range(6), shares, color=[COLOURS[3], *[COLOURS[0]] * 5])
        for times, share in enumerate(shares):
            if share >= 0.5:
                ax.text(times, share + 1, f"{share:.0f} %", ha="center", fontsize=10)
        ax.set(xlabel="times seen in one epoch", xticks=range(6), ylim=(0, 112))
        ax.set_title(name, fontsize=11)
    figure.axes[0].set_ylabel("digits, in per cent")
    show(
        figure,
        "How often a digit is seen in one epoch. In the hasty version more than a third are never "
        "seen and others up to five times; in the mended one each is seen once.",
    )


def _blind_guess(ax: Axes) -> None:
    ax.axhline(np.log(10), color="0.45", ls="--", lw=1)
    ax.text(1, 2.36, "a blind guess: log 10", color="0.35", fontsize=10)
