"""What is relied on of torch. Importable without torch: courses need not use it.

check_installed() is called by the modules that import torch when they are imported.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from autograder.compat.check import Member, check_members

MEMBERS = (
    Member("torch._C:DisableTorchFunction", "to copy a tensor without running its own methods"),
    Member("torch:Tensor._version", "to notice a test that changes a parameter in place"),
    Member("torch.nn:Module.register_parameter", "to keep parameters by name", ("self", "name")),
    Member("torch.nn:Module.register_buffer", "to keep buffers by name", ("self", "name")),
)
# Imported by torch at the first step of an optimizer: 2 s.
LAZY_MODULE = "torch._dynamo"
# Where a module keeps its parameters, buffers and submodules, by name.
PARTS = ("_parameters", "_buffers", "_modules")


def check_installed() -> None:
    """Raise CompatibilityError unless the installed torch has what is relied on."""
    check_members("torch", MEMBERS)
    import torch  # optional: the caller has imported it

    missing = [name for name in PARTS if name not in vars(torch.nn.Module())]
    check_members("torch", [Member(f"torch.nn:Module.{name}", "to read it") for name in missing])


def without_overrides() -> AbstractContextManager[None]:
    """Return a context in which no __torch_function__ of a subclass runs."""
    import torch  # optional: the caller has imported it

    context: AbstractContextManager[None] = torch._C.DisableTorchFunction()
    return context


def version_of(tensor: Any) -> int:
    """Return the count of the changes made to a tensor in place."""
    version: int = tensor._version
    return version


def parts_of(module: Any) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    """Return parameters, buffers and submodules of a module, whatever its own methods say."""
    parameters, buffers, modules = (vars(module).get(name, {}) for name in PARTS)
    return parameters, buffers, modules
