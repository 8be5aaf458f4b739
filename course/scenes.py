"""Scenes for detection: handwritten digits of several sizes on one canvas, with a box for each.

digit_scenes(images, labels, n, size, seed)    canvases, boxes and labels
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

__all__ = ["digit_scenes"]

MOST = 5  # digits on one canvas
SIDES = (17, 30)  # of a digit's image in pixels, about 1.4 times the height of its ink
INK = 0.3  # from this grey value on a pixel counts as ink
NOISE = 0.08  # standard deviation of the noise of a pixel
OVERLAP = 0.1  # largest IoU of two boxes of a canvas
APART = 8.0  # smallest distance of two centres in pixels, the larger of across and down
FLOAT = np.dtype[np.float32]


def digit_scenes(
    images: np.ndarray[Any, Any], labels: np.ndarray[Any, Any], n: int, size: int, seed: int
) -> tuple[
    np.ndarray[Any, FLOAT], list[np.ndarray[Any, FLOAT]], list[np.ndarray[Any, np.dtype[np.int64]]]
]:
    """Return `n` canvases of size x size pixels with one to five digits each, drawn from `seed`.

    images, labels  the digits to choose from, (N, 28, 28) with ink 255, and (N,)

    canvases  float32 (n, 1, size, size), ink near 1 and paper near 0, with a little noise
    boxes     per canvas float32 (k, 4): x1, y1, x2, y2 around the ink of each digit, in pixels
    labels    per canvas int64 (k,)

    x counts columns from the left edge, y rows from the top edge: pixel j covers j to j + 1. Boxes
    hardly overlap (IoU 0.1 at most), and two centres are 8 pixels or more apart, across or down.
    """
    rng = np.random.default_rng(seed)
    digits, sides = rng.integers(len(images), size=(n, MOST)), rng.integers(*SIDES, size=(n, MOST))
    resized = _resized(images, digits.ravel(), sides.ravel())
    canvases = np.zeros((n, size, size), dtype=np.float32)
    all_boxes, all_labels = [], []
    for k in range(n):
        boxes: list[np.ndarray[Any, FLOAT]] = []
        chosen = []
        for place in range(rng.integers(1, MOST + 1)):
            digit = resized[k * MOST + place]
            box = _place(rng, digit, boxes, size)
            if box is not None:
                _draw(canvases[k], digit, box)
                boxes.append(box)
                chosen.append(labels[digits[k, place]])
        all_boxes.append(np.stack(boxes))
        all_labels.append(np.array(chosen, dtype=np.int64))
    canvases += NOISE * rng.standard_normal(canvases.shape, dtype=np.float32)
    return canvases[:, None], all_boxes, all_labels


def _resized(
    images: np.ndarray[Any, Any], rows: np.ndarray[Any, Any], sides: np.ndarray[Any, Any]
) -> list[np.ndarray[Any, FLOAT]]:
    """The digits `rows`, each brought to its side and cut to its ink, float32 from 0 to 1."""
    cut: list[Any] = [None] * len(rows)
    for side in np.unique(sides):
        (places,) = np.nonzero(sides == side)
        batch = torch.tensor(images[rows[places]], dtype=torch.float32)[:, None] / 255
        small = F.interpolate(batch, (int(side), int(side)), mode="bilinear", antialias=True)
        for place, digit in zip(places, small[:, 0].numpy(), strict=True):
            (down,), (across,) = (np.nonzero((digit > INK).any(axis)) for axis in (1, 0))
            cut[place] = digit[down[0] : down[-1] + 1, across[0] : across[-1] + 1]
    return cut


def _place(
    rng: np.random.Generator,
    digit: np.ndarray[Any, FLOAT],
    boxes: list[np.ndarray[Any, FLOAT]],
    size: int,
) -> np.ndarray[Any, FLOAT] | None:
    """A box for a digit that keeps clear of `boxes`; None where twenty tries find none."""
    h, w = digit.shape
    for _ in range(20):
        y, x = rng.integers(1, size - h), rng.integers(1, size - w)
        box = np.array([x, y, x + w, y + h], dtype=np.float32)
        if all(_clear(box, other) for other in boxes):
            return box
    return None


def _clear(one: np.ndarray[Any, FLOAT], other: np.ndarray[Any, FLOAT]) -> bool:
    """Whether two boxes overlap little enough, and have their centres far enough apart."""
    shift = np.abs(one[:2] + one[2:] - other[:2] - other[2:]).max() / 2
    sides = np.minimum(one[2:], other[2:]) - np.maximum(one[:2], other[:2])
    both = float(np.prod(np.maximum(sides, 0)))
    either = float(np.prod(one[2:] - one[:2]) + np.prod(other[2:] - other[:2])) - both
    return bool(shift >= APART and both <= OVERLAP * either)


def _draw(
    canvas: np.ndarray[Any, FLOAT], digit: np.ndarray[Any, FLOAT], box: np.ndarray[Any, FLOAT]
) -> None:
    """Draw a digit into its box: where digits overlap, the darker ink stays."""
    x1, y1, x2, y2 = box.astype(int)
    canvas[y1:y2, x1:x2] = np.maximum(canvas[y1:y2, x1:x2], digit)
