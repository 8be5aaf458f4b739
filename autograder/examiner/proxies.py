"""What a test holds in place of what the learner made.

A stand-in has no mind of its own: calls, attributes and the like travel to the answers' kernel,
and what comes back is data or a stand-in. It is equal to nothing, and no truth value, so that no
test passes by meeting an object where it expects a number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograder.examiner.codec import need
from autograder.examiner.protocol import LATER, part

if TYPE_CHECKING:
    from autograder.examiner.protocol import Examiner


class StandIn:
    """Stands for a function, a class or an object of the learner's."""

    def __init__(self, peer: Examiner, number: int, kind: str, name: str) -> None:
        self._peer, self._number, self._kind = peer, number, kind
        if kind in ("function", "class"):
            self.__name__ = self.__qualname__ = name
        self._name = name

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        if name.startswith("__") or name in ("_peer", "_number", "_kind", "_name"):
            raise AttributeError(name)
        return self._peer.call("get", meta={"thing": self._number, "name": name})

    def __call__(self, *given: Any, **named: Any) -> Any:
        __tracebackhide__ = True
        return self._peer.call("call", *given, meta={"thing": self._number}, **named)

    def _method(self, name: str, *given: Any) -> Any:
        __tracebackhide__ = True
        return self._peer.call("method", *given, meta={"thing": self._number, "name": name})

    def __len__(self) -> int:
        found = self._method("__len__")
        if type(found) is not int:
            raise TypeError(f"the length of a {self._name} is no whole number")
        return found

    def __iter__(self) -> Any:
        return self._method("__iter__")

    def __getitem__(self, key: Any) -> Any:
        return self._method("__getitem__", key)

    def __contains__(self, key: Any) -> bool:
        return self._method("__contains__", key) is True

    def __deepcopy__(self, memo: Any) -> Any:
        return self._peer.call("copy", meta={"thing": self._number})

    def __eq__(self, other: object) -> bool:
        if isinstance(other, StandIn) or other is None:
            return self is other
        raise TypeError(f"a {self._name} of the learner's cannot be compared: it is no data")

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        if self._kind in ("function", "class"):
            return True
        raise TypeError(f"a {self._name} of the learner's is neither true nor false: it is no data")

    def __repr__(self) -> str:
        return f"<{self._kind} {self._name} of the learner's>"

    def __course_check__(self, helper: Any, given: Any, named: Any) -> Any:
        """Have a helper of course.check act where the learner's work is."""
        __tracebackhide__ = True
        return travel(self._peer, helper, given, named)


class Iterator(StandIn):
    """Stands for an iterator, a generator above all."""

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self._method("__next__")


def travel(peer: Examiner, helper: Any, given: Any, named: Any) -> Any:
    """What a helper gives that acts in the answers' kernel."""
    __tracebackhide__ = True
    meta = {"module": helper.__module__, "name": helper.__qualname__}
    return peer.call("helper", *given, meta=meta, **named)


def make(peer: Examiner, number: int, kind: Any, name: str, more: Any) -> Any:
    """The stand-in for what is of this kind."""
    if kind in ("net", "optimizer"):
        nets = part("nets")
        if kind == "net":
            return nets.NetStandIn.of(peer, number, name, "")
        return nets.OptimizerStandIn(peer, number, more)
    need(kind in ("function", "class", "object", "iterator"), "kind")
    return (Iterator if kind == "iterator" else StandIn)(peer, number, kind, name)


def with_origin(peer: Examiner, number: int, value: Any) -> Any:
    """A tensor whose gradients go back to the answers' kernel."""
    return part("nets").with_origin(peer, number, value)


def stands_for(thing: Any, peer: Examiner) -> int | None:
    """The number of what a stand-in stands for; None for anything else."""
    kinds: tuple[type, ...] = (StandIn,)
    if nets := LATER.get("nets"):
        kinds += (nets.NetStandIn, nets.OptimizerStandIn)
    if not isinstance(thing, kinds) or vars(thing).get("_peer") is not peer:
        return None
    number: int = vars(thing)["_number"]
    return number
