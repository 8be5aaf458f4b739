"""Modules of torch by value, and what calls change in their arguments: used by both ends.

module_by_value, module_from   a module of the test kernel goes along with a call
state_of, set_state            what the call changed in it comes back
tree_of                        what a module of the learner's holds, for its proxy
settings_of, set_settings      hyperparameters of an optimizer
overwrite                      an argument becomes what the call made of it

Importable without torch, which a course need not use.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.compat.torch import PARTS, parts_of
from autograder.examiner.codec import CodecError, Node, import_torch, require

if TYPE_CHECKING:
    import torch
    from torch import nn


def module_by_value(module: nn.Module, node: Callable[[Any], Node]) -> list[Any]:
    """Return the fields of the "remote" node for a module whose class can be imported."""
    kind = type(module)
    parameters, buffers, modules = parts_of(module)
    parts = {
        "own": {name: value for name, value in vars(module).items() if name not in PARTS},
        "parameters": {
            name: None if p is None else (p.detach(), p.requires_grad)
            for name, p in parameters.items()
        },
        "buffers": {name: None if b is None else b.detach() for name, b in buffers.items()},
        "modules": modules,
    }
    return ["module", kind.__module__, kind.__qualname__, node(parts)]


def module_from(kind: type[nn.Module], parts: dict[str, Any]) -> nn.Module:
    """Return the module that module_by_value() described."""
    nn = import_torch().nn
    module = kind.__new__(kind)
    nn.Module.__init__(module)
    for name, value in parts["own"].items():
        known = vars(module).get(name)
        if isinstance(known, dict):  # of hooks: torch wants its own kind of dictionary
            known.update(value)
        else:
            vars(module)[name] = value
    parameters, buffers, modules = parts_of(module)
    for name, pair in parts["parameters"].items():
        parameters[name] = None if pair is None else nn.Parameter(pair[0], requires_grad=pair[1])
    buffers.update(parts["buffers"])
    modules.update(parts["modules"])
    return module


def remote_module(call: Callable[..., Any]) -> nn.Module:
    """Return a module whose forward is a call to the test kernel."""
    nn = import_torch().nn

    class RemoteModule(nn.Module):  # type: ignore[name-defined]  # torch is optional
        def forward(self, *args: Any, **kwargs: Any) -> Any:
            return call(*args, **kwargs)

    return RemoteModule()


def state_of(module: nn.Module) -> dict[str, Any]:
    """Return all of a module that a call may change, as plain data."""
    parameters = dict(module.named_parameters())
    values = {**parameters, **dict(module.named_buffers())}
    return {
        "values": {name: value.detach() for name, value in values.items()},
        "requires_grad": {name: p.requires_grad for name, p in parameters.items()},
        "gradients": {name: p.grad for name, p in parameters.items() if p.grad is not None},
        "modes": {name: part.training for name, part in module.named_modules()},
    }  # fmt: skip


def set_state(module: nn.Module, state: Any) -> None:
    """Give a module the state that state_of() returned. Raise CodecError where it is invalid."""
    require(isinstance(state, dict) and all(isinstance(v, dict) for v in state.values()), "state")
    require(state.keys() == {"values", "requires_grad", "gradients", "modes"}, "state")
    parameters = dict(module.named_parameters())
    values = {**parameters, **dict(module.named_buffers())}
    for name, new in state["values"].items():
        if name in values:
            overwrite(values[name], new)
    for name, parameter in parameters.items():
        requires_grad, gradient = (
            state["requires_grad"].get(name, True),
            state["gradients"].get(name),
        )
        require(isinstance(requires_grad, bool), "state")
        require(not requires_grad or takes_gradients(parameter), "state")
        parameter.requires_grad_(requires_grad)
        require(gradient is None or is_gradient(gradient, parameter), "state")
        parameter.grad = gradient
    for name, part in module.named_modules():
        mode = state["modes"].get(name, part.training)
        require(isinstance(mode, bool), "state")
        part.training = mode


def takes_gradients(tensor: torch.Tensor) -> bool:
    """Return whether a tensor of this type can require gradients."""
    return tensor.dtype.is_floating_point or tensor.dtype.is_complex


def is_gradient(gradient: Any, tensor: torch.Tensor) -> bool:
    """Return whether torch takes this as the gradient of `tensor`."""
    return (
        isinstance(gradient, import_torch().Tensor)
        and (gradient.shape, gradient.dtype) == (tensor.shape, tensor.dtype)
        and gradient.device == tensor.device
    )


def tree_of(module: nn.Module, export: Callable[[Any], int]) -> dict[str, Any]:
    """Return what a module holds, read from where torch keeps it, whatever its methods say.

    "tensors", each once, None for what a lazy module has not made yet; "gradients" of them;
    "modules": number, names of its class and of torch's own that it is derived from, mode, and by
    name the places of its parameters, buffers and submodules.
    """
    is_lazy = import_torch().nn.parameter.is_lazy
    tensors: list[Any] = []
    modules: list[Any] = []
    places: dict[int, int] = {}

    def place_of(tensor: Any) -> int | None:
        if tensor is None:
            return None
        if id(tensor) not in places:
            places[id(tensor)] = len(tensors)
            tensors.append(None if is_lazy(tensor) else tensor)
        return places[id(tensor)]

    def add(part: Any) -> int | None:
        if part is None:
            return None
        if id(part) not in places:
            places[id(part)] = len(modules)
            modules.append(None)
            parameters, buffers, children = parts_of(part)
            modules[places[id(part)]] = [
                export(part), *kinds(type(part)), bool(part.training),
                {name: place_of(tensor) for name, tensor in parameters.items()},
                {name: place_of(tensor) for name, tensor in buffers.items()},
                {name: add(inner) for name, inner in children.items()},
            ]  # fmt: skip
        return places[id(part)]

    add(module)
    gradients = [
        tensor.grad if tensor is not None and tensor.is_leaf else None for tensor in tensors
    ]
    return {"tensors": tensors, "gradients": gradients, "modules": modules}


def kinds(kind: type) -> tuple[str, str]:
    """Return the name of a module's class, and of torch's own class it is derived from, or ""."""
    torch_classes = [one for one in kind.__mro__ if one.__module__.startswith("torch.nn.modules")]
    nn = import_torch().nn
    derived = torch_classes and torch_classes[0] not in (nn.Module, nn.Sequential)
    return kind.__name__, torch_classes[0].__name__ if derived else ""


def settings_of(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return defaults and groups of an optimizer, without parameters."""
    return {"defaults": dict(optimizer.defaults), "groups": groups_of(optimizer)}


