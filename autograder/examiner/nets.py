"""Stand-ins for nets, optimizers and results with gradients: torch's own kinds to a test.

A net's stand-in is an nn.Module with the learner's parameters and buffers by value, read anew
after each call; its forward, and all that changes it, is answered by the answers' kernel.
Gradients of a result go back there and come to its arguments from there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from autograder.examiner.codec import decode, encode, need
from autograder.examiner.proxies import travel
from autograder.examiner.state import groups_of

if TYPE_CHECKING:
    from autograder.examiner.protocol import Examiner


class NetStandIn(nn.Module):
    """Stands for a net of the learner's."""

    _peer: Examiner
    _number: int

    @classmethod
    def of(cls, peer: Examiner, number: int, name: str, torch_name: str) -> NetStandIn:
        """The stand-in for a net of class `name`, derived from torch's class `torch_name`."""
        kind: type[NetStandIn] = cls
        for each, module in ((torch_name, "torch.nn.modules.learner"), (name, "learner")):
            if each:
                kind = type(each, (kind,), {"__module__": module})
        made = kind.__new__(kind)
        vars(made).update(_peer=peer, _number=number, _version=-1, _held=({}, {}, {}, True, []))
        nn.Module.__init__(made)
        return made

    def _refresh(self) -> tuple[Any, Any, Any, bool]:
        """Parameters, buffers, parts and mode as they are now."""
        self._unchanged()
        if self._version != self._peer.version:
            answer = self._peer.ask("tree", {"thing": self._number})
            need(len(answer.parcels) == 1, "tree")
            read_tree(self._peer, decode(answer.parcels[0]))
        held: tuple[Any, Any, Any, bool] = vars(self)["_held"][:4]
        return held

    def _unchanged(self) -> None:
        """RuntimeError where a test wrote into the copies that it has of parameters and buffers."""
        for tensor, version in vars(self)["_held"][4]:
            if tensor._version != version:
                raise RuntimeError(
                    "a test changed a parameter of the learner's net in place: that has to be done"
                    " where the net is, by check.filled or another helper of course.check"
                )

    _parameters = property(lambda self: self._refresh()[0], lambda self, value: None)
    _buffers = property(lambda self: self._refresh()[1], lambda self, value: None)
    _modules = property(lambda self: self._refresh()[2], lambda self, value: None)
    training = property(lambda self: self._refresh()[3], lambda self, value: None)

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        if name.startswith("__") or name in ("_peer", "_number", "_version", "_held"):
            raise AttributeError(name)
        for part in self._refresh()[:3]:
            if name in part:
                return part[name]
        return self._peer.call("get", meta={"thing": self._number, "name": name})

    def __setattr__(self, name: str, value: Any) -> None:
        if name in vars(self) or name in vars(nn.Module) or hasattr(type(self), name):
            vars(self).update({name: value} if not hasattr(type(self), name) else {})
            return
        if name.startswith("_"):  # by nn.Module itself
            vars(self)[name] = value
            return
        raise AttributeError(f"a test cannot set {name} of the learner's net")

    def __call__(self, *given: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        self._unchanged()
        return self._peer.call("call", *given, meta={"thing": self._number}, **named)

    def __deepcopy__(self, memo: Any) -> Any:
        return self._peer.call("copy", meta={"thing": self._number})

    def __course_check__(self, helper: Any, given: Any, named: Any) -> Any:
        __tracebackhide__ = True
        return travel(self._peer, helper, given, named)


def remote(name: str) -> Callable[..., Any]:
    """A method that is the learner's net's own."""

    def method(self: NetStandIn, *given: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        self._unchanged()
        meta = {"thing": self._number, "name": name}
        return self._peer.call("method", *given, meta=meta, **named)

    return method


for name in (
    "apply", "cpu", "double", "eval", "float", "forward", "half", "load_state_dict",
    "register_forward_hook", "register_forward_pre_hook", "requires_grad_", "to", "to_empty",
    "train", "type", "zero_grad",
):  # fmt: skip
    setattr(NetStandIn, name, remote(name))


def read_tree(peer: Examiner, tree: Any) -> None:
    """Have the stand-ins of a net and its parts hold what tree_of() says."""
    need(isinstance(tree, dict) and tree.keys() == {"tensors", "gradients", "nets"}, "tree")
    tensors, gradients, nets = tree["tensors"], tree["gradients"], tree["nets"]
    need(isinstance(tensors, list), "tree")
    need(all(t is None or isinstance(t, torch.Tensor) for t in tensors), "tree")
    need(isinstance(gradients, list) and len(gradients) == len(tensors), "tree")
    need(isinstance(nets, list) and nets, "tree")
    parameters: dict[int, torch.Tensor] = {}

    def parameter(place: int) -> torch.Tensor:
        if place not in parameters:
            value, gradient = tensors[place], gradients[place]
            if value is None:
                parameters[place] = nn.UninitializedParameter()
            else:
                made = nn.Parameter(value.detach(), requires_grad=value.requires_grad)
                need(gradient is None or getattr(gradient, "shape", None) == value.shape, "tree")
                made.grad = None if gradient is None else gradient.detach()
                parameters[place] = made
        return parameters[place]

    def buffer(place: int) -> torch.Tensor:
        return nn.UninitializedBuffer() if tensors[place] is None else tensors[place]

    made = [stand_in(peer, entry) for entry in nets]
    marks: list[tuple[Any, int]] = []  # of the whole tree, for each of its nets
    for one, entry in zip(made, nets, strict=True):
        _, _, _, mode, own, buffers, parts = entry
        need(isinstance(mode, bool), "tree")
        for places, most in ((own, len(tensors)), (buffers, len(tensors)), (parts, len(nets))):
            need(isinstance(places, dict) and all(isinstance(k, str) for k in places), "tree")
            fits = (p is None or (type(p) is int and 0 <= p < most) for p in places.values())
            need(all(fits), "tree")
        held = (
            {k: None if p is None else parameter(p) for k, p in own.items()},
            {k: None if p is None else buffer(p) for k, p in buffers.items()},
            {k: None if p is None else made[p] for k, p in parts.items()},
        )
        copies = [t for part in held[:2] for t in part.values() if t is not None]
        marks += [(t, t._version) for t in copies]
        vars(one).update(_held=(*held, mode, marks), _version=peer.version)
    need(acyclic([[p for p in entry[6].values() if p is not None] for entry in nets]), "tree")


def stand_in(peer: Examiner, entry: Any) -> NetStandIn:
    """The stand-in for one net of a tree; told what torch's own class it is derived from."""
    need(isinstance(entry, list) and len(entry) == 7, "tree")
    number, name, torch_name = entry[:3]
    for each in (name, torch_name):
        need(isinstance(each, str) and (not each or each.isidentifier()), "name")
    found = peer.see(number, lambda: NetStandIn.of(peer, number, name, torch_name))
    need(isinstance(found, NetStandIn), "tree")
    if torch_name and type(found).__mro__[1] is NetStandIn and type(found) is not NetStandIn:
        found.__class__ = type(NetStandIn.of(peer, number, name, torch_name))
    made: NetStandIn = found
    return made


def acyclic(inside: list[list[int]]) -> bool:
    """Whether no net lies within itself: torch would look through it for ever."""
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


class OptimizerStandIn(torch.optim.Optimizer):
    """Stands for an optimizer; its settings are the test's to change."""

    def __init__(self, peer: Examiner, number: int, settings: Any) -> None:
        need(isinstance(settings, dict) and settings.keys() == {"defaults", "groups"}, "settings")
        groups = settings["groups"]
        need(isinstance(groups, list) and all(isinstance(g, dict) for g in groups), "settings")
        need(isinstance(settings["defaults"], dict), "settings")
        self._peer, self._number = peer, number
        self.defaults, self.state = settings["defaults"], defaultdict(dict)
        self.param_groups = [{**group, "params": []} for group in groups]
        self._sent = groups_of(self)

    def _do(self, name: str, *given: Any) -> Any:
        if (now := groups_of(self)) != self._sent:
            self._peer.call("set", now, meta={"thing": self._number})
            self._sent = now
        return self._peer.call("method", *given, meta={"thing": self._number, "name": name})

    def step(self, closure: Any = None) -> Any:
        return self._do("step", *([closure] if closure else []))

    def zero_grad(self, set_to_none: bool = True) -> None:
        self._do("zero_grad", set_to_none)

    def __repr__(self) -> str:
        return "<an optimizer of the learner's net>"

    def __course_check__(self, helper: Any, given: Any, named: Any) -> Any:
        return travel(self._peer, helper, given, named)


class Origin:
    """Where gradients go: a result that the answers' kernel keeps while this lives."""


class _Far(torch.autograd.Function):
    """A result of a call, as a function of its arguments that take gradients."""

    @staticmethod
    def forward(
        ctx: Any, peer: Examiner, number: int, origin: Origin, value: Any, _: Any, *leaves: Any
    ) -> Any:
        ctx.peer, ctx.number, ctx.origin = peer, number, origin
        ctx.shapes = [leaf.shape for leaf in leaves]
        return value.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> Any:
        answer = ctx.peer.ask("backward", {"thing": ctx.number}, [encode(gradients[0])])
        ctx.peer.version += 1
        need(len(answer.parcels) == 1, "list of gradients")
        found = decode(answer.parcels[0])
        need(isinstance(found, list) and len(found) == len(ctx.shapes), "list of gradients")
        for one, shape in zip(found, ctx.shapes, strict=True):
            need(one is None or (isinstance(one, torch.Tensor) and one.shape == shape), "gradient")
        return (None, None, None, None, None, *found)


def with_origin(peer: Examiner, number: int, value: Any) -> Any:
    """A tensor whose gradients go back to the answers' kernel."""
    origin = peer.see(number, Origin)
    need(isinstance(origin, Origin), "origin")
    root = torch.zeros((), requires_grad=True)  # it takes gradients, whatever its arguments do
    return _Far.apply(peer, number, origin, value, root, *peer.leaves)
