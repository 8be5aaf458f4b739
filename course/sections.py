"""Synthetic thin sections: pores between the grains of a rock, as a microscope might show them.

thin_sections(n, size, seed)    images and the masks of their pores
"""

from __future__ import annotations

from typing import Any

import numpy as np
from skimage.filters import gaussian

__all__ = ["thin_sections"]

POROSITY = (0.2, 0.4)  # share of pores, from section to section
PORE_SCALE = 3.0  # pixels over which the rock's structure varies
BLUR = 0.5  # of the microscope, in pixels
CONTRAST = 0.3  # grains above pores, in grey values
DRIFT = 3  # size of a section over the scale on which the illumination varies
LIGHT = 0.15  # standard deviation of the illumination within a section
GRAIN, PORE = (
    0.12,
    0.04,
)  # standard deviation of the noise of a pixel: grains are rough, pores hold clear resin
FLOAT = np.dtype[np.float32]


def thin_sections(
    n: int, size: int, seed: int
) -> tuple[np.ndarray[Any, FLOAT], np.ndarray[Any, FLOAT]]:
    """Return `n` sections of size x size pixels and the masks of their pores, drawn from `seed`.

    images  float32 (n, 1, size, size), grey values around 0.5, most of them from 0 to 1
    masks   float32 (n, 1, size, size), 1 in a pore and 0 in a grain

    Pores are where smooth noise is low, 20 to 40 % of a section. Grains are brighter than pores;
    but the illumination is uneven and each pixel is noisy, so that dark grains and bright pores
    overlap: a pixel must be classified by its neighbourhood.
    """
    rng = np.random.default_rng(seed)
    shape = (n, size, size)
    rock = _smooth(rng.standard_normal(shape), PORE_SCALE)
    porosity = rng.uniform(*POROSITY, n)
    bounds = [np.quantile(one, share) for one, share in zip(rock, porosity, strict=True)]
    masks = rock < np.reshape(bounds, (n, 1, 1))
    light = LIGHT * _smooth(rng.standard_normal(shape), size / DRIFT)
    grey = 0.5 + CONTRAST * (0.5 - gaussian(masks.astype(float), (0, BLUR, BLUR))) + light
    grey += np.where(masks, PORE, GRAIN) * rng.standard_normal(shape)
    return grey.astype(np.float32)[:, None], masks.astype(np.float32)[:, None]


def _smooth(noise: np.ndarray[Any, Any], scale: float) -> np.ndarray[Any, Any]:
    """`noise` (n, H, W) blurred over `scale` pixels, each image with mean 0 and unit variance."""
    smooth = gaussian(noise, (0, scale, scale), mode="reflect")
    smooth -= smooth.mean((1, 2), keepdims=True)
    result: np.ndarray[Any, Any] = smooth / smooth.std((1, 2), keepdims=True)
    return result
