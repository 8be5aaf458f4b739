"""Members of other libraries that are not public, each checked before it is used.

hook_count(module)    the hooks of a module: torch has no public way to count them
layers(model)         the layers of an EfficientNet: its package offers only the whole model
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import metadata
from typing import Any

from torch import nn

__all__ = ["hook_count", "layers"]

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks")
LAYERS = ("_conv_stem", "_bn0", "_blocks", "_conv_head", "_bn1", "_dropout", "_fc")


class CompatibilityError(ImportError):
    """A version of a library that lacks a member the course relies on."""


def require_members(library: str, owner: object, members: Iterable[str], purpose: str) -> None:
    """Raise CompatibilityError unless `owner`, an object of `library`, has all `members`."""
    for member in members:
        if not hasattr(owner, member):
            raise CompatibilityError(
                f"{library} {metadata.version(library)}: {type(owner).__name__}.{member} is"
                f" missing, which the course needs {purpose}: install the versions of"
                " requirements.lock"
            )


require_members("torch", nn.Module(), HOOKS, "to count the hooks that are left on a model")


def hook_count(module: nn.Module) -> int:
    """Return how many forward, forward-pre and backward hooks are registered on `module`."""
    return sum(len(getattr(module, name)) for name in HOOKS)


def layers(model: Any) -> dict[str, Any]:
    """Return the layers of an EfficientNet by the names of LAYERS, without the underscore.

    Raises CompatibilityError if one is missing: they belong to the instance, and the package is
    imported only where a model is made, so this cannot be checked at import.
    """
    require_members("efficientnet-lite-pytorch", model, LAYERS, "to take the model apart")
    return {name.lstrip("_"): getattr(model, name) for name in LAYERS}
