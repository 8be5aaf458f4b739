"""The figures of lesson 11: boxes on images, pairs of boxes, and curves of precision and loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course.draw.style import COLOURS, Array, blank, show

# A box to draw: x1, y1, x2, y2, then its caption and the number of its colour in COLOURS.
Box = tuple[Sequence[float], str, int]
ON_IMAGE = (COLOURS[5], COLOURS[1], COLOURS[2], COLOURS[4], "0.6")  # all seen on black
WIDE = 8.6  # inches of a sheet
HEADING = 0.14  # room above an image, in its heights: its name, and the caption of a box at the top
NARROW, HEAD = 8.0, 1.6  # units: the least room of a pair of boxes, and that of its name


def boxed(panels: Mapping[str, tuple[Array, Sequence[Box]]], alt: str) -> None:
    """Images (H, W) side by side, each with its boxes: (corners, caption, colour from 0 to 4)."""
    wide = max(image.shape[1] / image.shape[0] for image, _ in panels.values())
    edge = max((_overhang(image, boxes) for image, boxes in panels.values()), default=0.0)
    count, gap, top = len(panels), 0.06 + 2 * edge, HEADING + edge
    width, height = count * (wide + gap) - 0.06, 1 + top + edge
    figure, ax = blank(width, height, min(WIDE / width, 3.6))
    for k, (name, (image, boxes)) in enumerate(panels.items()):
        left, (h, w) = edge + k * (wide + gap), image.shape
        ax.text(left + w / h / 2, 0.06, name, ha="center", va="bottom", fontsize=10)
        ax.imshow(
            image, extent=(left, left + w / h, 1 + top, top), aspect="auto", cmap="gray",
            vmin=0, vmax=1,
        )  # fmt: skip
        for corners, caption, colour in boxes:
            x1, y1, x2, y2 = (float(number) / h for number in corners)
            _frame(ax, (left + x1, top + y1, x2 - x1, y2 - y1), caption, ON_IMAGE[colour])
    show(figure, alt)


def box_formats(corners: Sequence[float], size: tuple[int, int]) -> None:
    """One box on a sheet of `size` (H, W) pixels, with its corners, its centre and its sides."""
    (x1, y1, x2, y2), (h, w) = corners, size
    figure, ax = blank(w, h, 0.16)
    ax.add_patch(Rectangle((0, 0), w, h, fc="0.97", ec="0.4", lw=0.8))
    ax.add_patch(Rectangle((x1, y1), x2 - x1, y2 - y1, fc="none", ec=COLOURS[0], lw=2))
    for x, y, words, place in (
        (x1, y1, f"(x1, y1) = ({x1:g}, {y1:g})", ("center", "bottom", -0.5)),
        (x2, y2, f"(x2, y2) = ({x2:g}, {y2:g})", ("center", "top", 0.5)),
    ):
        ax.plot([x], [y], "o", color=COLOURS[0], ms=6)
        ax.text(x, y + place[2], words, color=COLOURS[0], ha=place[0], va=place[1], fontsize=10)
    cx, cy = (x1 + x2) / 2, (y1 + y2) / 2
    ax.plot([cx], [cy], "s", color=COLOURS[3], ms=6)
    ax.text(cx, cy + 0.6, f"(cx, cy) = ({cx:g}, {cy:g})", color=COLOURS[3], ha="center", va="top",
            fontsize=10)  # fmt: skip
    arrow = {"arrowstyle": "<->", "color": COLOURS[3], "lw": 1.2}
    ax.annotate("", (x2, y2 - 1), (x1, y2 - 1), arrowprops=arrow)
    ax.text(cx, y2 - 1.3, f"w = {x2 - x1:g}", color=COLOURS[3], ha="center", va="bottom",
            fontsize=10)  # fmt: skip
    ax.annotate("", (x2 + 0.8, y2), (x2 + 0.8, y1), arrowprops=arrow)
    ax.text(x2 + 1.3, cy, f"h = {y2 - y1:g}", color=COLOURS[3], ha="left", va="center", fontsize=10)
    ax.text(0.4, 0.4, "(0, 0), y points down", color="0.35", ha="left", va="top", fontsize=10)
    show(
        figure,
        f"A box on an image whose origin is the top left corner. Its corners are ({x1:g}, {y1:g}) "
        f"and ({x2:g}, {y2:g}); its centre is ({cx:g}, {cy:g}), it is {x2 - x1:g} wide and "
        f"{y2 - y1:g} high.",
    )


def box_sizes(sizes: Mapping[str, Array], anchor: tuple[int, int]) -> None:
    """Width against height of boxes (n, 2) in pixels, by class, and a cross at the anchor's."""
    figure = Figure(figsize=(6.2, 3.6))
    ax = figure.subplots()
    for k, (name, points) in enumerate(sizes.items()):
        x, y = np.asarray(points).T
        ax.scatter(x, y, s=22, color=COLOURS[(0, 3, 2)[k % 3]], marker="os^"[k % 3], alpha=0.6,
                   label=name)  # fmt: skip
    ax.plot(*anchor, "x", color="black", ms=12, mew=3, label="anchor")
    ax.set(xlabel="width in pixels", ylabel="height in pixels", xlim=(0, 22), ylim=(0, 22))
    ax.set(xticks=range(0, 22, 4), yticks=range(0, 22, 4))
    ax.legend(frameon=False, fontsize=10, loc="lower right")
    show(
        figure,
        f"Width and height of boxes by digit ({', '.join(sizes)}), as points, and a cross "
        f"at the anchor, {anchor[0]} wide and {anchor[1]} high.",
    )


