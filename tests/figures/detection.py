"""The figures of lesson 11: name -> (function, labels, phrases of its alternative text)."""

from __future__ import annotations

import numpy as np

from course import draw

IMAGE = np.linspace(0, 1, 64 * 64).reshape(64, 64)
BOXES = [((5, 20, 17, 36), "7", 0), ((40, 30, 50, 60), "1 (0.9)", 1)]
RECALL = np.array([0.25, 0.25, 0.5, 0.75])
PRECISION = np.array([1.0, 0.5, 0.67, 0.75])

FIGURES = {
    "boxed": (
        lambda: draw.boxed({"true": (IMAGE, BOXES), "predicted": (IMAGE, BOXES[:1])}, "two boxes"),
        ("true", "predicted", "7", "1 (0.9)"),
        ("two boxes",),
    ),
    "box_formats": (
        lambda: draw.box_formats((8, 6, 20, 22), (28, 34)),
        ("(x1, y1) = (8, 6)", "(cx, cy) = (14, 14)", "w = 12", "h = 16"),
        ("its centre is (14, 14)", "12 wide"),
    ),
    "box_pairs": (
        lambda: draw.box_pairs(
            {
                "apart": ((0, 0, 4, 4), (6, 1, 9, 5), 0.0),
                "half": ((0, 0, 8, 8), (4, 0, 12, 8), 1 / 3),
            }
        ),
        ("apart", "half", "IoU 0.33", "IoU 0.00"),
        ("half: 0.33",),
    ),
    "box_sizes": (
        lambda: draw.box_sizes({"digit 1": np.array([[4.0, 16], [5, 18]])}, (12, 16)),
        ("digit 1", "anchor", "width in pixels"),
        ("12 wide and 16 high",),
    ),
    "loss_parts": (
        lambda: draw.loss_parts([(0.2, 3.0, 2.0), (0.1, 1.5, 1.0)]),
        ("box", "objectness", "class", "epoch"),
        ("All of them fall",),
    ),
    "precision_recall": (
        lambda: draw.precision_recall({"digit 3": (RECALL, PRECISION, 0.6)}, "one curve"),
        ("digit 3: AP 0.60", "precision", "recall"),
        ("one curve",),
    ),
    "class_aps": (
        lambda: draw.class_aps({f"{k}": 0.5 + k / 20 for k in range(10)}),
        ("mAP", "0.50", "0.95", "digit"),
        ("each digit",),
    ),
    "map_curve": (
        lambda: draw.map_curve((0.5, 0.7, 0.9), {"NMS": (0.8, 0.5, 0.1)}, "it falls"),
        ("NMS", "mAP", "IoU that a hit needs"),
        ("it falls",),
    ),
}
