"""The figures of lesson 08: textures, their features in a trained network, three ways to train."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.collections import PatchCollection
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from course.draw.style import COLOURS, GREY, SIGNED, Array, show

HUES = (COLOURS[0], COLOURS[1], COLOURS[2])
MARKERS = ("o", "s", "^")


def cut_out(pictures: Mapping[str, Array], parts: Mapping[str, Sequence[Sequence[int]]]) -> None:
    """Photographs (H, W) by name, each with the rectangles (top, left, bottom, right) of the parts.

    At most three parts, each in a different colour.
    """
    figure = Figure(figsize=(9, 3.5))
    panels = figure.subplots(1, len(pictures))
    for ax, (name, picture) in zip(np.atleast_1d(panels), pictures.items(), strict=True):
        ax.imshow(picture, cmap=GREY, vmin=0, vmax=255, alpha=0.75)
        for hue, rectangles in zip(HUES, parts.values(), strict=False):
            boxes = [Rectangle((r[1], r[0]), r[3] - r[1], r[2] - r[0]) for r in rectangles]
            ax.add_collection(PatchCollection(boxes, facecolor="none", edgecolor=hue, lw=2))
        height, width = picture.shape
        ax.set_title(f"{name} (1, {height}, {width})", fontsize=10)
        ax.axis("off")
    handles = [
        Rectangle((0, 0), 1, 1, facecolor="none", edgecolor=hue, lw=2)
        for hue, _ in zip(HUES, parts, strict=False)
    ]
    figure.legend(handles, list(parts), loc="lower center", ncols=len(parts), frameon=False)
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.08, top=0.9, wspace=0.04)
    counts = ", ".join(f"{len(boxes)} of {name}" for name, boxes in parts.items())
    show(
        figure,
        f"The photographs {', '.join(pictures)}, each with the same rectangles drawn on it: "
        f"{counts}.",
    )


def samples(classes: Mapping[str, Array]) -> None:
    """Grey images (N, H, W), 0 black to 255 white, one row per named class, at most ten each."""
    gap = 4
    height, width = next(iter(classes.values())).shape[1:]
    sheet = np.full((len(classes) * (height + gap), 10 * (width + gap)), np.nan)
    figure = Figure(figsize=(9, 8 * sheet.shape[0] / sheet.shape[1]))
    ax = figure.add_axes((0.1, 0, 0.9, 1))
    for row, (name, images) in enumerate(classes.items()):
        y = row * (height + gap)
        for k, image in enumerate(images[:10]):
            x = k * (width + gap)
            sheet[y : y + height, x : x + width] = image
        ax.text(-8, y + height / 2, name, ha="right", va="center")
    ax.imshow(sheet, cmap=GREY, vmin=0, vmax=255)
    ax.axis("off")
    show(
        figure,
        f"Rows of small grey crops, {', '.join(classes)}: some light, some dark, all faint, and "
        "some so faint that they look like plain grey.",
    )


def prepared(image: Array, x: Array) -> None:
    """A colour image (H, W, 3) and the network's input (3, S, S), one panel per channel, signed."""
    figure = Figure(figsize=(9, 2.6))
    first, *rest = figure.subplots(1, 4)
    first.imshow(image)
    first.set_title(f"image, {image.dtype}\n(3, {image.shape[0]}, {image.shape[1]})", fontsize=10)
    for ax, channel, name in zip(rest, x, ("red", "green", "blue"), strict=True):
        drawn = ax.imshow(channel, cmap=SIGNED, vmin=-1, vmax=1)
        ax.set_title(f"{name}\n({channel.shape[0]}, {channel.shape[1]})", fontsize=10)
    for ax in (first, *rest):
        ax.axis("off")
    figure.subplots_adjust(left=0.01, right=0.92, wspace=0.06)
    place = figure.add_axes((0.935, 0.16, 0.012, 0.66))
    figure.colorbar(drawn, cax=place, ticks=[-1, 0, 1])
    show(
        figure,
        "A colour image, and beside it the three channels that the net gets, red, green and blue, "
        "smaller and on a scale from -1 to 1 whose white is 0. They differ a little: the image's "
        "warm colours are higher in red than in blue.",
    )


