"""The figures of lesson 04: name -> (function, labels, phrases of its alternative text)."""

from __future__ import annotations

import numpy as np

from course import draw

DIGITS = np.arange(12 * 28 * 28).reshape(12, 28, 28) % 251
CLASSES = np.arange(100) // 10
MAPS = np.linspace(-2, 3, 12 * 8 * 8).reshape(12, 8, 8)

FIGURES = {
    "digit_grid": (
        lambda: draw.digit_grid(DIGITS, [f"{k}, not 8" for k in range(12)], "digits", "twelve"),
        ("0, not 8", "11, not 8", "digits"),
        ("twelve",),
    ),
    "class_counts": (
        lambda: draw.class_counts({"cut": CLASSES[:80], "split": CLASSES}, "two parts"),
        ("cut: 80 digits", "split: 100 digits", "none", "class"),
        ("two parts",),
    ),
    "pooled": (
        lambda: draw.pooled(DIGITS[0], {"max": DIGITS[0, ::2, ::2], "mean": DIGITS[0, ::4, ::4]}),
        ("(1, 28, 28)", "max\n(1, 14, 14)", "mean\n(1, 7, 7)"),
        ("maximum", "average"),
    ),
    "loss_curve": (
        lambda: draw.loss_curve([1.2, 0.5, 0.3], "a net", "it falls"),
        ("chance level: log 10", "epoch", "mean loss", "a net"),
        ("it falls",),
    ),
    "rungs": (
        lambda: draw.rungs({"expected": 2.303, "first": 2.31, "overfit": 1e-9}),
        ("log 10", "untrained", "20 digits", "under 0.1"),
        ("Three losses", "memorised"),
    ),
    "accuracy_bars": (
        lambda: draw.accuracy_bars({"LeNet": 0.96, "shuffled": 0.7}, "bars", "two bars"),
        ("LeNet", "96 %", "70 %", "accuracy (%), dashed: chance level"),
        ("two bars",),
    ),
    "learning_curve": (
        lambda: draw.learning_curve([0.6, 0.2], [0.1, 0.9, 0.95], [0.1, 0.88, 0.94]),
        ("training", "validation", "accuracy (%)", "epoch (0: untrained)"),
        ("Left", "Right"),
    ),
    "confusion": (
        lambda: draw.confusion(np.diag(range(90, 100)) + np.eye(10, k=3, dtype=int)),
        ("99", "true label", "predicted label", "confusion matrix"),
        ("diagonal",),
    ),
    "feature_maps": (
        lambda: draw.feature_maps(DIGITS[0], {"conv": MAPS, "ReLU": MAPS.clip(0)}),
        ("digit\n(1, 28, 28)", "conv: (12, 8, 8), the first 10 of 12", "ReLU: (12, 8, 8)"),
        ("ten per stage",),
    ),
    "times_seen": (
        lambda: draw.times_seen({"hasty": np.arange(10) % 4, "corrected": np.ones(10, dtype=int)}),
        ("hasty", "corrected", "30 %", "100 %", "times seen in one epoch"),
        ("never", "once"),
    ),
}