def box_pairs(pairs: Mapping[str, tuple[Sequence[float], Sequence[float], float]]) -> None:
    """Pairs of boxes side by side, each with its overlap filled in and its IoU below."""
    left, height = 0.0, 0.0
    sheets, parts = [], []
    for name, (one, other, iou) in pairs.items():
        edges = np.array([one, other], dtype=float)
        low, (width, deep) = edges.min(0)[:2], edges.max(0)[2:] - edges.min(0)[:2]
        shift = np.array([left + max(NARROW - width, 0) / 2, HEAD]) - low
        sheets.append((name, edges + np.tile(shift, 2), iou, left + max(width, NARROW) / 2))
        left, height = left + max(width, NARROW) + 2, max(height, deep)
    figure, ax = blank(left - 2, height + HEAD + 1.8, min(0.2, WIDE / (left - 2)))
    for name, (one, other), iou, middle in sheets:
        ax.text(middle, HEAD - 0.4, name, ha="center", va="bottom", fontsize=10)
        low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
        if (high > low).all():
            ax.add_patch(Rectangle(low, *(high - low), fc=COLOURS[2], alpha=0.5, lw=0))
        for box, colour in ((one, COLOURS[0]), (other, COLOURS[3])):
            ax.add_patch(Rectangle(box[:2], *(box[2:] - box[:2]), fc="none", ec=colour, lw=2))
        ax.text(middle, height + HEAD + 0.4, f"IoU {iou:.2f}", ha="center", va="top", fontsize=10)
        parts.append(f"{name}: {iou:.2f}")
    show(figure, f"Pairs of boxes, their overlap filled in, with their IoU. {'; '.join(parts)}.")


def loss_parts(history: Sequence[Sequence[float]]) -> None:
    """The three parts of a detection loss by epoch: box, objectness, class."""
    figure = Figure(figsize=(7.5, 2.9))
    ax = figure.subplots()
    names = (("box", "o-"), ("objectness", "s-"), ("class", "^-"))
    for k, (name, line) in enumerate(names):
        values = [row[k] for row in history]
        ax.plot(range(1, len(values) + 1), values, line, color=COLOURS[(0, 3, 2)[k]], label=name)
    ax.set(xlabel="epoch", ylabel="loss per responsible anchor", ylim=(0, None))
    ax.set_xticks(range(1, len(history) + 1))
    ax.legend(frameon=False, fontsize=10)
    show(
        figure,
        "Three losses by epoch: box, objectness and class. All of them fall; that of the boxes "
        "starts lowest, that of the class falls later than objectness.",
    )


