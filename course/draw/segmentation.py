"""The figures of lesson 09: masks on images, upsampled maps, and the shape of a U-Net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course.draw.style import COLOURS, PADDING, Array, blank, show

HIT, MISS, ALARM = COLOURS[0], COLOURS[1], COLOURS[4]  # distinct for all kinds of colour blindness
TINT = 0.65  # opacity of a colour on an image
# Ten digits: Okabe and Ito's colours on black, with two greys.
DIGITS = (*COLOURS[:7], "#FFFFFF", "#8A8A8A", "#7A4B1F")
GAP = 0.06  # between the images of a sheet, in images


def image_rows(rows: Mapping[str, Array], alt: str) -> None:
    """A row of images for each name, `rows[name]` an array (N, H, W): grey, one scale per row."""
    sheets = {}
    for name, images in rows.items():
        sheets[f"{name}\n(1, {images.shape[1]}, {images.shape[2]})"] = _grey(images)
    figure, _ = _sheet(sheets)
    show(figure, alt)


def overlays(images: Array, targets: Array, predicted: Mapping[str, Array], alt: str) -> None:
    """Masks on images, a row for each named prediction: hits, misses, false alarms by colour.

    images (N, H, W) any numbers; targets and predicted[name] (N, H, W), bool or 0 and 1. The IoU
    of each image stands above it.
    """
    grey = _grey(images)
    truth = np.asarray(targets) == 1
    sheets, captions = {}, []
    for name, masks in predicted.items():
        mask = np.asarray(masks) == 1
        coloured = grey.copy()
        for where, colour in ((mask & truth, HIT), (~mask & truth, MISS), (mask & ~truth, ALARM)):
            coloured[where] = (1 - TINT) * coloured[where] + TINT * np.array(to_rgb(colour))
        sheets[name] = coloured
        both, either = (mask & truth).sum((1, 2)), (mask | truth).sum((1, 2))
        captions.append(
            [f"IoU {b / e:.2f}" if e else "empty" for b, e in zip(both, either, strict=True)]
        )
    figure, ax = _sheet(sheets, captions, foot=0.2)
    named = {"pore, found": HIT, "pore, missed": MISS, "false alarm": ALARM}
    _legend(ax, named, len(images), len(sheets) * (1 + 0.2) + 0.06)
    show(figure, alt)


def small_maps(named: Mapping[str, Array], alt: str) -> None:
    """Small maps (H, W) side by side with their numbers, darker blue for larger ones; one scale."""
    width = sum(values.shape[1] + 1.4 for values in named.values()) - 1.4
    height = max(values.shape[0] for values in named.values())
    high = max(float(np.max(values)) for values in named.values()) or 1.0
    unit = min(0.42, 8.8 / width)
    figure, ax = blank(width, height + 1.8, unit)
    blues, left = mpl.colormaps["Blues"], 0.0
    for name, values in named.items():
        h, w = values.shape
        ax.text(left + w / 2, 1.6, f"{name}\n(1, {h}, {w})", ha="center", va="bottom", fontsize=10)
        top = 1.8 + (height - h) / 2
        for (i, j), value in np.ndenumerate(values):
            colour = blues(0.6 * float(value) / high) if value else "white"
            cell = Rectangle((left + j, top + i), 1, 1, fc=colour, ec="0.55", lw=0.6)
            ax.add_patch(cell)
            ink = "0.7" if not value else "black"
            words = f"{float(value):g}"
            ax.text(left + j + 0.5, top + i + 0.5, words, ha="center", va="center",
                    color=ink, fontsize=10)  # fmt: skip
        left += w + 1.4
    show(figure, alt)


def u_shape(channels: tuple[int, int, int], side: int) -> None:
    """The U-Net of the lesson: maps as boxes with (C, H, W), pools, skips, transposed convolutions.

    channels  of enc1, enc2 and middle
    side      of the image in pixels, divisible by 4
    """
    figure, ax = blank(17, 9.2, 0.52)
    one, two, three = channels
    down = (("image", 1, 0.0), ("enc1", one, 2.6))
    places = {}
    for name, c, x in down:
        places[name] = _map(ax, x, 0.9, 2.0, name, c, side)
    places["enc2"] = _map(ax, 4.4, 4.5, 1.4, "enc2", two, side // 2)
    places["middle"] = _map(ax, 7.4, 7.4, 1.0, "middle", three, side // 4)
    places["up2, dec2"] = _map(ax, 10.1, 4.5, 1.4, "up2, dec2", two, side // 2)
    places["up1, dec1"] = _map(ax, 11.9, 0.9, 2.0, "up1, dec1", one, side)
    places["head"] = _map(ax, 14.7, 0.9, 2.0, "head", 1, side)
    for start, end, colour in (
        ("image", "enc1", "0.3"), ("enc1", "enc2", COLOURS[3]), ("enc2", "middle", COLOURS[3]),
        ("middle", "up2, dec2", COLOURS[2]), ("up2, dec2", "up1, dec1", COLOURS[2]),
        ("up1, dec1", "head", "0.3"), ("enc1", "up1, dec1", COLOURS[0]),
        ("enc2", "up2, dec2", COLOURS[0]),
    ):  # fmt: skip
        _arrow(ax, places[start], places[end], colour)
    for x, y, words, colour in (
        (8.25, 1.6, "skip: concatenate", COLOURS[0]), (8.0, 4.95, "skip", COLOURS[0]),
        (2.4, 7.9, "max pool: half the size", COLOURS[3]),
        (13.9, 7.9, "transposed: twice the size", COLOURS[2]),
    ):  # fmt: skip
        ax.text(x, y, words, color=colour, ha="center", va="bottom", fontsize=10)
    show(
        figure,
        f"A U-Net. The image (1, {side}, {side}) becomes ({one}, {side}, {side}) in enc1, "
        f"({two}, {side // 2}, {side // 2}) in enc2 and ({three}, {side // 4}, {side // 4}) in the "
        "middle, by max pools; it grows again by transposed convolutions. Two skips lead straight "
        "across: from enc2 to dec2, and from enc1 to dec1. The head gives a logit a pixel.",
    )


def iou_curve(scores: Sequence[float], rival: float) -> None:
    """The IoU of the U-Net after each epoch, with that of Otsu's threshold as a dashed line."""
    figure = Figure(figsize=(7.5, 2.9))
    ax = figure.subplots()
    ax.axhline(rival, color="0.35", ls="--", lw=1)
    ax.text(len(scores) + 0.3, rival + 0.02, "Otsu", va="bottom", color="0.35", fontsize=10)
    ax.plot(range(1, len(scores) + 1), scores, "o-")
    ax.text(len(scores) + 0.3, scores[-1], "U-Net", va="center", color=COLOURS[0], fontsize=10)
    ax.set(xlabel="epoch", ylabel="IoU", ylim=(0, 1), xlim=(0.7, len(scores) + 1))
    ax.set_title("pores in unseen sections", fontsize=11)
    ax.set_xticks(range(1, len(scores) + 1))
    show(
        figure,
        "The IoU on unseen sections after each epoch. It begins low, crosses the dashed line of "
        "Otsu's threshold within some epochs, and ends far above it.",
    )