def groups_of(optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
    """Return the hyperparameters of each group of an optimizer."""
    return [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]


def set_settings(optimizer: torch.optim.Optimizer, groups: list[dict[str, Any]]) -> None:
    """Set the hyperparameters of each group."""
    for group, new in zip(optimizer.param_groups, groups, strict=True):
        group.update(new)


def overwrite(old: Any, new: Any) -> None:
    """Make `old`, in place, equal to `new`: an argument that a call changed.

    Raise CodecError where `new` cannot be a change of `old`.
    """
    torch = sys.modules.get("torch")
    if torch and isinstance(old, torch.Tensor):
        require(isinstance(new, torch.Tensor) and new.device == old.device, "change")
        require(not old.requires_grad or takes_gradients(new), "change")
        with torch.no_grad():
            if old.shape == new.shape and old.dtype == new.dtype:
                old.copy_(new)
            else:
                old.data = new.detach()
        if old.is_leaf and old.requires_grad != new.requires_grad:
            old.requires_grad_(new.requires_grad)
    elif isinstance(old, np.ndarray):
        require(isinstance(new, np.ndarray) and old.shape == new.shape, "change")
        np.copyto(old, new, casting="unsafe")
    elif isinstance(old, list):
        require(isinstance(new, list), "change")
        old[:] = [merged(a, b) for a, b in zip(old, new, strict=False)] + new[len(old) :]
    elif isinstance(old, dict):
        require(isinstance(new, dict), "change")
        merge = {
            key: merged(old[key], value) if key in old else value for key, value in new.items()
        }
        old.clear()
        old.update(merge)
    elif isinstance(old, set):
        require(isinstance(new, set), "change")
        old.clear()
        old.update(new)
    elif isinstance(old, tuple):
        require(isinstance(new, tuple) and len(old) == len(new), "change")
        for a, b in zip(old, new, strict=True):
            merged(a, b)
    elif (pandas := sys.modules.get("pandas")) and isinstance(old, pandas.DataFrame):
        require(isinstance(new, pandas.DataFrame) and old.shape == new.shape, "change")
        for place in range(old.shape[1]):
            old.isetitem(place, new.iloc[:, place].array)
    else:
        raise CodecError(f"a {type(old).__name__} cannot have changed")


def merged(old: Any, new: Any) -> Any:
    """Return `old`, changed in place where that is possible; else `new`."""
    torch = sys.modules.get("torch")
    kinds = (np.ndarray, list, dict, set, *((torch.Tensor,) if torch else ()))
    if type(old) is not type(new) or not isinstance(old, kinds):
        return new
    if isinstance(old, np.ndarray) and old.shape != new.shape:
        return new
    overwrite(old, new)
    return old
