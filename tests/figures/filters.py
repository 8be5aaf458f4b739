"""The figures of lesson 01: name -> (function, labels, phrases of its alternative text)."""

from __future__ import annotations

import numpy as np

from course import draw, explore

IMAGE = (np.arange(30 * 40).reshape(30, 40) % 256).astype(np.uint8)
STEP = np.array([[10, 10, 10, 0, 0, 0]] * 6)
VERTICAL = np.array([[1, 0, -1]] * 3)
MAP = np.linspace(-3, 5, 28 * 38).reshape(28, 38)

FIGURES = {
    "numbers": (
        lambda: draw.numbers(IMAGE, top=2, left=5),
        ("the photograph (30, 40)", "rows 2 to 9, columns 5 to 12", "85"),
        ("30 by 40 pixels", "8 by 8"),
    ),
    "neighbours": (
        lambda: draw.neighbours({"photograph": IMAGE, "turned": IMAGE[::-1]}),
        ("photograph\n(30, 40)", "correlation 0.", "its right neighbour"),
        ("photograph 0.", "turned 0."),
    ),
    "matrices": (
        lambda: draw.matrices({"blur": np.full((3, 3), 1 / 9), "a row": [[-1, 0, 20.25]]}, "two"),
        ("blur\n(3, 3)", "0.11", "a row\n(1, 3)", "-1", "20.2"),
        ("two",),
    ),
    "matrices of many columns": (
        lambda: draw.matrices({str(k): -VERTICAL / 9 for k in range(6)}, "six", together=True),
        ("5\n(3, 3)", "-0.11"),
        ("six",),
    ),
    "filtered": (
        lambda: draw.filtered(
            IMAGE, {**{f"map {k}": MAP for k in range(4)}, "flat": 0 * MAP}, "maps", grey=["flat"]
        ),
        ("image\n(30, 40)", "map 3\n(28, 38)", "flat"),
        ("maps",),
    ),
    "sliding over numbers": (
        lambda: explore.sliding(STEP, VERTICAL, row=3, column=1),
        ("image (6, 6)", "pixels (3, 3)", "kernel (3, 3)", "products (3, 3)", "sum\n30"),
        ("10 times 1 + 10 times 0 + 0 times (-1)", "= 30."),
    ),
    "sliding over a photograph": (
        lambda: explore.sliding(IMAGE, np.full((5, 4), 0.05), row=20, column=30),
        ("image (30, 40)", "kernel (5, 4)", "0.05", "sum"),
        ("A 5 by 4 kernel on an image of 30 by 40",),
    ),
}
