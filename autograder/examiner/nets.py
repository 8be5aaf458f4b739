"""Proxies for modules, optimizers and results with gradients: torch's own kinds to a test.

The proxy for a module is an nn.Module with the learner's parameters and buffers by value, read
anew after each call; its forward, and all that changes it, runs in the submission kernel.
Gradients of a result go back there, and come to its arguments from there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from autograder.compat.torch import PARTS, check_installed, version_of
from autograder.examiner.codec import decode, encode, require
from autograder.examiner.proxies import (
    ProxyAttributeError,
    ProxyTypeError,
    TorchProxy,
    run_helper,
)
from autograder.examiner.state import groups_of, is_gradient

if TYPE_CHECKING:
    from autograder.examiner.examiner_side import ExaminerEndpoint


check_installed()


class ModuleProxy(TorchProxy, nn.Module):
    """A proxy for a module."""

    @classmethod
    def of(cls, endpoint: ExaminerEndpoint, number: int, name: str, torch_name: str) -> ModuleProxy:
        """Return the proxy for a module of class `name`, derived from torch's `torch_name`."""
        kind: type[ModuleProxy] = cls
        for each, module in ((torch_name, "torch.nn.modules.learner"), (name, "learner")):
            if each:
                kind = type(each, (kind,), {"__module__": module})
        proxy = kind.__new__(kind)
        vars(proxy).update(
            _endpoint=endpoint, _number=number, _tree_version=-1, _held=({}, {}, {}, True, [])
        )
        nn.Module.__init__(proxy)
        return proxy

    def _refresh(self) -> tuple[Any, Any, Any, bool]:
        """Return parameters, buffers, submodules and mode as they are now."""
        self._unchanged()
        if self._tree_version != self._endpoint.version:
            reply = self._endpoint.request("tree", {"object": self._number})
            require(len(reply.payloads) == 1, "tree")
            read_tree(self._endpoint, decode(reply.payloads[0]))
        held: tuple[Any, Any, Any, bool] = vars(self)["_held"][:4]
        return held

    def _unchanged(self) -> None:
        """Raise ProxyTypeError where a test wrote into its copies of parameters and buffers."""
        for tensor, version in vars(self)["_held"][4]:
            if version_of(tensor) != version:
                raise ProxyTypeError(
                    "a test changed a parameter of the learner's module in place: do that where the"
                    " module is, by check.filled or another helper of course.check"
                )

    training = property(lambda self: self._refresh()[3], lambda self, value: None)

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        if name.startswith("__") or name in ("_endpoint", "_number", "_tree_version", "_held"):
            raise ProxyAttributeError(name)
        for part in self._refresh()[:3]:
            if name in part:
                return part[name]
        return self._endpoint.call("get", meta={"object": self._number, "name": name})

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self) or name in vars(nn.Module) or hasattr(type(self), name):
            vars(self).update({name: value} if not hasattr(type(self), name) else {})
            return
        if name.startswith("_"):  # by nn.Module itself
            vars(self)[name] = value
            return
        raise ProxyAttributeError(f"a test cannot set {name} of the learner's module")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        self._unchanged()
        return self._endpoint.call("call", *args, meta={"object": self._number}, **kwargs)

    def __deepcopy__(self, memo: Any) -> Any:
        return self._endpoint.call("copy", meta={"object": self._number})

    def __course_check__(self, helper: Any, args: Any, kwargs: Any) -> Any:
        __tracebackhide__ = True
        return run_helper(self._endpoint, helper, args, kwargs)


def stored_part(part: int) -> property:
    """Return the property for one of PARTS: read where the learner's module is, never set."""

    def read(self: ModuleProxy) -> Any:
        return self._refresh()[part]

    def ignore(self: ModuleProxy, value: Any) -> None:
        """nn.Module sets it when it is made."""

    return property(read, ignore)


