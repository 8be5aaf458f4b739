"""The figures of lesson 07: images in a row, saliency maps, heat maps over a photograph."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from course.draw.style import Array, show

WIDTH = 8.8  # inches of a notebook's page
GAP = 0.35  # inches between two images
HEAT = "inferno"


def pictures(named: Mapping[str, Array], alt: str) -> None:
    """Images in a row with their names above: colour (H, W, 3) or grey (H, W).

    uint8 from 0 to 255, other types from 0 to 1. A name may have several lines.
    """
    shapes = {name: np.shape(picture) for name, picture in named.items()}
    ratios = [width / height for height, width, *_ in shapes.values()]
    gaps = GAP * (len(ratios) - 1)
    height = min((WIDTH - gaps) / sum(ratios), 3.2)
    width = height * sum(ratios) + gaps
    figure = Figure(figsize=(width, height))
    left = 0.0
    for ratio, (name, picture) in zip(ratios, named.items(), strict=True):
        ax = figure.add_axes((left / width, 0, height * ratio / width, 1))
        left += height * ratio + GAP
        _picture(ax, picture)
        ax.set_title(name, fontsize=10)
    show(figure, alt)


def saliencies(named: Mapping[str, tuple[Array, Array]], alt: str) -> None:
    """Images, and below each the sensitivity of a score to its pixels: white is highest.

    named  name -> (image as for `pictures`, saliency (H, W), at least 0)

    Scores of different images are not comparable, so each saliency map has its own scale. It ends
    at the 99.5th percentile: a few outliers would leave all other pixels black.
    """
    figure = Figure(figsize=(WIDTH, 2 * WIDTH / len(named) + 0.5))
    axes = figure.subplots(2, len(named), squeeze=False)
    figure.subplots_adjust(0, 0, 1, 1, wspace=0.04, hspace=0.12)
    for k, (name, (picture, saliency)) in enumerate(named.items()):
        _picture(axes[0][k], picture)
        axes[0][k].set_title(name, fontsize=10)
        end = float(np.percentile(saliency, 99.5)) or 1.0
        axes[1][k].imshow(saliency, vmin=0, vmax=end)
        axes[1][k].set(xticks=[], yticks=[], frame_on=False)
        axes[1][k].set_title(f"saliency {saliency.shape}", fontsize=10)
    show(figure, alt)


def heat(picture: Array, maps: Mapping[str, Array], alt: str) -> None:
    """An image and, for each named map (h, w), the map as a heat map over it: bright is high.

    Maps of the same size share a scale, so that they can be compared; maps of different sizes come
    from different layers, and have separate scales. A small map is scaled up to the image.
    """
    figure = Figure(figsize=(WIDTH, WIDTH / (len(maps) + 1) * picture.shape[0] / picture.shape[1]))
    axes = figure.subplots(1, len(maps) + 1)
    figure.subplots_adjust(0, 0, 1, 1, wspace=0.05)
    _picture(axes[0], picture)
    axes[0].set_title(f"the picture\n{picture.shape[:2]}", fontsize=10)
    shared = len({values.shape for values in maps.values()}) == 1
    most = max(float(values.max()) for values in maps.values())
    grey = np.mean(picture, axis=2) if picture.ndim == 3 else picture
    height, width = picture.shape[:2]
    for ax, (name, values) in zip(axes[1:], maps.items(), strict=True):
        _picture(ax, grey / 255 if picture.dtype == np.uint8 else grey)
        ax.imshow(
            values,
            cmap=HEAT,
            alpha=0.6,
            vmin=0,
            vmax=(most if shared else float(values.max())) or 1.0,
            extent=(-0.5, width - 0.5, height - 0.5, -0.5),
            interpolation="bilinear",
        )
        ax.set_title(f"{name}\n{values.shape}", fontsize=10)
    show(figure, alt)


def _picture(ax: Axes, picture: Array) -> None:
    ax.imshow(picture, vmin=0, vmax=255 if np.asarray(picture).dtype == np.uint8 else 1)
    ax.set(xticks=[], yticks=[], frame_on=False)
