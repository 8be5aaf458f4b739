"""The installed versions that can change a mark."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from functools import cache
from importlib import metadata

# A new version of one of these may change a mark.
VERSIONS = (
    *("cnn-course", "nbgrader-autograder"),
    *("ipykernel", "ipython", "ipywidgets", "jupyter-client", "matplotlib-inline"),
    *("nbclient", "nbconvert", "nbformat", "nbgrader", "traitlets"),
    *("matplotlib", "networkx", "numpy", "opencv-python", "pandas", "pillow", "polars"),
    *("scikit-image", "scikit-learn", "scipy", "seaborn", "statsmodels", "sympy", "xarray"),
    *("jax", "keras", "tensorflow", "torch", "torchvision", "transformers"),
)


@cache
def versions() -> str:
    """What runs a notebook, with its versions."""
    return " ".join([platform.python_version(), *installed(VERSIONS)])


def installed(names: Iterable[str]) -> Iterable[str]:
    """Those of the distributions that are installed, with their versions."""
    for name in names:
        try:
            yield f"{name}=={metadata.version(name)}"
        except metadata.PackageNotFoundError:
            continue
