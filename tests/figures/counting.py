"""The figures of lesson 03: name -> (function, labels, phrases of its alternative text)."""

from __future__ import annotations

import pandas as pd

from course import draw, explore

COLUMNS = ["n", "channels_in", "f", "p", "s", "out", "channels_out"]
COLUMNS += ["neurons", "filter_plus_1", "parameters"]
TABLE = pd.DataFrame.from_dict(
    {
        "Conv1": [28, 1, 5, 0, 1, 24, 10, 5760, 26, 260],
        "Pool1": [24, 10, 2, 0, 2, 12, 10, 1440, None, 0],
        "FC1": [1440, *6 * [None], 100, 1441, 144100],
        "Total": [*7 * [None], 7300, None, 144360],
    },
    orient="index",
    columns=COLUMNS,
)
MODELS = {"with pools": {"Conv1": 260, "FC1": 32100}, "without": {"Conv1": 260, "FC1": 800100}}
STEPS = {s: {n: (n - 3) // s + 1 for n in range(3, 16)} for s in (1, 2, 3)}
LAYERS = [(f"conv {k}", 1000 * k) for k in range(1, 14)] + [("FC1", 10**6), ("FC2", 10**5)]

FIGURES = {
    "positions": (
        lambda: explore.positions((5, 3, 1, 1), (5, 3, 1, 2)),
        ("in (1, 5, 5)", "out (1, 5, 5)", "out (1, 3, 3)", "s=2"),
        ("5 positions a side", "output is 3 by 3"),
    ),
    "windows": (
        draw.windows,
        ("floor 2, ceil 3", "floor 3, ceil 3", "only with ceil", "never: starts in padding"),
        ("hangs over the right end", "right padding"),
    ),
    "staircases": (
        lambda: draw.staircases(STEPS, f=3),
        ("stride 1", "stride 3", "image size n", "output size"),
        ("filter of 3", "Stride 2: 1, 1, 2, 2, 3"),
    ),
    "volumes": (
        draw.volumes,
        ("(3, 6, 6)", "(3, 3, 3)", "(1, 4, 4)", "(2, 4, 4)"),
        ("three channels", "two sheets"),
    ),
    "layer_bars": (
        lambda: draw.layer_bars(LAYERS, "a net"),
        ("conv 13", "FC2", "1,000,000  (84.0 %)", "a net"),
        ("FC1 alone has 84 %", "1,191,000", "92.4 %"),
    ),
    "net": (
        lambda: draw.net(TABLE, "a net"),
        ("(1, 28, 28)", "(10, 24, 24)", "(10, 12, 12)", "(100,)", "144,100", "a net"),
        ("Pool1 (10, 12, 12)", "FC1 (100,)"),
    ),
    "shares": (
        lambda: draw.shares(TABLE, "a net"),
        ("79 %", "100 %", "Pool1", "share of the neurons"),
        ("most neurons are in Conv1 (79 %)", "most parameters in FC1 (100 %)"),
    ),
    "stacked": (
        lambda: draw.stacked(MODELS, "two nets"),
        ("32,360", "800,360", "with pools", "two nets", "FC1"),
        ("with pools 32,360", "without 800,360"),
    ),
    "receptive_fields": (
        lambda: draw.receptive_fields(["Conv1", "Pool1"], [(5, 1), (6, 2)], n=28),
        ("sees 5, jumps 1", "sees 6, jumps 2", "Pool1", "28 pixels"),
        ("Conv1 5/1", "Pool1 6/2"),
    ),
}