def pixel_classes(images: Array, maps: Mapping[str, Array]) -> None:
    """Canvases (N, H, W), and for each name the classes of their pixels (N, H, W), by colour.

    Classes 0 to 9 are digits, 10 is the background, black.
    """
    palette = np.array([to_rgb(colour) for colour in (*DIGITS, "#000000")])
    size = f"\n(1, {images.shape[1]}, {images.shape[2]})"
    sheets = {f"canvas{size}": _grey(images)}
    sheets |= {f"{name}{size}": palette[np.asarray(classes)] for name, classes in maps.items()}
    figure, ax = _sheet(sheets, foot=0.2)
    _legend(
        ax,
        {f"{k}": c for k, c in enumerate(DIGITS)},
        len(images),
        len(sheets) * (1 + GAP) + 0.04,
    )
    show(
        figure,
        "Canvases of handwritten digits; below them the true class of each pixel as a "
        f"colour; below that: {', '.join(list(maps)[1:])}. Most digits have one colour, the right "
        "one; some are patched from two look-alikes.",
    )


def class_ious(scores: Mapping[int, float]) -> None:
    """One bar for the IoU of each class; class 10 is the background."""
    figure = Figure(figsize=(7.5, 2.6))
    ax = figure.subplots()
    names = [("paper" if c == 10 else f"{c}") for c in scores]
    colours = ["0.6" if c == 10 else COLOURS[0] for c in scores]
    ax.bar(range(len(names)), list(scores.values()), color=colours)
    for x, score in enumerate(scores.values()):
        ax.text(x, score + 0.02, f"{score:.2f}", ha="center", fontsize=9)
    ax.set(ylim=(0, 1.12), ylabel="IoU", yticks=(0, 0.5, 1))
    ax.set_xticks(range(len(names)), names)
    ax.set_title("IoU by class, on unseen canvases", fontsize=11)
    show(
        figure,
        "The IoU of each class on unseen canvases. That of paper is close to 1; those of the "
        "digits are lower and differ.",
    )


