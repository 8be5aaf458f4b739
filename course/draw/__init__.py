"""The figures of the course: one style, one palette, and a text alternative for each.

    show(figure, alt)   display a figure with its text alternative, and close it

One module per lesson, and `style`, which all of them share. Colours: `SIGNED` for signed maps
(diverging, white is zero), `GREY` for images, `COLOURS` for categories (Okabe and Ito, safe for
the colour-blind). Lessons use the names below: `draw.show(...)`.
"""

from course.draw.architectures import accuracy_cost, architecture, gradients_by_depth
from course.draw.convolution import (
    connections,
    dilated,
    gallery,
    im2col,
    matrix,
    speed,
    stamps,
    taps,
)
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
from course.draw.coursework import fading, funnel, last_pool
from course.draw.filters import (
    filtered,
    matrices,
    neighbours,
    numbered,
    numbers,
    written,
)
from course.draw.inside import (
    heat,
    pictures,
    saliencies,
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
from course.draw.segmentation import (
    class_ious,
    image_rows,
    iou_curve,
    overlays,
    pixel_classes,
    small_maps,
    u_shape,
)
from course.draw.style import (
    COLOURS,
    PADDING,
    SIGNED,
    blank,
    grid,
    show,
)
from course.draw.training import (
    activations,
    descents,
    overflow,
    runs,
    signals,
    sweep,
    weights,
)
from course.draw.transfer import (
    clouds,
    contest,
    cut_out,
    losses,
    moved,
    prepared,
    samples,
)

__all__ = [
    "COLOURS",
    "PADDING",
    "SIGNED",
    "accuracy_bars",
    "accuracy_cost",
    "activations",
    "architecture",
    "blank",
    "class_counts",
    "class_ious",
    "clouds",
    "confusion",
    "connections",
    "contest",
    "cut_out",
    "descents",
    "digit_grid",
    "dilated",
    "fading",
    "feature_maps",
    "filtered",
    "funnel",
    "gallery",
    "gradients_by_depth",
    "grid",
    "heat",
    "im2col",
    "image_rows",
    "iou_curve",
    "last_pool",
    "layer_bars",
    "learning_curve",
    "loss_curve",
    "losses",
    "matrices",
    "matrix",
    "moved",
    "neighbours",
    "net",
    "numbered",
    "numbers",
    "overflow",
    "overlays",
    "pictures",
    "pixel_classes",
    "pooled",
    "prepared",
    "printed",
    "receptive_fields",
    "rungs",
    "runs",
    "saliencies",
    "samples",
    "shares",
    "show",
    "signals",
    "small_maps",
    "speed",
    "stacked",
    "staircases",
    "stamps",
    "sweep",
    "taps",
    "times_seen",
    "u_shape",
    "volumes",
    "weights",
    "windows",
    "written",
]
