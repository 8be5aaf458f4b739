"""The figures of lesson 05: name -> (function, labels, phrases of its alternative text)."""

from __future__ import annotations

import numpy as np

from course import draw

NORMAL = np.random.default_rng(0).normal(size=(5, 40, 50))
COSTS = {
    "batch, m = 1000": np.linspace(2.3, 1.9, 4),
    "minibatch, m = 50": np.geomspace(2.3, 0.3, 61),
    "stochastic, m = 1": np.geomspace(2.3, 0.35, 3001),
}
RUN = {"loss": [1.2, 0.6, 0.3], "held": [0.1, 0.7, 0.8, 0.9]}
STUCK = {"loss": [2.31, 2.3, 2.3], "held": [0.1, 0.1, 0.1, 0.12]}

FIGURES = {
    "overflow": (
        lambda: draw.overflow(
            [-60, 0, 60, 120],
            {"by the letter": [np.inf, 0.7, 0, np.nan], "yours": [60, 0.7, 0, 0]},
        ),
        (
            "by the letter",
            "yours",
            "loss",
            "by the letter: nan or inf",
            "logit of the true class, the other is 0",
        ),
        ("straight line", "nan or infinity"),
    ),
    "descents": (
        lambda: draw.descents(COSTS, epochs=3),
        ("batch, m = 1000: 3 steps", "stochastic, m = 1: 3,000 steps", "cost J on all digits"),
        ("minibatch, m = 50, 60 steps", "jitter that does not end"),
    ),
    "weights": (
        lambda: draw.weights({"wide": (NORMAL[0], 1.0), "narrow": (NORMAL[1] / 8, 0.125)}),
        ("wide\nstd 1 (dashed)", "narrow\nstd 0.125 (dashed)", "weight"),
        ("wide, standard deviation 1", "narrow, standard deviation 0.125"),
    ),
    "signals": (
        lambda: draw.signals({"He": [1.0] * 30, "std 0.01": list(0.113 ** np.arange(1, 31))}),
        ("He: about 1", "std 0.01: $10^{-28}$", "layer", "strength of the signal (RMS)"),
        ("He ends near 1;", "std 0.01 ends near 10 to the power -28"),
    ),
    "activations": (
        lambda: draw.activations({"plain": NORMAL * 0.01, "normed": NORMAL}, [1, 3, 5, 7, 9]),
        ("layer 1: std 0.01", "layer 9: std 1", "plain", "normed", "before ReLU"),
        ("layers 1, 3, 5, 7, 9", "needle"),
    ),
    "sweep": (
        lambda: draw.sweep({"SGD": {0.1: 0.5, 1.0: 2.0}, "Adam": {0.01: 0.2, 0.1: 0.9}}),
        ("SGD", "Adam", "learning rate", "loss at the end"),
        ("SGD: lowest at 0.1; Adam: lowest at 0.01",),
    ),
    "runs": (
        lambda: draw.runs({"He": RUN, "std 0.01": STUCK}, "one learns, one does not"),
        ("He", "std 0.01", "epoch", "validation accuracy (%)"),
        ("one learns",),
    ),
}
