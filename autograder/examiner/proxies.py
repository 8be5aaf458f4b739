"""What a test holds in place of an object of the learner's.

A proxy has no behaviour of its own: calls, attributes and the like travel to the submission kernel,
and what comes back is data or a proxy. It equals nothing and has no truth value, so that no test
passes by meeting an object where it expects a number.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from autograder.examiner.codec import CodecError, ExaminerLimit, require
from autograder.examiner.remote_errors import name_call

if TYPE_CHECKING:
    from autograder.examiner.examiner_side import ExaminerEndpoint


class ProxyTypeError(ExaminerLimit, TypeError):
    """An operation that a proxy does not have."""


class ProxyAttributeError(ExaminerLimit, AttributeError):
    """An attribute that a proxy does not have, whatever the object has."""


KINDS = (
    inspect.Parameter.POSITIONAL_ONLY,
    inspect.Parameter.POSITIONAL_OR_KEYWORD,
    inspect.Parameter.VAR_POSITIONAL,
    inspect.Parameter.KEYWORD_ONLY,
    inspect.Parameter.VAR_KEYWORD,
)
PROXY_KINDS = ("function", "class", "object", "iterator")


class TorchProxy:
    """Base of the proxies that are torch's own kinds to a test (nets)."""

    _endpoint: ExaminerEndpoint
    _number: int


class Proxy:
    """A proxy for a function, a class or an object."""

    def __init__(self, endpoint: ExaminerEndpoint, number: int, kind: str, name: str) -> None:
        self._endpoint, self._number, self._kind = endpoint, number, kind
        if kind in ("function", "class"):
            self.__name__ = self.__qualname__ = name
        self._name = name

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        special = name.startswith("__") and name != "__wrapped__"
        if special or name in ("_endpoint", "_number", "_kind", "_name"):
            if "_endpoint" in vars(self):
                self._endpoint.limits.append(f"the attribute {name}")
            raise ProxyAttributeError(name)
        return self._endpoint.call("get", meta={"object": self._number, "name": name})

    @property
    def __doc__(self) -> Any:  # type: ignore[override]  # else it would be the text above
        __tracebackhide__ = True
        return self._endpoint.call("get", meta={"object": self._number, "name": "__doc__"})

    @property
    def __signature__(self) -> inspect.Signature:
        """Read by inspect.signature(): parameters and defaults as the learner's, no annotations."""
        __tracebackhide__ = True
        if vars(self).get("_kind") not in ("function", "class"):
            raise ProxyAttributeError("__signature__")
        meta = {"object": self._number, "name": "__signature__"}
        return signature_from(self._endpoint.call("get", meta=meta))

    def _limit(self, text: str) -> ProxyTypeError:
        """Return the error for what a proxy cannot do, and remember it."""
        self._endpoint.limits.append(text)
        return ProxyTypeError(text)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        try:
            return self._endpoint.call("call", *args, meta={"object": self._number}, **kwargs)
        except Exception as error:
            name_call(error, self._name, args, kwargs)
            raise

    def _method(self, name: str, *args: Any) -> Any:
        __tracebackhide__ = True
        return self._endpoint.call("method", *args, meta={"object": self._number, "name": name})

    @property  # type: ignore[misc]
    def __class__(self) -> Any:  # read by isinstance(), where the type alone does not decide
        if vars(self).get("_kind") == "object":
            self._endpoint.limits.append(f"what kind of object a {self._name} is")
        return type(self)

    def __len__(self) -> int:
        length = self._method("__len__")
        if type(length) is not int:
            raise self._limit(f"the length of a {self._name} is not a whole number")
        return length

    def __iter__(self) -> Any:
        return self._method("__iter__")

    def __getitem__(self, key: Any) -> Any:
        return self._method("__getitem__", key)

    def __contains__(self, key: Any) -> bool:
        return self._method("__contains__", key) is True

    def __deepcopy__(self, memo: Any) -> Any:
        return self._endpoint.call("copy", meta={"object": self._number})

    def __instancecheck__(self, instance: Any) -> bool:
        return self._is("isinstance", instance)

    def __subclasscheck__(self, subclass: Any) -> bool:
        return self._is("issubclass", subclass)

    def _is(self, question: str, value: Any) -> bool:
        __tracebackhide__ = True
        meta = {"module": "builtins", "name": question}
        return self._endpoint.call("helper", value, self, meta=meta) is True

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Proxy) or other is None:
            return self is other
        raise self._limit(f"a {self._name} of the learner's cannot be compared: it is not data")

    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        if self._kind in ("function", "class"):
            return True
        raise self._limit(f"a {self._name} of the learner's has no truth value: it is not data")

    def __repr__(self) -> str:
        self._endpoint.limits.append(f"the text of a {self._name}")
        return f"<{self._kind} {self._name} of the learner's>"

    def __course_check__(self, helper: Any, args: Any, kwargs: Any) -> Any:
        """Run a helper of course.check in the submission kernel."""
        __tracebackhide__ = True
        return run_helper(self._endpoint, helper, args, kwargs)


def signature_from(described: Any) -> inspect.Signature:
    """Return the signature of which names, kinds and defaults of parameters were sent."""
    require(isinstance(described, list), "signature")
    parameters = []
    for each in described:
        require(isinstance(each, list) and 2 <= len(each) <= 3, "parameter")
        name, kind, *default = each
        require(isinstance(name, str) and name.isidentifier(), "name of a parameter")
        require(type(kind) is int and 0 <= kind <= 4, "kind of a parameter")
        parameters.append((name, KINDS[kind], {"default": default[0]} if default else {}))
    try:
        return inspect.Signature([inspect.Parameter(n, k, **more) for n, k, more in parameters])
    except ValueError:  # a keyword, a default of *args, one before a parameter without
        raise CodecError("the parameters are invalid") from None


class IteratorProxy(Proxy):
    # A proxy for an iterator, a generator above all.
    __doc__ = Proxy.__dict__["__doc__"]  # a docstring would hide the learner's

    def __iter__(self) -> Any:
        return self

    def __next__(self) -> Any:
        return self._method("__next__")


def make_proxy(endpoint: ExaminerEndpoint, number: int, kind: str, name: str) -> Proxy:
    """Return a proxy of a kind of PROXY_KINDS."""
    return (IteratorProxy if kind == "iterator" else Proxy)(endpoint, number, kind, name)


def run_helper(endpoint: ExaminerEndpoint, helper: Any, args: Any, kwargs: Any) -> Any:
    """Return the result of a helper that runs in the submission kernel."""
    __tracebackhide__ = True
    meta = {"module": helper.__module__, "name": helper.__qualname__}
    return endpoint.call("helper", *args, meta=meta, **kwargs)


def number_of(value: Any, endpoint: ExaminerEndpoint) -> int | None:
    """Return the number of the object that a proxy of `endpoint` stands for, else None."""
    if not isinstance(value, (Proxy, TorchProxy)) or vars(value).get("_endpoint") is not endpoint:
        return None
    number: int = vars(value)["_number"]
    return number
