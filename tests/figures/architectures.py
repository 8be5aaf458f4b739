"""The figures of lesson 06: name -> (function, labels, phrases of its alternative text)."""

from __future__ import annotations

import torch
from torch import nn

from course import draw


class Branches(nn.Module):
    """Two convolutions side by side, joined; and the input added to them."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Conv2d(2, 1, 1)
        self.three = nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU(), nn.Conv2d(2, 1, 3, padding=1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(torch.cat([self.one(x), self.three(x)], 1) + x)


def chain() -> nn.Module:
    """Longer than a line of boxes, and it ends in a dense layer."""
    convs = [layer for _ in range(6) for layer in (nn.Conv2d(2, 2, 3, padding=1), nn.ReLU())]
    return nn.Sequential(*convs, nn.MaxPool2d(2), nn.Flatten(), nn.Linear(32, 10))


IMAGE = torch.zeros(1, 2, 8, 8)
POINTS = {
    "ours": {"small": (0.5, 92.0), "dear": (3.0, 91.5), "large": (3.5, 97.0)},
    "theirs": {"thin": (1.5, 69.8), "twin": (1.8, 69.7), "deep": (11.5, 78.3), "old": (15.5, 71.6)},
}
FRONTS = {"ours": ["small", "large"], "theirs": ["thin", "deep"]}

FIGURES = {
    "architecture": (
        lambda: draw.architecture(Branches(), IMAGE, "a block"),
        ("a block: 28 parameters, 1,536 multiplications", "conv 3×3", "concat\n", "+\nReLU\n"),
        ("conv 1×1, ReLU (2, 8, 8)", "+, ReLU (2, 8, 8) from concat and input"),
    ),
    "architecture of blocks that are closed": (
        lambda: draw.architecture(
            nn.Sequential(Branches(), Branches()), IMAGE, "two blocks", closed=(Branches,)
        ),
        ("two blocks: 56 parameters", "Branches\n(2, 8, 8)\n28"),
        ("input (2, 8, 8); Branches (2, 8, 8); Branches (2, 8, 8)",),
    ),
    "architecture of blocks on several lines": (
        lambda: draw.architecture(nn.Sequential(*[Branches() for _ in range(4)]), IMAGE, "four"),
        ("four: 112 parameters",),
        ("from concat and +, ReLU",),
    ),
    "architecture of a chain": (
        lambda: draw.architecture(chain(), IMAGE, "a chain"),
        ("conv 3×3\nReLU\n(2, 8, 8)\n38", "max pool\n2×2, /2\n(2, 4, 4)", "dense\n(10,)\n330"),
        ("max pool, 2×2, /2 (2, 4, 4); dense (10,)",),
    ),
    "architecture with ReLU6": (
        lambda: draw.architecture(nn.Sequential(nn.Conv2d(2, 1, 1), nn.ReLU6()), IMAGE, "cut at 6"),
        ("conv 1×1\nReLU6\n(1, 8, 8)\n3",),
        ("conv 1×1, ReLU6 (1, 8, 8)",),
    ),
    "accuracy_cost": (
        lambda: draw.accuracy_cost(
            POINTS, FRONTS, {"ours": "millions", "theirs": "billions"}, {"ours": 1.0}, "two charts"
        ),
        ("small", "twin", "old", "millions", "billions", "accuracy (%)"),
        ("two charts",),
    ),
    "gradients_by_depth": (
        lambda: draw.gradients_by_depth(
            {"skip": [0.3, 0.1, 0.05], "none": [1e-20, 1e-9, 1e-3]}, "gradients", "one is level"
        ),
        ("skip", "none", "gradient (RMS)", "block, from the input on"),
        ("one is level",),
    ),
}