def remote_method(name: str) -> Callable[..., Any]:
    """Return a method that is run by the learner's module."""

    def method(self: ModuleProxy, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        self._unchanged()
        meta = {"object": self._number, "name": name}
        return self._endpoint.call("method", *args, meta=meta, **kwargs)

    return method


for part, attribute in enumerate(PARTS):
    setattr(ModuleProxy, attribute, stored_part(part))
for name in (
    "apply", "cpu", "double", "eval", "float", "forward", "half", "load_state_dict",
    "register_forward_hook", "register_forward_pre_hook", "requires_grad_", "to", "to_empty",
    "train", "type", "zero_grad",
):  # fmt: skip
    setattr(ModuleProxy, name, remote_method(name))


def read_tree(endpoint: ExaminerEndpoint, tree: Any) -> None:
    """Give the proxies of a module and its submodules what tree_of() returned.

    Raise CodecError where that is invalid.
    """
    check_tree(tree)
    tensors, gradients, modules = tree["tensors"], tree["gradients"], tree["modules"]
    parameters: dict[int, torch.Tensor] = {}

    def parameter(place: int) -> torch.Tensor:
        if place not in parameters:
            value, gradient = tensors[place], gradients[place]
            if value is None:
                parameters[place] = nn.UninitializedParameter()
            else:
                copy = nn.Parameter(value.detach(), requires_grad=value.requires_grad)
                require(gradient is None or is_gradient(gradient, value), "tree")
                copy.grad = None if gradient is None else gradient.detach()
                parameters[place] = copy
        return parameters[place]

    def buffer(place: int) -> torch.Tensor:
        return nn.UninitializedBuffer() if tensors[place] is None else tensors[place]

    proxies = [module_proxy(endpoint, entry) for entry in modules]
    require(len({id(proxy) for proxy in proxies}) == len(proxies), "tree")  # else a cycle after all
    held = [
        (
            {k: None if p is None else parameter(p) for k, p in own_parameters.items()},
            {k: None if p is None else buffer(p) for k, p in buffers.items()},
            {k: None if p is None else proxies[p] for k, p in parts.items()},
            mode,
        )
        for _, _, _, mode, own_parameters, buffers, parts in modules
    ]
    copies = [t for parts in held for part in parts[:2] for t in part.values() if t is not None]
    versions = [(copy, version_of(copy)) for copy in copies]
    for proxy, parts in zip(proxies, held, strict=True):  # nothing is refused from here on
        vars(proxy).update(_held=(*parts, versions), _tree_version=endpoint.version)


def check_tree(tree: Any) -> None:
    """Raise CodecError unless this can be what tree_of() returned."""
    require(isinstance(tree, dict) and tree.keys() == {"tensors", "gradients", "modules"}, "tree")
    tensors, gradients, modules = tree["tensors"], tree["gradients"], tree["modules"]
    require(isinstance(tensors, list), "tree")
    require(all(t is None or isinstance(t, torch.Tensor) for t in tensors), "tree")
    require(isinstance(gradients, list) and len(gradients) == len(tensors), "tree")
    require(isinstance(modules, list) and modules, "tree")
    for entry in modules:
        require(isinstance(entry, list) and len(entry) == 7, "tree")
        _, _, _, mode, own_parameters, buffers, parts = entry
        require(isinstance(mode, bool), "tree")
        for places, most in (
            (own_parameters, len(tensors)),
            (buffers, len(tensors)),
            (parts, len(modules)),
        ):
            require(isinstance(places, dict) and all(isinstance(k, str) for k in places), "tree")
            valid = (p is None or (type(p) is int and 0 <= p < most) for p in places.values())
            require(all(valid), "tree")
    require(acyclic([[p for p in entry[6].values() if p is not None] for entry in modules]), "tree")


def module_proxy(endpoint: ExaminerEndpoint, entry: Any) -> ModuleProxy:
    """Return the proxy for one module of a tree, derived from the class of torch that it names."""
    number, name, torch_name = entry[:3]
    for each in (name, torch_name):
        require(isinstance(each, str) and (not each or each.isidentifier()), "name")
    proxy = endpoint.proxy(number, lambda: ModuleProxy.of(endpoint, number, name, torch_name))
    require(isinstance(proxy, ModuleProxy), "tree")
    if torch_name and type(proxy).__mro__[1] is ModuleProxy and type(proxy) is not ModuleProxy:
        proxy.__class__ = type(ModuleProxy.of(endpoint, number, name, torch_name))
    result: ModuleProxy = proxy
    return result


def acyclic(inside: list[list[int]]) -> bool:
    """Return whether no module contains itself: torch would search it forever."""
    state = [0] * len(inside)
    for start in range(len(inside)):
        stack = [(start, iter(inside[start]))] if not state[start] else []
        state[start] = state[start] or 1
        while stack:
            here, rest = stack[-1]
            for inner in rest:
                if state[inner] == 1:
                    return False
                if state[inner] == 0:
                    state[inner] = 1
                    stack.append((inner, iter(inside[inner])))
                    break
            else:
                state[here] = 2
                stack.pop()
    return True


class OptimizerProxy(TorchProxy, torch.optim.Optimizer):
    """A proxy for an optimizer; a test may change its hyperparameters."""

    def __init__(self, endpoint: ExaminerEndpoint, number: int, settings: Any) -> None:
        require(
            isinstance(settings, dict) and settings.keys() == {"defaults", "groups"}, "settings"
        )
        groups = settings["groups"]
        require(isinstance(groups, list) and all(isinstance(g, dict) for g in groups), "settings")
        require(isinstance(settings["defaults"], dict), "settings")
        self._endpoint, self._number = endpoint, number
        self.defaults, self.state = settings["defaults"], defaultdict(dict)
        self.param_groups = [{**group, "params": []} for group in groups]
        self._sent = groups_of(self)

    def _call(self, name: str, *args: Any) -> Any:
        if (now := groups_of(self)) != self._sent:
            self._endpoint.call("set", now, meta={"object": self._number})
            self._sent = now
        return self._endpoint.call("method", *args, meta={"object": self._number, "name": name})

    def step(self, closure: Any = None) -> Any:
        return self._call("step", *([closure] if closure else []))

    def zero_grad(self, set_to_none: bool = True) -> None:
        self._call("zero_grad", set_to_none)

    def __repr__(self) -> str:
        return "<an optimizer of the learner's net>"

    def __course_check__(self, helper: Any, args: Any, kwargs: Any) -> Any:
        return run_helper(self._endpoint, helper, args, kwargs)


class Origin:
    """Where gradients go: a result that the submission kernel keeps while this exists."""


class RemoteResult(torch.autograd.Function):
    """The result of a call, as a function of its arguments that require gradients."""

    @staticmethod
    def forward(
        ctx: Any,
        endpoint: ExaminerEndpoint,
        number: int,
        origin: Origin,
        value: Any,
        _: Any,
        *leaves: Any,
    ) -> Any:
        ctx.endpoint, ctx.number, ctx.origin = endpoint, number, origin
        ctx.shapes = [leaf.shape for leaf in leaves]
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        reply = ctx.endpoint.request("backward", {"object": ctx.number}, [encode(gradients[0])])
        ctx.endpoint.version += 1
        require(len(reply.payloads) == 1, "list of gradients")
        leaf_gradients = decode(reply.payloads[0])
        require(
            isinstance(leaf_gradients, list) and len(leaf_gradients) == len(ctx.shapes),
            "list of gradients",
        )
        for one, shape in zip(leaf_gradients, ctx.shapes, strict=True):
            require(
                one is None or (isinstance(one, torch.Tensor) and one.shape == shape), "gradient"
            )
        return (None, None, None, None, None, *leaf_gradients)


def with_origin(endpoint: ExaminerEndpoint, number: int, value: Any) -> Any:
    """Return a tensor whose gradients go back to the submission kernel."""
    origin = endpoint.proxy(number, Origin)
    require(isinstance(origin, Origin) and isinstance(value, torch.Tensor), "origin")
    root = torch.zeros((), requires_grad=True)  # so that the result requires them too
    return RemoteResult.apply(endpoint, number, origin, value, root, *endpoint.leaves)