def clouds(views: Mapping[str, Array], labels: Array, names: Sequence[str], alt: str) -> None:
    """Points (N, 2), one panel per named view, with colour and marker by class (at most 3)."""
    figure = Figure(figsize=(9, 3.7))
    for ax, (title, points) in zip(figure.subplots(1, len(views)), views.items(), strict=True):
        for label, name in enumerate(names):
            some = points[labels == label]
            ax.scatter(*some.T, s=26, color=HUES[label], marker=MARKERS[label], label=name)
        ax.set(xticks=[], yticks=[], xlabel="first direction", ylabel="second direction")
        ax.set_title(title, fontsize=11)
    figure.axes[0].legend(frameon=False, loc="best", fontsize=10, handletextpad=0.2)
    show(figure, alt)


def losses(curves: Mapping[str, Sequence[float]], title: str, alt: str) -> None:
    """The loss at each step, one named curve each, with the chance level of 3 classes, log 3."""
    figure = Figure(figsize=(7.5, 3))
    ax = figure.subplots()
    ax.axhline(np.log(3), color="0.45", ls="--", lw=1, label="a blind guess: log 3")
    for (name, values), style in zip(curves.items(), ("-", "-.", ":"), strict=False):
        ax.plot(range(len(values)), values, style, lw=2, label=name)
    ax.set(xlabel="step", ylabel="mean loss")
    ax.set_ylim(bottom=0)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_title(title, fontsize=11)
    ax.legend(frameon=False, fontsize=10)
    show(figure, alt)


def moved(changes: Mapping[str, float]) -> None:
    """The change of each named part of a network in training, in % of its norm.

    A part that did not change is labelled so.
    """
    figure = Figure(figsize=(7.5, 0.9 + 0.3 * len(changes)))
    ax = figure.subplots()
    values = 100 * np.array(list(changes.values()))
    ax.barh(range(len(values)), values, color=COLOURS[3], height=0.7)
    for y, value in enumerate(values):
        words = f"{value:.2g} %" if value else "unchanged"
        ax.text(value + (values.max() or 1) / 80, y, words, va="center", fontsize=9)
    ax.set_yticks(range(len(values)), list(changes))
    ax.set(xlim=(0, 1.2 * (values.max() or 1)), xlabel="change, in per cent of the weights' size")
    ax.invert_yaxis()
    still = [name for name, change in changes.items() if not change]
    show(
        figure,
        f"How far each part was moved by fine-tuning. Unchanged: {', '.join(still) or 'none'}; all "
        "others were moved.",
    )


def contest(scores: Mapping[int, Sequence[Mapping[str, float]]]) -> None:
    """Accuracies (0 to 1) by crops per class: for each number, one {method: accuracy} per seed.

    One dot per seed, a line through the means of each method; the chance level, a third, is
    dashed. At most three methods.
    """
    methods = list(next(iter(scores.values()))[0])
    figure = Figure(figsize=(8, 4))
    ax = figure.subplots()
    ax.axhline(100 / 3, color="0.45", ls="--", lw=1)
    places = np.arange(len(scores))
    for k, method in enumerate(methods):
        shift = 0.16 * (k - (len(methods) - 1) / 2)
        accuracies = [100 * np.array([run[method] for run in runs]) for runs in scores.values()]
        for place, values in zip(places, accuracies, strict=True):
            jitter = np.linspace(-0.03, 0.03, len(values))
            ax.plot(place + shift + jitter, values, MARKERS[k], color=HUES[k], ms=6, alpha=0.6)
        means = [values.mean() for values in accuracies]
        ax.plot(places + shift, means, "-", color=HUES[k], lw=2, label=method)
    ax.text(places[-1] + 0.3, 34.5, "chance", color="0.35", fontsize=10, ha="right")
    ax.set_xticks(places, [f"{number}" for number in scores])
    ax.set(xlabel="crops a class to learn from", ylabel="right of the test crops, in per cent")
    ax.set(ylim=(15, 104), xlim=(-0.4, places[-1] + 0.4))
    ax.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1), ncols=len(methods))
    show(
        figure,
        "Accuracy on test crops against the number of crops a class, a dot for each seed. The "
        "trained net's features, fine-tuned or not, stand near the top from the first; the net "
        "from scratch starts not far above chance, stays far below them, and scatters widely.",
    )
