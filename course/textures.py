"""Textures like those of rocks: crops of three photographs, each in a light of its own.

NAMES               the three classes, by label
crops(...)          pieces of the photographs, with their labels

A stand-in for slide 43's pictures of carbonate cores, which are not public.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from course.data import photograph

__all__ = ["NAMES", "crops"]

NAMES = ("brick", "grass", "gravel")
MIDDLE = 127
CONTRAST = (0.02, 0.2)  # so faint that a net has something to learn
BRIGHTNESS = (-50, 50)


def crops(
    rectangles: Sequence[Sequence[int]], seed: int
) -> tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.int64]]]:
    """What each photograph shows in each of `rectangles`, in a light and a turn of its own.

    rectangles  n times (top, left, bottom, right) in pixels of 512, bottom and right excluded,
                square and all of one size
    seed        of the contrast, the brightness and the quarter turns, drawn anew for each crop

    Returns images, uint8 (3n, size, size), and labels, int64 (3n,): n bricks, n grass, n gravel.
    Raises ValueError for a rectangle that leaves the photograph, or is of another shape.
    """
    rng = np.random.default_rng(seed)
    cut = []
    for name in NAMES:
        picture = photograph(name)
        for rectangle in rectangles:
            top, left, bottom, right = _checked(rectangle, rectangles[0], *picture.shape)
            cut.append(_in_a_light_of_its_own(picture[top:bottom, left:right], rng))
    return np.stack(cut), np.repeat(np.arange(len(NAMES)), len(rectangles))


def _checked(
    rectangle: Sequence[int], first: Sequence[int], height: int, width: int
) -> tuple[int, int, int, int]:
    top, left, bottom, right = (int(edge) for edge in rectangle)
    if not (0 <= top < bottom <= height and 0 <= left < right <= width):
        raise ValueError(
            f"(top, left, bottom, right) = {top, left, bottom, right} is no rectangle within"
            f" ({height}, {width})"
        )
    if not bottom - top == right - left == int(first[2]) - int(first[0]):
        raise ValueError("rectangles should be square and all of one size")
    return top, left, bottom, right


def _in_a_light_of_its_own(
    crop: np.ndarray[Any, np.dtype[np.uint8]], rng: np.random.Generator
) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """A crop with random contrast and brightness, turned by 0, 1, 2 or 3 quarters."""
    levels = rng.uniform(*CONTRAST) * (crop - crop.mean()) + MIDDLE + rng.uniform(*BRIGHTNESS)
    turned = np.rot90(levels, int(rng.integers(4)))
    return np.ascontiguousarray(np.rint(turned).clip(0, 255).astype(np.uint8))