def _grey(images: Array) -> Array:
    """Images (N, H, W) as grey colours (N, H, W, 3), scaled from their minimum to their maximum."""
    levels = np.asarray(images, dtype=float)
    levels = (levels - levels.min()) / ((levels.max() - levels.min()) or 1.0)
    return np.stack([levels] * 3, -1)


def _sheet(
    rows: Mapping[str, Array],
    captions: Sequence[Sequence[str]] | None = None,
    foot: float = 0.0,
) -> tuple[Figure, Axes]:
    """Rows of coloured images (N, H, W, 3) on one sheet, each image one unit wide.

    Names are to the left, captions above the images; `foot` units below are left free.
    """
    count = max(len(images) for images in rows.values())
    head = 0.2 if captions else GAP
    height = len(rows) * (1 + head) + foot
    figure, ax = blank(count * (1 + GAP) - GAP, height, 7.6 / (count * (1 + GAP)))
    for r, (name, images) in enumerate(rows.items()):
        top = r * (1 + head) + head
        ax.text(-0.06, top + 0.5, name, ha="right", va="center", fontsize=10)
        for k, image in enumerate(images):
            left = k * (1 + GAP)
            ax.imshow(np.clip(image, 0, 1), extent=(left, left + 1, top + 1, top), aspect="auto")
            if captions:
                ax.text(left + 0.5, top - 0.03, captions[r][k], ha="center", va="bottom",
                        fontsize=10)  # fmt: skip
    return figure, ax


def _legend(ax: Axes, colours: Mapping[str, str], images: int, top: float) -> None:
    """Draw a patch of each colour with its name beside it, in one row under `images` images."""
    step = min(1.2, images * (1 + GAP) / len(colours))
    for k, (name, colour) in enumerate(colours.items()):
        ax.add_patch(Rectangle((k * step, top), 0.1, 0.1, fc=colour, ec="0.4", lw=0.6))
        ax.text(k * step + 0.15, top + 0.05, name, ha="left", va="center", fontsize=10)


def _map(
    ax: Axes, x: float, y: float, size: float, name: str, c: int, side: int
) -> tuple[float, float, float]:
    """Draw a box for a map, its name above and its shape below; return (x, y, size)."""
    ax.add_patch(Rectangle((x, y), size, size, fc=PADDING, ec="0.3", lw=1))
    ax.text(x + size / 2, y - 0.1, name, ha="center", va="bottom", fontsize=10)
    ax.text(x + size / 2, y + size + 0.12, f"({c}, {side}, {side})", ha="center", va="top",
            fontsize=10)  # fmt: skip
    return x, y, size


def _arrow(
    ax: Axes, start: tuple[float, float, float], end: tuple[float, float, float], colour: str
) -> None:
    """Draw an arrow between two boxes: sideways on one level, otherwise from below or above."""
    (x, y, a), (u, v, b) = start, end
    if abs(y - v) < 0.1:
        tail, head = (x + a + 0.05, y + a / 2), (u - 0.05, v + b / 2)
    elif v > y:
        tail, head = (x + 0.75 * a, y + a + 0.7), (u - 0.05, v + b / 2)
    else:
        tail, head = (x + a + 0.05, y + a / 2), (u + 0.25 * b, v + b + 0.7)
    ax.annotate("", head, tail, arrowprops={"arrowstyle": "-|>", "color": colour, "lw": 1.6})
