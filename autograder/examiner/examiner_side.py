"""The test kernel's end: tests hold proxies, whose calls become requests."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
import sys
from collections.abc import Callable
from typing import Any

from autograder.errors import one_line
from autograder.examiner.codec import (
    CodecError,
    ExaminerLimit,
    Message,
    Node,
    Origin,
    Payload,
    Unsendable,
    decode,
    encode,
    require,
)
from autograder.examiner.protocol import Endpoint, name_of
from autograder.examiner.proxies import PROXY_KINDS, make_proxy, number_of
from autograder.examiner.random_state import advance_rngs, rng_states, seed_from
from autograder.examiner.remote_errors import REMOTE
from autograder.examiner.state import module_by_value, overwrite, set_state
from autograder.examiner.transport import Transport, TransportClosed

log = logging.getLogger(__name__)
DELETED = object()  # the value of a name that a test deleted


class ExaminerEndpoint(Endpoint):
    """The end of the tests.

    Of its own objects it exports only functions and modules that a test passed to a call, and only
    to be called, until the cell ends.
    """

    def __init__(self, transport: Transport) -> None:
        super().__init__(transport)
        self.rngs: dict[str, bytes] = {}  # states of the generators after the last request
        self.limits: list[str] = []  # what the current test asked for and cannot be done
        self.unsendable: set[str] = set()  # names of the learner's that cannot be sent
        self.version = 0  # of all that the learner's modules hold: counts requests
        # What the learner's names stand for now: references of check.using(); how to read what the
        # test bound or deleted; both as last sent; and the numbers exported for them.
        self.references: dict[str, Any] = {}
        self.rebound: Callable[[], dict[str, Any]] = dict
        self.standing: dict[str, Any] = {}
        self.lent: set[int] = set()
        self.streams: tuple[Any, Any] = sys.stdout, sys.stderr  # of the cell as it began

    def names(self, names: list[str]) -> dict[str, Any]:
        """Return what the submission kernel has under these names; unknown names are left out."""
        reply = self.request("names", {"names": names})
        known = reply.meta.get("names")
        require(isinstance(known, list) and len(known) == len(reply.payloads), "list of names")
        assert isinstance(known, list)
        require(set(map(str, known)) <= set(names), "list of names")
        unsendable = reply.meta.get("unsendable", [])
        require(isinstance(unsendable, list), "list of names")
        self.unsendable |= set(map(str, unsendable)) & set(names)
        return {
            name: self.value(payload) for name, payload in zip(known, reply.payloads, strict=True)
        }

    def call(self, verb: str, *args: Any, meta: dict[str, Any], **kwargs: Any) -> Any:
        """Return the result of a request with arguments, which are changed as the call did."""
        __tracebackhide__ = True
        outer, self.leaves, self.modules = (self.leaves, self.modules), [], []
        try:
            self.follow()
            values = [*args, *kwargs.values()]
            payloads = [encode(value, self.refer) for value in values]
            leaves, modules = self.leaves, self.modules
            meta = {**meta, "args": len(args), "kwargs": [*kwargs], **self.context()}
            reply = self.request(verb, meta, payloads)
            self.version += 1
            self.leaves = leaves
            if not reply.payloads:
                raise CodecError("a reply is empty")
            self.apply_changes(reply, values, modules)
            return self.value(reply.payloads[0])
        except ExaminerLimit as limit:
            self.limits.append(str(limit))
            raise
        finally:
            self.leaves, self.modules = outer
            self.rngs = advance_rngs()

    def use(self, references: dict[str, Any]) -> None:
        """Let names of the learner's stand for references of the test: for these, and no others.

        They do until the next use(), or until the cell ends. Functions cannot be called afterwards,
        whatever the learner's work keeps of them.
        """
        self.references = dict(references)
        self.stand({**self.rebound(), **self.references})

    def follow(self) -> None:
        """Let names of the learner's stand for what the test has bound them to, or for nothing."""
        values = {**self.rebound(), **self.references}
        if values.keys() != self.standing.keys() or any(
            value is not self.standing[name] for name, value in values.items()
        ):
            self.stand(values)

    def stand(self, values: dict[str, Any]) -> None:
        """Send what names stand for; all others stand for the learner's own again.

        It waits for no reply, so that a test can end while a call of the learner's still runs.
        """
        for number in self.lent & self.exported.keys():
            del self.numbers[id(self.exported.pop(number)[0])]
        before = set(self.exported)
        payloads: dict[str, Payload] = {}
        outer, self.leaves, self.modules = (self.leaves, self.modules), [], []  # not of a call
        try:
            for name, value in values.items():
                if value is not DELETED and (payload := self.payload_of(name, value)):
                    payloads[name] = payload
        finally:
            self.leaves, self.modules = outer
        self.lent = set(self.exported) - before
        self.standing = values
        deleted = [name for name, value in values.items() if value is DELETED]
        meta = {"names": [*payloads], "deleted": deleted}
        with contextlib.suppress(TransportClosed):
            self.transport.send(Message("use", meta, [*payloads.values()]))

    def payload_of(self, name: str, value: Any) -> Payload | None:
        """Return what a name of the learner's is to stand for; None, and a limit, if unsendable.

        Raise Unsendable for a reference, which the test asked for by name.
        """
        try:
            return encode(value, self.refer)
        except Unsendable as error:
            if name in self.references:
                raise
            self.limits.append(f"{name} is bound to what cannot be sent: {error}")
            return None

    def context(self) -> dict[str, Any]:
        """Return whether gradients are enabled, which output the test captures, and seeds of the
        generators that tests used.
        """
        torch = sys.modules.get("torch")
        context: dict[str, Any] = {"gradients": torch.is_grad_enabled() if torch else True}
        pairs = zip((sys.stdout, sys.stderr), self.streams, strict=True)
        context["captured"] = [now is not before for now, before in pairs]
        states = rng_states()
        changed = {name: state for name, state in states.items() if self.rngs.get(name) != state}
        if changed:
            context["seeds"] = {name: seed_from(state) for name, state in changed.items()}
        return context

    def note(self, message: Message) -> None:
        """Write what a call printed to where the test captures it."""
        printed = message.meta.get("printed", ["", ""])
        require(isinstance(printed, list) and len(printed) == 2, "printed text")
        for text, stream, before in zip(
            printed, (sys.stdout, sys.stderr), self.streams, strict=True
        ):
            require(isinstance(text, str) and is_unicode(text), "printed text")
            if text and stream is not before:
                try:
                    stream.write(text)
                except Exception as error:  # a file may be full, or closed: as if printed there
                    error.__dict__[REMOTE] = True
                    raise

    def apply_changes(self, reply: Message, values: list[Any], modules: list[Any]) -> None:
        """Change the arguments as the call changed them."""
        places, changed = reply.meta.get("changed", []), reply.meta.get("modules", [])
        require(isinstance(places, list) and isinstance(changed, list), "list of changes")
        require(len(reply.payloads) == 1 + len(places) + len(changed), "list of changes")
        for count, place in enumerate(places, start=1):
            require(type(place) is int and 0 <= place < len(values), "place of a change")
            self.change(overwrite, values[place], decode(reply.payloads[count]))
        for count, place in enumerate(changed, start=1 + len(places)):
            require(type(place) is int and 0 <= place < len(modules), "place of a change")
            self.change(set_state, modules[place], decode(reply.payloads[count]))

    def change(self, how: Callable[[Any, Any], None], old: Any, new: Any) -> None:
        """Change an argument as a call of the learner's did; where that is impossible, note it.

        An honest call may add a column to a table, or write to what is read-only here. A test that
        does not look at it passes.
        """
        try:
            how(old, new)
        except Exception as error:  # of a library, for a change that may be anything
            log.debug("a change of an argument: %s", one_line(error))
            self.limits.append(f"a call changed a {type(old).__name__} as the test cannot see")

    def handle(self, message: Message) -> Message:
        """Call a function of a test that was passed to the current call."""
        require(message.meta.get("verb") == "call" and message.payloads, "verb")
        function = self.local(message.meta.get("object"))
        arguments = [self.value(payload) for payload in message.payloads]
        self.version += 1
        require(isinstance(arguments[0], dict), "arguments")
        require(all(isinstance(name, str) for name in arguments[0]), "arguments")
        result = function(*arguments[1:], **arguments[0])
        with self.modules_of_their_own():
            return Message("reply", self.context(), [encode(result, self.refer)])

    def end(self) -> None:
        """End the cell: its functions are no longer exported."""
        self.limits, self.unsendable = [], set()
        self.references, self.standing, self.lent = {}, {}, set()
        self.exported.clear()
        self.numbers.clear()
        with contextlib.suppress(TransportClosed):
            self.transport.send(Message("end"))

    def refer(self, value: Any, node: Callable[[Any], Node]) -> list[Any] | None:
        """Return the fields of the "remote" node for a value that is not data."""
        if isinstance(value, Origin):
            self.leaves.append(value.tensor)
            return ["leaf", len(self.leaves) - 1]
        if (number := number_of(value, self)) is not None:
            return ["local", number]
        if isinstance(value, tuple):
            name = name_of(type(value))
            return ["named_tuple", *name, *map(node, value)] if name else None
        if name := name_of(value):
            return ["name", *name]
        torch = sys.modules.get("torch")
        if torch and isinstance(value, torch.nn.Module):
            return self.refer_module(value, node)
        if isinstance(value, type) or not callable(value):
            raise Unsendable(f"a test cannot pass a {type(value).__name__} to the learner's work")
        return ["ref", self.export(value), "function", getattr(value, "__name__", "function")]

    def refer_module(self, module: Any, node: Callable[[Any], Node]) -> list[Any]:
        """Return the fields for a module: by value where its class can be imported."""
        if name_of(type(module)) is None:
            return ["ref", self.export(module), "module", type(module).__name__]
        if not self.inside:
            self.modules.append(module)
        with self.within_module():
            return module_by_value(module, node)

    def resolve(self, fields: list[Any], value: Callable[[Node], Any]) -> Any:
        """Return what arrives and is not data: a proxy, or an object of the test's own."""
        kind_of_reference, *rest = fields
        if kind_of_reference == "local":
            require(len(rest) == 1, "reference")
            return self.local(rest[0])
        if kind_of_reference == "origin":
            require(len(rest) == 2 and type(rest[0]) is int, "origin")
            return import_nets().with_origin(self, *rest)
        require(kind_of_reference == "ref" and len(rest) == 4, "reference")
        number, kind, name, details = rest
        require(isinstance(name, str), "name")
        name = name if name.isidentifier() and len(name) <= 100 else "unnamed"
        return self.proxy(number, lambda: self.new_proxy(number, kind, name, value(details)))

    def new_proxy(self, number: int, kind: Any, name: str, details: Any) -> Any:
        """Return a new proxy for an object of this kind."""
        if kind == "module":
            return import_nets().ModuleProxy.of(self, number, name, "")
        if kind == "optimizer":
            return import_nets().OptimizerProxy(self, number, details)
        require(kind in PROXY_KINDS, "kind")
        return make_proxy(self, number, kind, name)


def is_unicode(text: str) -> bool:
    """Whether a text can be written to any file: half of a surrogate pair cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# Read before kernels are forked: a confined kernel may not see the file.
NETS: Any = importlib.util.find_spec("autograder.examiner.nets")
NETS_CODE = NETS.loader.get_code(NETS.name)


def import_nets() -> Any:
    """Return the module of proxies that need torch: a course need not use it."""
    module = sys.modules.get(NETS.name)
    if module is None:
        module = importlib.util.module_from_spec(NETS)
        exec(NETS_CODE, vars(module))
        sys.modules[NETS.name] = module
    return module
