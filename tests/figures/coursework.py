"""The figures of the coursework: name -> (function, labels, phrases of its alternative text)."""

from __future__ import annotations

from course import draw
from course.coursework import coursework_table

TABLE = coursework_table("")
TABLE.loc["Conv1":"Pool3", "out"] = [55, 27, 26, 12, 12, 11, 11, 3]

FIGURES = {
    "funnel": (
        lambda: draw.funnel(TABLE, "a net"),
        ("(3, 227, 227)", "Conv5", "(128, 3, 3)", "a net"),
        ("Conv1 (48, 55, 55)", "Pool3 (128, 3, 3)"),
    ),
    "last_pool": (
        lambda: draw.last_pool(11, 4, 3),
        ("floor 3, ceil 4", "only with ceil"),
        ("3 windows fit", "hangs over the right end"),
    ),
    "last_pool of the largest maps": (
        lambda: draw.last_pool(18, 4, 3),
        ("floor 5, ceil 6",),
        ("5 windows fit",),
    ),
    "fading": (
        lambda: draw.fading(2**-15),
        ("He: variance 2/n", "Glorot: variance 1/n", "3.1e-05"),
        ("Through 30 ReLU layers", "3.1e-05"),
    ),
}
