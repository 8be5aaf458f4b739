"""The submission kernel's end: it runs what the learner wrote, and never sees a test.

Nothing here imports a module of this package inside a function: SubmissionKernel.join() forgets
the package before the first cell runs.
"""

from __future__ import annotations

import collections.abc
import contextlib
import copy
import inspect
import io
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from autograder.examiner.codec import (
    CodecError,
    Message,
    Node,
    Origin,
    Payload,
    Unsendable,
    decode,
    encode,
    import_torch,
)
from autograder.examiner.protocol import Endpoint, by_name
from autograder.examiner.random_state import SEEDERS
from autograder.examiner.remote_errors import sendable
from autograder.examiner.state import (
    module_from,
    remote_module,
    set_settings,
    settings_of,
    state_of,
    tree_of,
)
from autograder.examiner.transport import Transport, TransportClosed

MAX_PRINTED = 10_000  # characters printed during a test that are kept
MAX_CAPTURED = 1_000_000  # characters printed in a call that a test captures
MISSING = object()  # the value of a name that the learner does not have
# Looked up on the class, as Python does.
SPECIAL = ("__len__", "__iter__", "__next__", "__getitem__", "__contains__", "__call__")


class SubmissionEndpoint(Endpoint):
    """The end of the answers. `user_ns` holds the learner's names."""

    reports_lines = True

    def __init__(self, transport: Transport, user_ns: dict[str, Any]) -> None:
        super().__init__(transport)
        self.user_ns = user_ns
        self.stopped = False
        self.replaced: dict[str, Any] = {}  # values of names that stand for a test's own
        self.captured = ["", ""]  # what the last call wrote to stdout and stderr for the test
        # Functions and modules of the test kernel that are held here: their numbers.
        self.remote: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self.verbs: dict[str, Callable[[Message], Message]] = {
            "names": self.names, "tree": self.tree, "backward": self.backward,
            "call": self.call, "get": self.call, "method": self.call, "helper": self.call,
            "copy": self.call, "set": self.call,
        }  # fmt: skip

    def serve(self) -> str:
        """Answer requests until the test ends; return what was printed meanwhile."""
        self.stopped = False
        printed = BoundedText(MAX_PRINTED)
        try:
            with (
                contextlib.redirect_stdout(printed),
                contextlib.redirect_stderr(printed),
                contextlib.suppress(TransportClosed, KeyboardInterrupt),
            ):
                while not self.stopped:
                    message = self.receive()
                    if message.kind == "end":
                        break
                    if message.kind == "request":
                        self.answer(message)
        finally:
            self.restore_names()
        return printed.getvalue()

    def receive(self) -> Message:
        """Return the next valid message. Raise TransportClosed where the test ends in a call."""
        message = super().receive()
        while message.kind == "use":
            self.use(message)
            message = super().receive()
        if message.kind == "end" and self.depth:
            self.stopped = True
            raise TransportClosed("the test is over")
        return message

    def use(self, message: Message) -> None:
        """Let names stand for values of the test, and all others for the learner's again."""
        self.restore_names()
        for name in (*message.meta["names"], *message.meta["deleted"]):
            self.replaced[name] = self.user_ns.get(name, MISSING)
        for name, payload in zip(message.meta["names"], message.payloads, strict=True):
            self.user_ns[name] = self.value(payload)
        for name in message.meta["deleted"]:
            self.user_ns.pop(name, None)

    def restore_names(self) -> None:
        """Let all names stand for the learner's again."""
        for name, value in self.replaced.items():
            if value is MISSING:
                self.user_ns.pop(name, None)
            else:
                self.user_ns[name] = value
        self.replaced = {}

    def handle(self, message: Message) -> Message:
        """Return the reply to a request of a test."""
        return self.verbs[message.meta["verb"]](message)

    def names(self, message: Message) -> Message:
        """Return the values of the learner's names."""
        names, unsendable, payloads = [], [], []
        for name in message.meta["names"]:
            if name in self.user_ns:
                try:
                    payloads.append(encode(self.user_ns[name], self.refer))
                    names.append(name)
                except CodecError:
                    unsendable.append(name)
        return Message("reply", {"names": names, "unsendable": unsendable}, payloads)

    def tree(self, message: Message) -> Message:
        """Return what a module consists of, and holds."""
        return Message(
            "reply", {}, [encode(tree_of(self.local(message.meta["object"]), self.export))]
        )

    def backward(self, message: Message) -> Message:
        """Propagate gradients back through a result; return those of its arguments."""
        result, leaves = self.local(message.meta["object"])
        gradient = decode(message.payloads[0])
        import_torch().autograd.backward(result, gradient, retain_graph=True)
        gradients = [leaf.grad for leaf in leaves]
        for leaf in leaves:
            leaf.grad = None
        return Message("reply", {}, [encode(gradients)])

    def call(self, message: Message) -> Message:
        """Return what a function, method, attribute or helper gives, and its arguments' changes."""
        meta = message.meta
        self.set_seeds(meta)
        outer, self.leaves, self.modules = (self.leaves, self.modules), [], []
        try:
            values = [self.value(payload) for payload in message.payloads]
            leaves, modules = self.leaves, self.modules
            before = [encode(state_of(module)) for module in modules]
            args, kwargs = values[: meta["args"]], values[meta["args"] :]
            function = self.function(meta)
            with gradients_enabled(meta.get("gradients", True)), self.capturing(meta):
                result = function(*args, **dict(zip(meta["kwargs"], kwargs, strict=True)))
            self.leaves = leaves
            payloads = [encode(result, self.refer)]
            changed = changes(
                self.changed(value, sent)
                for value, sent in zip(values, message.payloads, strict=True)
            )
            moved = changes(
                None if (state := encode(state_of(module))).same(sent) else state
                for module, sent in zip(modules, before, strict=True)
            )
            meta = {"changed": [*changed], "modules": [*moved]}
            return Message("reply", meta, [*payloads, *changed.values(), *moved.values()])
        finally:
            self.leaves, self.modules = outer

    @contextlib.contextmanager
    def capturing(self, meta: dict[str, Any]) -> Iterator[None]:
        """Keep what is printed in this context, as far as the test captures it."""
        texts = [BoundedText(MAX_CAPTURED), BoundedText(MAX_CAPTURED)]
        out, err = meta.get("captured", (False, False))
        try:
            with contextlib.ExitStack() as stack:
                if out:
                    stack.enter_context(contextlib.redirect_stdout(texts[0]))
                if err:
                    stack.enter_context(contextlib.redirect_stderr(texts[1]))
                yield
        finally:
            self.captured = [text.getvalue() for text in texts]

    def printed(self) -> dict[str, Any]:
        """Return what the last call printed for the test."""
        texts, self.captured = self.captured, ["", ""]
        return {"printed": [*map(sendable, texts)]} if any(texts) else {}

    def changed(self, value: Any, sent: Payload) -> Payload | None:
        """Return an argument that is data and no longer what was sent, else None."""
        if sent.node is None or isinstance(sent.node, (bool, int, float, str)):
            return None

        def same_leaf(part: Any, node: Any) -> list[Any] | None:
            if not isinstance(part, Origin):
                raise Unsendable("not data")
            places = [k for k, leaf in enumerate(self.leaves) if leaf is part.tensor]
            return ["leaf", places[0]] if places else None

        try:
            now = encode(value, same_leaf)
        except CodecError:
            return None
        return None if now.same(sent) else encode(value)

    def function(self, meta: dict[str, Any]) -> Callable[..., Any]:
        """Return what a request calls."""
        verb, name = meta["verb"], meta.get("name", "")
        if verb == "helper":
            helper: Callable[..., Any] = by_name(meta["module"], name)
            return helper
        target = self.local(meta["object"])
        if verb == "get" and name == "__signature__":
            return lambda: parameters_of(target)
        if verb == "get":
            return lambda: getattr(target, name)
        if verb == "set":
            return lambda settings: set_settings(target, settings)
        if verb == "copy":
            return lambda: copy.deepcopy(target)
        if verb == "method":
            if name in SPECIAL:
                if not hasattr(type(target), name):
                    raise TypeError(f"a {type(target).__name__} has no {name}")
                return lambda *args, **kwargs: getattr(type(target), name)(target, *args, **kwargs)
            method: Callable[..., Any] = getattr(target, name)
            return method
        return lambda *args, **kwargs: target(*args, **kwargs)

    def set_seeds(self, meta: dict[str, Any]) -> None:
        """Seed the generators that a test seeded or used."""
        for name, seed in meta.get("seeds", {}).items():
            SEEDERS[name](seed)

    def refer(self, value: Any, node: Callable[[Any], Node]) -> list[Any] | None:
        """Return the fields of the "remote" node for a value that is not data."""
        if isinstance(value, Origin):
            return ["origin", self.export((value.tensor, self.leaves))]
        if isinstance(value, tuple):
            return None
        if isinstance(value, types.ModuleType):
            raise Unsendable(f"{value.__name__} is a module: a locked setup cell should import it")
        if type(value).__name__ in ("function", "RemoteModule") and value in self.remote:
            return ["local", self.remote[value]]
        kind, name, details = describe(value)
        return ["ref", self.export(value), kind, name, node(details)]

    def resolve(self, fields: list[Any], value: Callable[[Node], Any]) -> Any:
        """Return what arrives from the test kernel and is not data."""
        kind_of_reference, *rest = fields
        if kind_of_reference == "local":
            return self.local(rest[0])
        if kind_of_reference == "leaf":
            self.leaves.append(rest[1].requires_grad_())
            return rest[1]
        if kind_of_reference == "name":
            return by_name(*rest)
        if kind_of_reference == "named_tuple":
            return by_name(*rest[:2])(*map(value, rest[2:]))
        if kind_of_reference == "module":
            with self.within_module():
                module = module_from(by_name(*rest[:2]), value(rest[2]))
            if not self.inside:
                self.modules.append(module)
            return module
        number, kind, name = rest
        return self.proxy(number, lambda: self.callback(number, kind, name))

    def callback(self, number: int, kind: str, name: str) -> Any:
        """Return a function, or a module, that calls one of the test kernel."""

        def call(*args: Any, **kwargs: Any) -> Any:
            if not self.depth:  # no test listens: a reply would never come
                raise RuntimeError(f"{name} was a test's, and the test is over")
            payloads = [encode(value, self.refer) for value in (kwargs, *args)]
            reply = self.request("call", {"object": number}, payloads)
            self.set_seeds(reply.meta)
            with self.modules_of_their_own():
                return self.value(reply.payloads[0])

        call.__name__ = call.__qualname__ = name
        callback: Any = remote_module(call) if kind == "module" else call
        self.remote[callback] = number
        return callback


