"""The figures of lesson 07: name -> (function, labels, phrases of its alternative text)."""

from __future__ import annotations

import numpy as np

from course import draw, explore

PHOTO = (np.arange(40 * 40 * 3).reshape(40, 40, 3) % 256).astype(np.uint8)
TILES = np.linspace(0, 1, 11 * 29).reshape(11, 29)
MAPS = np.linspace(-2, 3, 4 * 10 * 10).reshape(4, 10, 10)
STAGES = {"conv": MAPS, "ReLU": MAPS.clip(0)}

FIGURES = {
    "pictures": (
        lambda: draw.pictures(
            {"a cat\nEgyptian cat 40 %": PHOTO, "filters": TILES}, "two pictures"
        ),
        ("a cat\nEgyptian cat 40 %", "filters"),
        ("two pictures",),
    ),
    "saliencies": (
        lambda: draw.saliencies(dict.fromkeys("abc", (PHOTO, MAPS[3])), "three and three"),
        ("a", "b", "c", "saliency (10, 10)"),
        ("three and three",),
    ),
    "heat of one layer": (
        lambda: draw.heat(PHOTO, {"cat": MAPS[3], "cup": MAPS[2].clip(0)}, "cat and cup"),
        ("the picture\n(40, 40)", "cat\n(10, 10)", "cup\n(10, 10)"),
        ("cat and cup",),
    ),
    "heat of two layers": (
        lambda: draw.heat(PHOTO[..., 0], {"early": MAPS[3], "late": 0 * MAPS[2, :5, :5]}, "two"),
        ("early\n(10, 10)", "late\n(5, 5)"),
        ("two",),
    ),
    "channels": (
        lambda: explore.channels(PHOTO, STAGES, [("conv", 3), ("ReLU", 0)]),
        ("picture\n(40, 40)", "conv, channel 3\n(4, 10, 10)", "ReLU, channel 0"),
        ("channel 3 of 4, a map of 10 by 10, answers most at row 9, column 9",),
    ),
}
