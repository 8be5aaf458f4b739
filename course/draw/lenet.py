"""The figures of lesson 04: digits, pools, feature maps, and learning curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course.draw.style import COLOURS, GREY, SIGNED, Array, show


def digit_grid(images: Array, captions: Sequence[str], title: str, alt: str) -> None:
    """Digits (N, H, W), grey and all on one scale, ten per row, each with a caption above."""
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
    """The number of digits of each class, one panel per part; `parts` maps a name to labels.

    A class that is missing in a part is marked in red.
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
    """The loss after each epoch, with the loss at chance level, log 10, as a dashed line."""
    figure = Figure(figsize=(7.5, 2.9))
    ax = figure.subplots()
    _chance_level(ax)
    ax.plot(range(1, len(losses) + 1), losses, "o-")
    ax.set(xlabel="epoch", ylabel="mean loss", ylim=(0, 2.7))
    ax.set_title(title, fontsize=11)
    ax.set_xticks(range(1, len(losses) + 1))
    show(figure, alt)


def rungs(losses: Mapping[str, float]) -> None:
    """The sanity ladder: expected, first and overfit loss on one logarithmic line."""
    figure = Figure(figsize=(8, 1.9))
    ax = figure.subplots()
    ax.axvspan(1e-7, 0.1, color=COLOURS[2], alpha=0.15, lw=0)
    ax.text(1.3e-6, 3.0, "memorised: under 0.1", fontsize=10, va="center")
    rows = (
        ("log 10", losses["expected"], COLOURS[7]),
        ("untrained", losses["first"], COLOURS[0]),
        ("20 digits", losses["overfit"], COLOURS[2]),
    )
    for y, (_, loss, colour) in enumerate(reversed(rows)):
        ax.plot(max(loss, 2e-6), y, "o", ms=9, color=colour)
    ax.set_yticks(range(3), [name for name, *_ in reversed(rows)])
    ax.set(xscale="log", xlim=(1e-6, 10), ylim=(-0.6, 3.5), xlabel="loss")
    show(
        figure,
        "Three losses on a logarithmic line. That of the untrained network lies on log 10, that of "
        "the network that has memorised twenty digits far to the left of 0.1.",
    )


def accuracy_bars(accuracies: Mapping[str, float], title: str, alt: str) -> None:
    """One horizontal bar per named accuracy (0 to 1), in %, and the chance level, 10 %, dashed."""
    figure = Figure(figsize=(7, 0.7 + 0.42 * len(accuracies)))
    ax = figure.subplots()
    for y, (name, accuracy) in enumerate(accuracies.items()):
        colour = COLOURS[1] if "shuffled" in name else COLOURS[0]
        ax.barh(y, 100 * accuracy, color=colour, height=0.7)
        ax.text(100 * accuracy + 1, y, f"{100 * accuracy:.0f} %", va="center", fontsize=10)
    ax.axvline(10, color="0.35", ls="--", lw=1)
    ax.set_yticks(range(len(accuracies)), list(accuracies))
    ax.set(xlim=(0, 108), xlabel="accuracy (%), dashed: chance level")
    ax.set_title(title, fontsize=11)
    ax.invert_yaxis()
    show(figure, alt)


def learning_curve(
    losses: Sequence[float], train: Sequence[float], validation: Sequence[float]
) -> None:
    """Two panels over the epochs: the loss, and the training and validation accuracy (0 to 1).

    Epoch 0 is the untrained model, which has no training loss: the accuracies are one longer.
    """
    figure = Figure(figsize=(9, 3))
    left, right = figure.subplots(1, 2)
    _chance_level(left)
    left.plot(range(1, len(losses) + 1), losses, "o-")
    left.set(xlabel="epoch", ylabel="mean loss", ylim=(0, 2.7))
    left.set_xticks(range(1, len(losses) + 1))
    for name, values, style in (("training", train, "o-"), ("validation", validation, "s--")):
        right.plot(range(len(values)), 100 * np.array(values), style, label=name)
    right.set(xlabel="epoch (0: untrained)", ylabel="accuracy (%)", ylim=(0, 103))
    right.set_xticks(range(len(train)))
    right.legend(frameon=False, loc="lower right")
    show(
        figure,
        "Left: the loss of an epoch falls from one epoch to the next, steeply at first. Right: the "
        "accuracy jumps from chance to far above 80 % in the first epoch, and the curves "
        "of the training and the validation set stay close together.",
    )


def confusion(counts: Array) -> None:
    """The confusion matrix (10, 10): true labels by row, predicted by column; errors in orange."""
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
    ax.set(xlabel="predicted label", ylabel="true label", xticks=range(10), yticks=range(10))
    ax.set_title("confusion matrix", fontsize=11)
    show(
        figure,
        "A confusion matrix, ten true labels by ten predicted ones. Almost all digits are "
        "on the diagonal; the "
        "few mistakes off it gather in a handful of look-alike pairs.",
    )


def feature_maps(digit: Array, stages: Mapping[str, Array]) -> None:
    """A digit (H, W) and, one row per stage, the first ten of its maps (C, H, W), one scale each.

    A stage with negative values is drawn on the signed scale, others in grey.
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
        "A digit and its maps, ten per stage. After conv1 they show the digit's strokes, in red "
        "and blue for positive and negative responses, each map another direction. After the last "
        "pool they are a few bright squares in which the digit can no longer be read.",
    )


def times_seen(counts: Mapping[str, Array]) -> None:
    """How often each digit was drawn in an epoch: a histogram for each named array of counts."""
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
    figure.axes[0].set_ylabel("digits (%)")
    show(
        figure,
        "How often a digit is seen in one epoch. In the hasty version more than a third are never "
        "seen and others up to five times; in the corrected one each is seen once.",
    )


def _chance_level(ax: Axes) -> None:
    """A dashed line at the loss of uniform probabilities over ten classes."""
    ax.axhline(np.log(10), color="0.45", ls="--", lw=1)
    ax.text(1, 2.36, "chance level: log 10", color="0.35", fontsize=10)
