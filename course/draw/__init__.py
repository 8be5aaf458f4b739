"""Pictures of the course: one style, one palette, and words for those who cannot see them.

    show(figure, alt)   display a figure with its text alternative, and close it

A module a lesson, and `style`, which all of them share. Colours: `SIGNED` for maps with a sign
(diverging, white is zero), `GREY` for images, `COLOURS` for categories (Okabe and Ito, safe for
the colour-blind). Lessons use all of it by the names below: `draw.show(...)`.
"""

from course.draw.architectures import accuracy_cost, architecture, gradients_by_depth
from course.draw.counting import (
    layer_bars,
    net,
    printed,
    receptive_fields,
    shares,
    stacked,
    staircases,
    volumes,
    windows,
)
from course.draw.lenet import (
    accuracy_bars,
    class_counts,
    confusion,
    digit_grid,
    feature_maps,
    learning_curve,
    loss_curve,
    pooled,
    rungs,
    times_seen,
)
from course.draw.style import (
    COLOURS,
    PADDING,
    blank,
    grid,
    show,
)

__all__ = [
    "COLOURS",
    "PADDING",
    "accuracy_bars",
    "accuracy_cost",
    "architecture",
    "blank",
    "class_counts",
    "confusion",
    "digit_grid",
    "feature_maps",
    "gradients_by_depth",
    "grid",
    "layer_bars",
    "learning_curve",
    "loss_curve",
    "net",
    "pooled",
    "printed",
    "receptive_fields",
    "rungs",
    "shares",
    "show",
    "stacked",
    "staircases",
    "times_seen",
    "volumes",
    "windows",
]
