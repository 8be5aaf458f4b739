"""Explorers: figures with sliders. Where no kernel runs, a static figure shows the same.

    sliding(image, kernel, row, column)    one position of a kernel with its sum, as a figure
    SlidingExplorer(image, kernels)        the same figure with sliders
    positions((n, f, p, s, d), ...)        the positions of a filter, as a figure
    SizeExplorer(...)                      the same figure with sliders
    channels(picture, stages, choices)     channels of a network's maps, as a figure
    LayerExplorer(picture, stages)         the same figure with a choice of layers and a slider

An explorer sets the value of an HTML widget and adds no output to the notebook, so that the figure
stays in its place and the stored outputs are the same in every run.
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