def parameters_of(function: Callable[..., Any]) -> list[list[Any]]:
    """Return name, kind and, where there is one, default of each parameter."""
    return [
        [each.name, int(each.kind), *([] if each.default is each.empty else [each.default])]
        for each in inspect.signature(function).parameters.values()
    ]


def changes(payloads: collections.abc.Iterable[Payload | None]) -> dict[int, Payload]:
    """Return the payloads that are there, by their places."""
    return {place: payload for place, payload in enumerate(payloads) if payload is not None}


class BoundedText(io.StringIO):
    """A text stream that keeps the beginning of what is written."""

    def __init__(self, characters: int) -> None:
        super().__init__()
        self.characters = characters

    def write(self, text: str) -> int:
        """Keep `text` as far as there is room; return its length."""
        super().write(text[: max(0, self.characters - self.tell())])
        return len(text)


def describe(value: Any) -> tuple[str, str, Any]:
    """Return kind, name and details of an object that is exported."""
    torch = sys.modules.get("torch")
    name = getattr(value, "__name__", None)
    if torch and isinstance(value, torch.nn.Module):
        return "module", type(value).__name__, None
    if torch and isinstance(value, torch.optim.Optimizer):
        return "optimizer", type(value).__name__, settings_of(value)
    if isinstance(value, type):
        return "class", value.__name__, None
    if callable(value) and isinstance(name, str):
        return "function", name, None
    if isinstance(value, collections.abc.Iterator):
        return "iterator", type(value).__name__, None
    return "object", type(value).__name__, None


@contextlib.contextmanager
def gradients_enabled(enabled: bool) -> Iterator[None]:
    """Enable or disable gradients in this context, where torch is imported."""
    torch = sys.modules.get("torch")
    with torch.set_grad_enabled(enabled) if torch else contextlib.nullcontext():
        yield
