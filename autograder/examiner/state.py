"""Nets of torch by value, and what calls change: used by both sides.

net_by_value, net_from      a net of the examiner's goes along with a call
state_of, set_state         what the call made of it comes back
tree_of                     what a net of the learner's holds, for its stand-in
settings_of, set_settings   of an optimizer
overwrite                   an argument becomes what the call made of it
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from autograder.examiner.codec import CodecError, Node, need

PARTS = ("_parameters", "_buffers", "_modules")


def net_by_value(net: nn.Module, node: Callable[[Any], Node]) -> list[Any]:
    """The words for a net whose class can be imported."""
    kind = type(net)
    own = {name: value for name, value in vars(net).items() if name not in PARTS}
    parameters = {
        name: None if p is None else (p.detach(), p.requires_grad)
        for name, p in vars(net)["_parameters"].items()
    }
    buffers = {name: None if b is None else b.detach() for name, b in vars(net)["_buffers"].items()}
    parts = {"own": own, "parameters": parameters, "buffers": buffers}
    return ["net", kind.__module__, kind.__qualname__, node({**parts, "nets": net._modules})]


def net_from(kind: type[nn.Module], parts: dict[str, Any]) -> nn.Module:
    """The net that net_by_value() described."""
    net = kind.__new__(kind)
    nn.Module.__init__(net)
    for name, value in parts["own"].items():
        made = vars(net).get(name)
        if isinstance(made, dict):  # of hooks: torch wants its own kind of dictionary
            made.update(value)
        else:
            vars(net)[name] = value
    for name, pair in parts["parameters"].items():
        made = None if pair is None else nn.Parameter(pair[0], requires_grad=pair[1])
        vars(net)["_parameters"][name] = made
    vars(net)["_buffers"].update(parts["buffers"])
    vars(net)["_modules"].update(parts["nets"])
    return net


def far_net(call: Callable[..., Any]) -> nn.Module:
    """A net whose forward is answered by the examiner."""

    class FarNet(nn.Module):
        def forward(self, *given: Any, **named: Any) -> Any:
            return call(*given, **named)

    return FarNet()


def state_of(net: nn.Module) -> dict[str, Any]:
    """All of a net that a call may change, as plain data."""
    parameters = dict(net.named_parameters())
    values = {**parameters, **dict(net.named_buffers())}
    return {
        "values": {name: value.detach() for name, value in values.items()},
        "takes": {name: p.requires_grad for name, p in parameters.items()},
        "gradients": {name: p.grad for name, p in parameters.items() if p.grad is not None},
        "modes": {name: part.training for name, part in net.named_modules()},
    }  # fmt: skip


def set_state(net: nn.Module, state: Any) -> None:
    """Make `net` what state_of() says."""
    need(isinstance(state, dict) and all(isinstance(v, dict) for v in state.values()), "state")
    need(state.keys() == {"values", "takes", "gradients", "modes"}, "state")
    parameters = dict(net.named_parameters())
    values = {**parameters, **dict(net.named_buffers())}
    for name, new in state["values"].items():
        if name in values:
            overwrite(values[name], new)
    for name, parameter in parameters.items():
        takes, gradient = state["takes"].get(name, True), state["gradients"].get(name)
        need(isinstance(takes, bool), "state")
        parameter.requires_grad_(takes)
        need(gradient is None or getattr(gradient, "shape", None) == parameter.shape, "state")
        parameter.grad = gradient
    for name, part in net.named_modules():
        mode = state["modes"].get(name, part.training)
        need(isinstance(mode, bool), "state")
        part.training = mode


def tree_of(net: nn.Module, show: Callable[[Any], int]) -> dict[str, Any]:
    """What a net holds, read from where torch keeps it, whatever its methods say.

    "tensors", each once, None for what a lazy net has not made yet; "gradients" of them; "nets":
    number, names of its class and of torch's own that it is derived from, mode, and by name the
    places of its parameters, buffers and parts.
    """
    tensors: list[Any] = []
    nets: list[Any] = []
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
            places[id(part)] = len(nets)
            nets.append(None)
            parameters, buffers, parts = (vars(part).get(name, {}) for name in PARTS)
            nets[places[id(part)]] = [
                show(part), *kinds(type(part)), bool(part.training),
                {name: place_of(tensor) for name, tensor in parameters.items()},
                {name: place_of(tensor) for name, tensor in buffers.items()},
                {name: add(inner) for name, inner in parts.items()},
            ]  # fmt: skip
        return places[id(part)]

    add(net)
    gradients = [
        tensor.grad if tensor is not None and tensor.is_leaf else None for tensor in tensors
    ]
    return {"tensors": tensors, "gradients": gradients, "nets": nets}


def kinds(kind: type) -> tuple[str, str]:
    """The name of a net's class, and of torch's own class it is derived from, or nothing."""
    own = [one for one in kind.__mro__ if one.__module__.startswith("torch.nn.modules")]
    derived = own and own[0] not in (nn.Module, nn.Sequential)
    return kind.__name__, own[0].__name__ if derived else ""


def settings_of(optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Defaults and groups of an optimizer, without parameters."""
    return {"defaults": dict(optimizer.defaults), "groups": groups_of(optimizer)}


def groups_of(optimizer: torch.optim.Optimizer) -> list[dict[str, Any]]:
    """The settings of each group of an optimizer."""
    return [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups]


def set_settings(optimizer: torch.optim.Optimizer, groups: list[dict[str, Any]]) -> None:
    """Set what settings_of() gives for each group."""
    for group, new in zip(optimizer.param_groups, groups, strict=True):
        group.update(new)


def overwrite(old: Any, new: Any) -> None:
    """Make `old`, in place, what `new` is: an argument that a call changed."""
    if isinstance(old, torch.Tensor):
        need(isinstance(new, torch.Tensor), "change")
        with torch.no_grad():
            if old.shape == new.shape and old.dtype == new.dtype:
                old.copy_(new)
            else:
                old.data = new.detach()
        if old.is_leaf and old.requires_grad != new.requires_grad:
            old.requires_grad_(new.requires_grad)
    elif isinstance(old, np.ndarray):
        need(isinstance(new, np.ndarray) and old.shape == new.shape, "change")
        np.copyto(old, new, casting="unsafe")
    elif isinstance(old, list):
        need(isinstance(new, list), "change")
        old[:] = [merged(a, b) for a, b in zip(old, new, strict=False)] + new[len(old) :]
    elif isinstance(old, dict):
        need(isinstance(new, dict), "change")
        merge = {
            key: merged(old[key], value) if key in old else value for key, value in new.items()
        }
        old.clear()
        old.update(merge)
    elif isinstance(old, set):
        need(isinstance(new, set), "change")
        old.clear()
        old.update(new)
    elif isinstance(old, tuple):
        need(isinstance(new, tuple) and len(old) == len(new), "change")
        for a, b in zip(old, new, strict=True):
            merged(a, b)
    elif (pandas := sys.modules.get("pandas")) and isinstance(old, pandas.DataFrame):
        need(isinstance(new, pandas.DataFrame) and old.shape == new.shape, "change")
        for place in range(old.shape[1]):
            old.isetitem(place, new.iloc[:, place].array)
    else:
        raise CodecError(f"a {type(old).__name__} cannot have changed")


def merged(old: Any, new: Any) -> Any:
    """The old thing, made new in place where that can be; else the new one."""
    if type(old) is not type(new) or not isinstance(
        old, (torch.Tensor, np.ndarray, list, dict, set)
    ):
        return new
    if isinstance(old, np.ndarray) and old.shape != new.shape:
        return new
    overwrite(old, new)
    return old
