"""The figures of lesson 09: name -> (function, labels, phrases of its alternative text)."""

from __future__ import annotations

import numpy as np

from course import draw

IMAGES = np.linspace(-2, 3, 3 * 64 * 64).reshape(3, 64, 64)
TRUE = IMAGES > 0.5
SHIFTED = np.roll(TRUE, 9, axis=1)
CLASSES = (np.arange(3 * 64 * 64) // 40 % 11).reshape(3, 64, 64)

FIGURES = {
    "image_rows": (
        lambda: draw.image_rows({"sections": IMAGES, "pores": TRUE}, "three sections"),
        ("sections\n(1, 64, 64)", "pores\n(1, 64, 64)"),
        ("three sections",),
    ),
    "overlays": (
        lambda: draw.overlays(IMAGES, TRUE, {"Otsu": SHIFTED, "U-Net": TRUE}, "two masks"),
        ("Otsu", "U-Net", "IoU 1.00", "pore, found", "pore, missed", "false alarm"),
        ("two masks",),
    ),
    "small_maps": (
        lambda: draw.small_maps({"map": np.eye(4), "pool": np.full((2, 2), 0.5)}, "two maps"),
        ("map\n(1, 4, 4)", "pool\n(1, 2, 2)", "0.5"),
        ("two maps",),
    ),
    "u_shape": (
        lambda: draw.u_shape((8, 16, 32), 64),
        ("(1, 64, 64)", "(8, 64, 64)", "(16, 32, 32)", "(32, 16, 16)", "skip: concatenate"),
        ("(16, 32, 32) in enc2", "Two skips"),
    ),
    "iou_curve": (
        lambda: draw.iou_curve([0.2, 0.6, 0.9], 0.5),
        ("Otsu", "U-Net", "epoch", "IoU"),
        ("crosses the dashed line",),
    ),
    "pixel_classes": (
        lambda: draw.pixel_classes(IMAGES, {"truth": CLASSES, "U-Net": CLASSES}),
        ("canvas\n(1, 64, 64)", "truth\n(1, 64, 64)", "U-Net\n(1, 64, 64)", "9"),
        ("handwritten digits", "U-Net"),
    ),
    "class_ious": (
        lambda: draw.class_ious({c: 0.5 + c / 20 for c in range(11)}),
        ("paper", "1.00", "0.50", "IoU by class"),
        ("each class",),
    ),
}
