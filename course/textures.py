"""Textures like those of rocks: crops of three photographs with random illumination.

NAMES               the three classes, by label
crops(...)          crops of the photographs, with their labels

They replace slide 43's images of carbonate cores, which are not public.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from course.data import photograph

__all__ = ["NAMES", "crops"]

NAMES = ("brick", "grass", "gravel")
MIDDLE = 127
CONTRAST = (0.02, 0.2)  # so low that a network has something to learn
BRIGHTNESS = (-50, 50)


def crops(
    rectangles: Sequence[Sequence[int]], seed: int
) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.int64]]]:
    """Return each photograph's crop in each of `rectangles`, with random illumination and rotation.

    rectangles  n times (top, left, bottom, right) in pixels of 512, bottom and right excluded,
                square and all of one size
    seed        of the contrast, brightness and quarter turns, which are drawn for each crop

    Returns images, uint8 (3n, size, size), and labels, int64 (3n,): n bricks, n grass, n gravel.
    Raises ValueError for a rectangle that leaves the photograph, or is of another shape.
    """
    rng = np.random.default_rng(seed)
    images = []
    for name in NAMES:
        picture = photograph(name)
        for rectangle in rectangles:
            top, left, bottom, right = _validated(rectangle, rectangles[0], *picture.shape)
            images.append(_randomised(picture[top:bottom, left:right], rng))
    return np.stack(images), np.repeat(np.arange(len(NAMES)), len(rectangles))


def _validated(
    rectangle: Sequence[int], first: Sequence[int], height: int, width: int
) -> tuple[int, int, int, int]:
    """The edges of a rectangle. Raises ValueError if it is not as crops() demands."""
    top, left, bottom, right = (int(edge) for edge in rectangle)
    if not (0 <= top < bottom <= height and 0 <= left < right <= width):
        raise ValueError(
            f"(top, left, bottom, right) = {top, left, bottom, right} is no rectangle within"
            f" ({height}, {width})"
        )
    if not bottom - top == right - left == int(first[2]) - int(first[0]):
        raise ValueError("rectangles should be square and all of one size")
    return top, left, bottom, right


def _randomised(
    crop: np.ndarray[Any, np.dtype[np.uint8]], rng: np.random.Generator
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A crop with random contrast and brightness, rotated by 0, 90, 180 or 270 degrees."""
    levels = rng.uniform(*CONTRAST) * (crop - crop.mean()) + MIDDLE + rng.uniform(*BRIGHTNESS)
    turned = np.rot90(levels, int(rng.integers(4)))
    return np.ascontiguousarray(np.rint(turned).clip(0, 255).astype(np.uint8))
