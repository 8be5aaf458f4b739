"""The figures of lesson 02: name -> (function, labels, phrases of its alternative text)."""

from __future__ import annotations

import numpy as np

from course import draw

KERNEL = np.arange(1, 10).reshape(3, 3)
READ = [0, 1, 2, 4, 5, 6, 8, 9, 10]
IMAGE = np.linspace(-1, 1, 28 * 28).reshape(28, 28)


def toeplitz(side):
    """The matrix of KERNEL on an image of side x side."""
    out = side - 2
    table = np.zeros((out * out, side * side))
    for i, j in np.ndindex(out, out):
        for k, place in np.ndenumerate(KERNEL):
            table[i * out + j, (i + k[0]) * side + j + k[1]] = place
    return table


FIGURES = {
    "taps": (
        lambda: draw.taps({"y0": READ, "y1": [1, 2, 3], "y2": [], "y3": [4]}),
        ("w8", "x15", "what y0 reads", "kernel (3, 3)"),
        ("y0 reads pixels 0, 1, 2, 4, 5, 6, 8, 9, 10", "y1 reads pixels 1, 2, 3"),
    ),
    "gallery": (
        lambda: draw.gallery(
            [
                {"digit": abs(IMAGE), "padded": np.pad(abs(IMAGE), 6)},
                {f"map {k}": IMAGE[:26, :26] for k in range(4)},
            ],
            "two rows",
            inner=(28, 28),
        ),
        ("digit\n(1, 28, 28)", "padded\n(1, 40, 40)", "map 3\n(1, 26, 26)"),
        ("two rows",),
    ),
    "im2col": (
        draw.im2col,
        ("columns (9, 4)", "weights (1, 9)", "y3", "x15"),
        ("four columns", "one product"),
    ),
    "speed": (
        lambda: draw.speed({"loops": 0.25, "im2col": 0.002, "slower": 0.4}),
        ("loops", "125 x as fast", "0.6 x", "seconds"),
        ("loops, im2col", "logarithmic", "that of slower"),
    ),
    "matrix": (
        lambda: draw.matrix(toeplitz(4), "slide 12"),
        ("slide 12: (4, 16)", "x15", "y3", "9"),
        ("36 of its 64 entries", "9 different values"),
    ),
    "a large matrix": (
        lambda: draw.matrix(toeplitz(10), "an image of 10 x 10"),
        ("an image of 10 x 10: (64, 100)",),
        ("576 of its 6,400 entries",),
    ),
    "connections": (
        lambda: draw.connections(toeplitz(4)),
        (
            "dense: 64 connections, 64 weights",
            "convolution: 36 connections, 9 weights",
            "x15",
            "y3",
        ),
        ("36 lines", "9 colours"),
    ),
    "stamps": (
        lambda: draw.stamps(np.array([[1, 0], [2, 3]]), KERNEL, np.full((4, 4), 27)),
        ("y0 = 1", "y3 = 3", "result (1, 4, 4)", "27"),
        ("1, 0, 2, 3", "add up"),
    ),
    "dilated": (
        lambda: draw.dilated({1: KERNEL, 3: np.pad(KERNEL, 2)}),
        ("d = 1\n(3, 3)", "d = 3\n(7, 7)", "9"),
        ("with 1 3 by 3, with 3 7 by 7",),
    ),
}
