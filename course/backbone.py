"""Pretrained networks without their classifier, in two parts, for transfer learning.

    Backbone(trunk, last)       images to feature maps: `trunk`, then `last`, the part to fine-tune
    efficientnet_lite0()        1280 maps; its weights are installed with the course
    inception_v3()              2048 maps; slide 43's network, where torchvision has its weights

Both expect pixels as (x - 127) / 128, RGB. Nothing is downloaded here.
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
    """Images (N, 3, S, S) to maps (N, C, H, W): `last` after `trunk`. Starts in evaluation mode."""

    def __init__(self, trunk: nn.Module, last: nn.Module) -> None:
        super().__init__()
        self.trunk, self.last = trunk, last
        self.eval()

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        maps: torch.Tensor = self.last(self.trunk(images))
        return maps


def efficientnet_lite0() -> Backbone:
    """Return EfficientNet-Lite0 trained on ImageNet, up to its 1280 maps of S / 32 x S / 32.

    S is a multiple of 32. `last` is its last block and the 1 x 1 convolution after it: 1,017,600 of
    3,371,008 parameters. Raises what pretrained.efficientnet_lite0() raises if a package is not
    installed.
    """
    model = pretrained.efficientnet_lite0()
    backbone = Backbone(model[:LAST_BLOCK], model[LAST_BLOCK : LAST_BLOCK + 2])
    # With channels last in memory its depthwise convolutions take half the time.
    return backbone.to(memory_format=torch.channels_last)


def inception_v3() -> Backbone:
    """Return Inception v3 trained on ImageNet, up to its 2048 maps, from torchvision's cache.

    `last` is its last Inception block. S is 75 or more; it was trained at 299. Source: slide 43,
    Szegedy et al. 2015. Raises FileNotFoundError, with instructions, if the weights are not in the
    cache; ValueError if the file holds other weights.
    """
    # Slow to import, and needed by few.
    from torchvision.models import Inception_V3_Weights, inception_v3

    url = Inception_V3_Weights.IMAGENET1K_V1.url
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rsplit("/", 1)[1]
    if not file.is_file():
        raise FileNotFoundError(
            f"Inception v3's weights are not on this machine, and the course downloads nothing."
            f" To get them (104 MB), download {url} and put it into {_short(file.parent)}"
        )
    # The weights expect (x - 127) / 128, which torchvision would compute as transform_input.
    model = inception_v3(weights=None, init_weights=False, transform_input=False)
    try:
        model.load_state_dict(torch.load(file, map_location="cpu", weights_only=True))
    except (
        Exception
    ) as error:  # torch.load raises different types, depending on how a file is broken
        raise ValueError(f"{file} does not hold Inception v3's weights") from error
    stages = [child for name, child in model.named_children() if name not in NOT_MAPS]
    return Backbone(nn.Sequential(*stages[:-1]), stages[-1])


def _short(folder: Path) -> str:
    """`folder` with the home folder as ~: "~/.cache/torch"."""
    home = Path.home()
    return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)