def precision_recall(curves: Mapping[str, tuple[Array, Array, float]], alt: str) -> None:
    """Precision against recall for each name: (recall, precision, average precision)."""
    figure = Figure(figsize=(6.6, 3.4))
    ax = figure.subplots()
    for k, (name, (recall, precision, area)) in enumerate(curves.items()):
        colour, line = COLOURS[(0, 3, 2)[k % 3]], ("-", "--", "-.")[k % 3]
        x, y = np.r_[0.0, recall], np.r_[precision[:1], precision]
        ax.plot(x, y, line, color=colour, lw=1, alpha=0.5)
        best = np.maximum.accumulate(y[::-1])[::-1]
        ax.plot(x, best, line, color=colour, lw=2, label=f"{name}: AP {area:.2f}")
    ax.set(xlabel="recall", ylabel="precision", xlim=(0, 1.02), ylim=(0, 1.05))
    ax.legend(frameon=False, fontsize=10, loc="lower left")
    show(figure, alt)


def class_aps(scores: Mapping[str, float]) -> None:
    """One bar for the average precision of each class, and a dashed line for their mean."""
    figure = Figure(figsize=(7.5, 2.7))
    ax = figure.subplots()
    ax.bar(range(len(scores)), list(scores.values()), color=COLOURS[0])
    for x, score in enumerate(scores.values()):
        high = score > 0.2
        ax.text(x, score + (-0.03 if high else 0.03), f"{score:.2f}", ha="center",
                va="top" if high else "bottom", color="white" if high else "black",
                fontsize=9)  # fmt: skip
    mean = float(np.mean(list(scores.values())))
    ax.axhline(mean, color="0.35", ls="--", lw=1)
    ax.text(len(scores) - 0.35, mean, "mAP", va="center", color="0.35", fontsize=10)
    ax.set_xlim(-0.6, len(scores) - 0.4)
    ax.set(ylim=(0, 1.12), ylabel="AP at IoU 0.5", yticks=(0, 0.5, 1), xlabel="digit")
    ax.set_xticks(range(len(scores)), list(scores))
    show(
        figure,
        "The average precision of each digit on canvases of the test set, as a bar, and their mean "
        "as a dashed line. The bars differ: some digits are harder than others.",
    )


def map_curve(thresholds: Sequence[float], scores: Mapping[str, Sequence[float]], alt: str) -> None:
    """The mAP of each named way against the IoU that a hit needs."""
    figure = Figure(figsize=(7.0, 3.0))
    ax = figure.subplots()
    for k, (name, values) in enumerate(scores.items()):
        ax.plot(thresholds, values, ("o-", "s--", "^-.")[k % 3], color=COLOURS[(0, 3, 2)[k % 3]],
                label=name)  # fmt: skip
    ax.set(xlabel="IoU that a hit needs", ylabel="mAP", ylim=(0, 1.02))
    ax.legend(frameon=False, fontsize=10)
    show(figure, alt)


def _overhang(image: Array, boxes: Sequence[Box]) -> float:
    """How far the boxes stick out of an image (H, W), in its heights."""
    h, w = image.shape
    beyond = [max(-c[0], -c[1], c[2] - w, c[3] - h, 0) for c, *_ in boxes]
    return float(max(beyond, default=0)) / h


def _frame(ax: Axes, place: tuple[float, float, float, float], caption: str, colour: str) -> None:
    """Draw a box (x, y, width, height), its caption above its left corner."""
    x, y, width, height = place
    ax.add_patch(Rectangle((x, y), width, height, fc="none", ec=colour, lw=1.6))
    if caption:
        ax.text(x, y - 0.01, caption, color=colour, ha="left", va="bottom", fontsize=9)
