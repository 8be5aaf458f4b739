"""The figures of lesson 08: name -> (function, labels, phrases of its alternative text)."""

from __future__ import annotations

import numpy as np

from course import draw

PHOTOGRAPH = np.arange(128 * 128).reshape(128, 128) % 256
CROPS = (np.arange(10 * 16 * 16).reshape(10, 16, 16) % 256).astype(np.uint8)
COLOUR = np.stack([PHOTOGRAPH] * 3, axis=2).astype(np.uint8)
POINTS = np.stack([np.linspace(-1, 1, 30), np.linspace(-1, 1, 30) ** 2], axis=1)
RUN = {"scratch": 0.4, "features": 0.93, "fine-tuned": 0.9}

FIGURES = {
    "cut_out": (
        lambda: draw.cut_out(
            {"brick": PHOTOGRAPH, "grass": PHOTOGRAPH, "gravel": PHOTOGRAPH},
            {"train": [(0, 0, 32, 32)] * 2, "test": [(0, 64, 32, 96)]},
        ),
        ("brick (1, 128, 128)", "gravel", "train", "test"),
        ("brick, grass, gravel", "2 of train, 1 of test"),
    ),
    "samples": (
        lambda: draw.samples({"brick": CROPS, "grass": CROPS[:7], "gravel": CROPS}),
        ("brick", "grass", "gravel"),
        ("brick, grass, gravel", "faint"),
    ),
    "prepared": (
        lambda: draw.prepared(COLOUR, np.linspace(-1, 1, 3 * 96 * 96).reshape(3, 96, 96)),
        ("image, uint8\n(3, 128, 128)", "red\n(96, 96)", "blue"),
        ("three channels", "-1 to 1"),
    ),
    "clouds": (
        lambda: draw.clouds(
            {"pixels": POINTS, "features": -POINTS},
            np.arange(30) % 3,
            ["brick", "grass", "gravel"],
            "two clouds",
        ),
        ("pixels", "features", "brick", "grass", "gravel", "first direction"),
        ("two clouds",),
    ),
    "losses": (
        lambda: draw.losses({"a head": [1.2, 0.5, 0.2]}, "thirty crops", "it falls"),
        ("a head", "a blind guess: log 3", "step", "mean loss", "thirty crops"),
        ("it falls",),
    ),
    "moved": (
        lambda: draw.moved({"stem": 0.0, "block 16": 0.003, "head": 0.35}),
        ("stem", "unchanged", "0.3 %", "35 %", "change, in per cent"),
        ("Unchanged: stem",),
    ),
    "contest": (
        lambda: draw.contest({n: [RUN, RUN] for n in (3, 10, 30)}),
        ("scratch", "features", "fine-tuned", "chance", "crops a class"),
        ("a dot for each seed",),
    ),
}
