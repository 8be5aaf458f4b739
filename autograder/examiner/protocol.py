"""Requests between two kernels: what both ends have in common.

    ExaminerEndpoint     (examiner_side)    in the test kernel: requests, and holds proxies
    SubmissionEndpoint   (submission_side)  in the submission kernel: runs what the learner wrote

A "request" has a number and a verb, and gets a "reply" or an "error" with that number; meanwhile
the other end may make requests of its own. Arguments and results travel by value (codec),
functions and objects by reference: an end *exports* an object under a number, the other end holds
a proxy for it, and *releases* the number when the proxy is gone. What a call changed in its
arguments comes back with its reply.
"""

from __future__ import annotations

import contextlib
import importlib
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from autograder.examiner.codec import (
    CodecError,
    Message,
    Node,
    Payload,
    Unsendable,
    decode,
    require,
)
from autograder.examiner.remote_errors import error_message, exception_from
from autograder.examiner.transport import Transport, TransportClosed

MAX_EXPORTED = 100_000  # objects that one end may export at a time
MAX_NESTED = 40  # calls within calls


class Endpoint:
    """Numbered requests, and the table of exported objects."""

    reports_lines = False  # whether an error names the lines of the cells that it came from

    def __init__(self, transport: Transport) -> None:
        self.transport = transport
        self.number = 0
        self.depth = 0
        self.inside = 0  # modules around what is encoded or decoded
        self.exported: dict[int, list[Any]] = {}  # by number: the object, how often it was sent
        self.numbers: dict[int, int] = {}  # by id() of an exported object: its number
        self.last_exported = 0
        self.proxies: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self.received: dict[int, int] = {}  # by number of a proxy: how often it arrived
        self.released: dict[int, int] = {}
        self.leaves: list[Any] = []  # tensors of the current request that require gradients
        self.modules: list[Any] = []  # torch's modules that it sent by value

    @contextlib.contextmanager
    def within_module(self) -> Iterator[None]:
        """Mark what is encoded or decoded in this context as part of a module."""
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    @contextlib.contextmanager
    def modules_of_their_own(self) -> Iterator[None]:
        """Keep what a function of the test returns apart from what a call passes and changes."""
        outer, self.modules = self.modules, []
        try:
            yield
        finally:
            self.modules = outer

    # Requests

    def request(
        self, verb: str, meta: dict[str, Any] | None = None, payloads: list[Payload] | None = None
    ) -> Message:
        """Return the reply to a request; raise what the other end raised."""
        self.number += 1
        number, released = self.number, self.released
        self.released = {}
        meta = {**(meta or {}), "number": number, "verb": verb, "released": [*released.items()]}
        self.transport.send(Message("request", meta, payloads or []))
        while True:
            message = self.receive()
            if message.kind == "request":
                self.answer(message)
            elif message.meta.get("number") == number and message.kind in ("reply", "error"):
                self.note(message)
                if message.kind == "error":
                    raise exception_from(message)
                return message
            # else the reply to a request that was interrupted

    def note(self, message: Message) -> None:
        """Called with the reply to a request, or its error, before it is used."""

    def printed(self) -> dict[str, Any]:
        """Return what a reply carries besides its result: the text that was printed."""
        return {}

    def receive(self) -> Message:
        """Return the next valid message."""
        while True:
            with contextlib.suppress(CodecError):
                return self.transport.receive()

    def answer(self, message: Message) -> None:
        """Carry out a request, and send its reply or its error."""
        number = message.meta.get("number")
        self.depth += 1
        try:
            if self.depth > MAX_NESTED:
                raise RecursionError("calls from kernel to kernel are nested too deeply")
            self.release(message.meta.get("released", []))
            reply = self.handle(message)
            reply.kind, reply.meta = "reply", {**reply.meta, "number": number, **self.printed()}
            self.transport.send(reply)
        except TransportClosed:
            raise
        except BaseException as error:  # any exception belongs to the caller
            message = error_message(error, number, self.reports_lines)
            message.meta.update(self.printed())
            self.transport.send(message)
        finally:
            self.depth -= 1

    def handle(self, message: Message) -> Message:
        """Return the reply to a request of the other end."""
        raise NotImplementedError

    def value(self, payload: Payload) -> Any:
        """Return the value of a payload; resolve() supplies what is not data."""
        return decode(payload, self.resolve)

    def resolve(self, fields: list[Any], value: Callable[[Node], Any]) -> Any:
        """Return the value for the fields of a "remote" node."""
        raise NotImplementedError

    # Exported objects

    def export(self, exported: Any) -> int:
        """Return the number under which the other end knows an object."""
        if id(exported) not in self.numbers:
            if len(self.exported) >= MAX_EXPORTED:
                raise Unsendable("too many objects are in use at a time")
            self.last_exported += 1
            self.numbers[id(exported)] = self.last_exported
            self.exported[self.last_exported] = [exported, 0]
        number = self.numbers[id(exported)]
        self.exported[number][1] += 1
        return number

    def local(self, number: Any) -> Any:
        """Return the exported object with this number."""
        require(type(number) is int and number in self.exported, "number of an object")
        return self.exported[number][0]

    def release(self, counts: Any) -> None:
        """Drop the objects that the other end no longer holds."""
        require(isinstance(counts, list), "list of released objects")
        for pair in counts:
            require(isinstance(pair, list) and len(pair) == 2, "list of released objects")
            number, count = pair
            entry = self.exported.get(number) if type(number) is int else None
            if entry and type(count) is int:
                entry[1] -= count
                if entry[1] <= 0:
                    del self.numbers[id(entry[0])], self.exported[number]

    def note_released(self, number: int) -> None:
        """Called when the last reference to a proxy is gone: the next request says so."""
        if count := self.received.pop(number, 0):
            self.released[number] = self.released.get(number, 0) + count

    def proxy(self, number: Any, make: Callable[[], Any]) -> Any:
        """Return the proxy for an object of the other end: always the same one."""
        require(type(number) is int, "number of an object")
        proxy = self.proxies.get(number)
        if proxy is None:
            proxy = self.proxies[number] = make()
            weakref.finalize(proxy, self.note_released, number).atexit = False
        self.received[number] = self.received.get(number, 0) + 1
        return proxy


def name_of(value: Any) -> tuple[str, str] | None:
    """Return module and name of a function or class that any kernel can import, else None."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(value, (type, types.FunctionType, types.BuiltinFunctionType)):
        return None
    if not isinstance(module, str) or not isinstance(name, str) or module == "__main__":
        return None
    try:
        return (module, name) if by_name(module, name) is value else None
    except (ImportError, AttributeError):
        return None


def by_name(module: str, name: str) -> Any:
    """Return what can be imported under a name. Only for names that the test kernel sends."""
    target: Any = importlib.import_module(module)
    for part in name.split("."):
        target = getattr(target, part)
    return target
