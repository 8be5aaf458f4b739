"""Explorers: pictures with sliders. Where no kernel runs, a static figure says the same.

    sliding(image, kernel, row, column)    one position of a kernel with its sum, as a figure
    SlidingExplorer(image, kernels)        the same picture with sliders
    positions((n, f, p, s, d), ...)        where a filter may stand, as a figure
    SizeExplorer(...)                      the same picture with sliders
    channels(picture, stages, choices)     channels of a net's maps, as a figure
    LayerExplorer(picture, stages)         the same picture with a choice of layers and a slider

An explorer sets the value of an HTML widget and writes no output of its own, so that the
picture stays in its place and a notebook's stored outputs are the same at every run.
"""

from course.explore.layers import LayerExplorer, channels
from course.explore.sizes import SizeExplorer, positions
from course.explore.sliding import SlidingExplorer, sliding

__all__ = [
    "LayerExplorer",
    "SizeExplorer",
    "SlidingExplorer",
    "channels",
    "positions",
    "sliding",
]
