"""Trained nets without their last layer, in two parts, ready for another task.

    Backbone(trunk, last)       images to maps: `trunk`, then `last`, the part to fine-tune
    efficientnet_lite0()        1280 maps; its weights came with the course
    inception_v3()              2048 maps; slide 43's net, where torchvision has its weights

Both want pixels as (x - 127) / 128, RGB. Nothing is downloaded here.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from course import pretrained

__all__ = ["Backbone", "efficientnet_lite0", "inception_v3"]

LAST_BLOCK = 16  # after the stem and 15 blocks
NOT_MAPS = ("AuxLogits", "avgpool", "dropout", "fc")  # what follows the maps, or branches off


class Backbone(nn.Module):
    """Images (N, 3, S, S) to maps (N, C, H, W): `last` of `trunk`. Comes in evaluation mode."""

    def __init__(self, trunk: nn.Module, last: nn.Module) -> None:
        super().__init__()
        self.trunk, self.last = trunk, last
        self.eval()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = self.last(self.trunk(images))
        return maps


def efficientnet_lite0() -> Backbone:
    """EfficientNet-Lite0 trained on ImageNet, up to its 1280 maps: S / 32 wide, S a multiple of 32.

    `last` is its last block and the 1 x 1 convolution after it: 1,017,600 of 3,371,008
    parameters. Raises what pretrained.efficientnet_lite0() raises if a package is not installed.
    """
    net = pretrained.efficientnet_lite0()
    model = Backbone(net[:LAST_BLOCK], net[LAST_BLOCK : LAST_BLOCK + 2])
    # With channels last in memory its depthwise convolutions take half the time.
    return model.to(memory_format=torch.channels_last)


def inception_v3() -> Backbone:
    """Inception v3 trained on ImageNet, up to its 2048 maps, from torchvision's cache of weights.

    `last` is its last Inception block. S is 75 or more; it was trained at 299. Source: slide 43,
    Szegedy et al. 2015. Raises FileNotFoundError, which says how to get them, where the weights
    are not in the cache; ValueError where the file is another net's.
    """
    from torchvision.models import Inception_V3_Weights, inception_v3

    url = Inception_V3_Weights.IMAGENET1K_V1.url
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[1]
    if not file.is_file():
        raise FileNotFoundError(
            f"Inception v3's weights are not on this machine, and the course downloads nothing."
            f" To get them (104 MB), download {url} and put it into {_short(file.parent)}"
        )
    # The weights expect what torchvision calls transform_input, which (x - 127) / 128 is already.
    net = inception_v3(weights=None, init_weights=False, transform_input=False)
    try:
        net.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    except Exception as error:  # torch.load has an error of its own for each kind of broken file
        raise ValueError(f"{file} does not hold Inception v3's weights") from error
    stages = [child for name, child in net.named_children() if name not in NOT_MAPS]
    return Backbone(nn.Sequential(*stages[:-1]), stages[-1])


def _short(folder: Path) -> str:
    """`folder` as its owner would write it: "~/.cache/torch"."""
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
