"""Calls over the wire: what a kernel shows to the other, and what it does when it is asked.

    Examiner    asks; hands out what the answers' kernel shows as stand-ins. Of its own things it
                shows functions alone, those that a test passed to a call, and only to be called.
    Answers     answers: runs what the learner wrote, never sees a test

An "ask" has a number and a verb, and gets an "answer" or an "error" with that number; meanwhile
the other side may ask back. Arguments and results travel by value (codec), functions and objects
by reference. What a call changed in its arguments comes back with its answer.
"""

from __future__ import annotations

import builtins
import collections.abc
import contextlib
import copy
import hashlib
import importlib
import io
import linecache
import random
import sys
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from autograder.examiner.codec import (
    CodecError,
    Message,
    Node,
    Origin,
    Parcel,
    decode,
    encode,
    need,
)
from autograder.examiner.transport import Wire, WireLost

SHOWN = 100_000  # things that one side may show at a time
NESTED = 40  # calls within calls
WORDS = 10_000  # characters of an error that travel
PRINTED = 10_000  # characters of what is printed meanwhile that are kept
SPECIAL = ("__len__", "__iter__", "__next__", "__getitem__", "__contains__", "__call__")


class Peer:
    """What both sides have: numbered questions, and tables of what is shown."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.number = 0
        self.depth = 0
        self.inside = 0  # nets around what is encoded or decoded
        self.shown: dict[int, list[Any]] = {}  # by number: the thing, how often it was sent
        self.numbers: dict[int, int] = {}  # by id() of a thing that is shown: its number
        self.last_shown = 0
        self.seen: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()
        self.received: dict[int, int] = {}  # by number of what is seen: how often it came
        self.released: dict[int, int] = {}
        self.leaves: list[Any] = []  # tensors of the question at hand that take gradients
        self.nets: list[Any] = []  # torch's modules that went along with it by value

    @contextlib.contextmanager
    def within(self) -> Iterator[None]:
        """What is encoded or decoded here belongs to a net."""
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    # Questions

    def ask(
        self, verb: str, meta: dict[str, Any] | None = None, parcels: list[Parcel] | None = None
    ) -> Message:
        """The answer to a question; raises what the other side raised."""
        self.number += 1
        number, released = self.number, self.released
        self.released = {}
        meta = {**(meta or {}), "number": number, "verb": verb, "released": [*released.items()]}
        self.wire.send(Message("ask", meta, parcels or []))
        while True:
            message = self.hear()
            if message.kind == "ask":
                self.reply(message)
            elif message.meta.get("number") == number and message.kind in ("answer", "error"):
                if message.kind == "error":
                    raise self.error(message)
                return message
            # else an answer to what was given up in the meantime

    def hear(self) -> Message:
        """The next message that is one."""
        while True:
            with contextlib.suppress(CodecError):
                return self.wire.receive()

    def reply(self, message: Message) -> None:
        """Do what is asked, and say what came of it."""
        number = message.meta.get("number")
        self.depth += 1
        try:
            if self.depth > NESTED:
                raise RecursionError("calls from kernel to kernel are nested too deeply")
            self.release(message.meta.get("released", []))
            answer = self.do(message)
            answer.kind, answer.meta = "answer", {**answer.meta, "number": number}
            self.wire.send(answer)
        except WireLost:
            raise
        except BaseException as error:  # whatever it is, it is for who asked
            self.wire.send(self.said(error, number))
        finally:
            self.depth -= 1

    def do(self, message: Message) -> Message:
        """What comes of a question."""
        raise NotImplementedError

    def said(self, error: BaseException, number: Any) -> Message:
        """An error, by type and words."""
        kinds = [kind.__name__ for kind in type(error).__mro__[:-1]]
        plain = all(isinstance(each, (str, int, float, type(None))) for each in error.args)
        words = error.args if plain and len(str(error)) <= WORDS else (text_of(error),)
        meta = {"number": number, "kinds": kinds, "where": where(error)}
        return Message("error", meta, [encode(list(words))])

    def error(self, message: Message) -> BaseException:
        """The error that the other side had, as one of Python's own kinds."""
        kinds, parcels = message.meta.get("kinds"), message.parcels
        words = decode(parcels[0]) if len(parcels) == 1 else []
        if not isinstance(kinds, list) or not isinstance(words, list):
            raise CodecError("an error has no kind, or no words")
        return remade(kinds, words, message.meta.get("where"))

    def value(self, parcel: Parcel) -> Any:
        """What arrived, of things that are no data what resolve() makes of them."""
        return decode(parcel, self.resolve)

    def resolve(self, words: list[Any], value: Callable[[Node], Any]) -> Any:
        """What arrives and is no data."""
        raise NotImplementedError

    # What is shown

    def show(self, thing: Any) -> int:
        """The number under which the other side knows a thing."""
        if id(thing) not in self.numbers:
            if len(self.shown) >= SHOWN:
                raise CodecError("too many objects are in use at a time")
            self.last_shown += 1
            self.numbers[id(thing)] = self.last_shown
            self.shown[self.last_shown] = [thing, 0]
        number = self.numbers[id(thing)]
        self.shown[number][1] += 1
        return number

    def thing(self, number: Any) -> Any:
        """What is shown under a number."""
        need(type(number) is int and number in self.shown, "number of a thing")
        return self.shown[number][0]

    def release(self, counts: Any) -> None:
        """Forget what the other side holds no longer."""
        need(isinstance(counts, list), "list of what is released")
        for pair in counts:
            need(isinstance(pair, list) and len(pair) == 2, "list of what is released")
            number, count = pair
            entry = self.shown.get(number) if type(number) is int else None
            if entry and type(count) is int:
                entry[1] -= count
                if entry[1] <= 0:
                    del self.numbers[id(entry[0])], self.shown[number]

    def gone(self, number: int) -> None:
        """Called when the last stand-in for what the other side shows is gone."""
        if count := self.received.pop(number, 0):
            self.released[number] = self.released.get(number, 0) + count

    def see(self, number: Any, make: Callable[[], Any]) -> Any:
        """The stand-in for what the other side shows under a number: always the same."""
        need(type(number) is int, "number of a thing")
        found = self.seen.get(number)
        if found is None:
            found = self.seen[number] = make()
            weakref.finalize(found, self.gone, number).atexit = False
        self.received[number] = self.received.get(number, 0) + 1
        return found


class Examiner(Peer):
    """The side of the tests."""

    def __init__(self, wire: Wire) -> None:
        super().__init__(wire)
        self.after: dict[str, bytes] = {}  # dice as they were after the last question
        self.version = 0  # of all that the learner's nets hold: counts questions

    def names(self, names: list[str]) -> dict[str, Any]:
        """What the learner's kernel has under these names; those that it has not are missing."""
        answer = self.ask("names", {"names": names})
        found = answer.meta.get("names")
        need(isinstance(found, list) and len(found) == len(answer.parcels), "list of names")
        assert isinstance(found, list)
        need(set(map(str, found)) <= set(names), "list of names")
        return {
            name: self.value(parcel) for name, parcel in zip(found, answer.parcels, strict=True)
        }

    def call(self, verb: str, *given: Any, meta: dict[str, Any], **named: Any) -> Any:
        """What comes of a question with arguments, and what it did to them."""
        __tracebackhide__ = True
        outer, self.leaves, self.nets = (self.leaves, self.nets), [], []
        try:
            values = [*given, *named.values()]
            parcels = [encode(value, self.refer) for value in values]
            leaves, nets = self.leaves, self.nets
            meta = {**meta, "given": len(given), "named": [*named], **self.mood()}
            answer = self.ask(verb, meta, parcels)
            self.version += 1
            self.leaves = leaves
            if not answer.parcels:
                raise CodecError("an answer is empty")
            self.change(answer, values, nets)
            return self.value(answer.parcels[0])
        finally:
            self.leaves, self.nets = outer
            self.after = roll()

    def mood(self) -> dict[str, Any]:
        """Whether gradients are wanted; seeds, where dice were thrown or set since the last call.

        Seeds follow from this kernel's dice, and say nothing about them.
        """
        torch = sys.modules.get("torch")
        mood: dict[str, Any] = {"gradients": torch.is_grad_enabled() if torch else True}
        now = dice()
        changed = {name: state for name, state in now.items() if self.after.get(name) != state}
        if changed:
            mood["seeds"] = {name: seed_of(state) for name, state in changed.items()}
        return mood

    def change(self, answer: Message, values: list[Any], nets: list[Any]) -> None:
        """Do to the arguments what the call did to them."""
        places, changed = answer.meta.get("changed", []), answer.meta.get("nets", [])
        need(isinstance(places, list) and isinstance(changed, list), "list of changes")
        need(len(answer.parcels) == 1 + len(places) + len(changed), "list of changes")
        if not places and not changed:
            return
        changes = part("state")
        for count, place in enumerate(places, start=1):
            need(type(place) is int and 0 <= place < len(values), "place of a change")
            changes.overwrite(values[place], decode(answer.parcels[count]))
        for count, place in enumerate(changed, start=1 + len(places)):
            need(type(place) is int and 0 <= place < len(nets), "place of a change")
            changes.set_state(nets[place], decode(answer.parcels[count]))

    def do(self, message: Message) -> Message:
        """A function of the examiner's is called: one that was passed to the call at hand."""
        need(message.meta.get("verb") == "call" and message.parcels, "verb")
        thing = self.thing(message.meta.get("thing"))
        arguments = [self.value(parcel) for parcel in message.parcels]
        self.version += 1
        need(isinstance(arguments[0], dict), "arguments")
        need(all(isinstance(name, str) for name in arguments[0]), "arguments")
        result = thing(*arguments[1:], **arguments[0])
        return Message("answer", self.mood(), [encode(result, self.refer)])

    def end(self) -> None:
        """The cell is over: its functions are shown no longer."""
        self.shown.clear()
        self.numbers.clear()
        with contextlib.suppress(WireLost):
            self.wire.send(Message("end"))

    def refer(self, thing: Any, node: Callable[[Any], Node]) -> list[Any] | None:
        """How something is sent that is no data."""
        standins = part("proxies")
        if isinstance(thing, Origin):
            self.leaves.append(thing.tensor)
            return ["leaf", len(self.leaves) - 1]
        if (number := standins.stands_for(thing, self)) is not None:
            return ["home", number]
        if isinstance(thing, tuple):
            return importable(thing, node)
        if name := name_of(thing):
            return ["name", *name]
        torch = sys.modules.get("torch")
        if torch and isinstance(thing, torch.nn.Module):
            if importable_class(type(thing)):
                changes = part("state")
                if not self.inside:
                    self.nets.append(thing)
                with self.within():
                    return changes.net_by_value(thing, node)
            return ["ref", self.show(thing), "net", type(thing).__name__]
        if isinstance(thing, type) or not callable(thing):
            raise CodecError(f"a test cannot pass a {type(thing).__name__} to the learner's work")
        return ["ref", self.show(thing), "function", getattr(thing, "__name__", "function")]

    def resolve(self, words: list[Any], value: Callable[[Node], Any]) -> Any:
        """What arrives and is no data: a stand-in, or something of the examiner's own."""
        standins = part("proxies")
        word, *rest = words
        if word == "home":
            need(len(rest) == 1, "reference")
            return self.thing(rest[0])
        if word == "origin":
            need(len(rest) == 2 and type(rest[0]) is int, "origin")
            return standins.with_origin(self, *rest)
        need(word == "ref" and len(rest) == 4, "reference")
        number, kind, name, more = rest
        need(isinstance(name, str), "name")
        name = name if name.isidentifier() and len(name) <= 100 else "unnamed"
        return self.see(number, lambda: standins.make(self, number, kind, name, value(more)))


class Answers(Peer):
    """The side of the answers. `names` are the learner's."""

    def __init__(self, wire: Wire, names: dict[str, Any]) -> None:
        super().__init__(wire)
        self.user = names
        self.stopped = False

    def serve(self) -> str:
        """Answer until the examiner says that it is enough; what was printed meanwhile."""
        self.stopped = False
        said = Bounded()
        with (
            contextlib.redirect_stdout(said),
            contextlib.redirect_stderr(said),
            contextlib.suppress(WireLost, KeyboardInterrupt),
        ):
            while not self.stopped:
                message = self.hear()
                if message.kind == "end":
                    break
                if message.kind == "ask":
                    self.reply(message)
        return said.getvalue()

    def hear(self) -> Message:
        message = super().hear()
        if message.kind == "end" and self.depth:
            self.stopped = True
            raise WireLost("the test is over")
        return message

    def do(self, message: Message) -> Message:
        meta = message.meta
        verbs = {
            "names": self.found, "tree": self.tree, "backward": self.backward,
            "call": self.called, "get": self.called, "method": self.called, "helper": self.called,
            "copy": self.called, "set": self.called,
        }  # fmt: skip
        return verbs[meta["verb"]](message)

    def found(self, message: Message) -> Message:
        """Values of the learner's names."""
        names, parcels = [], []
        for name in message.meta["names"]:
            if name in self.user:
                with contextlib.suppress(CodecError):
                    parcels.append(encode(self.user[name], self.refer))
                    names.append(name)
        return Message("answer", {"names": names}, parcels)

    def tree(self, message: Message) -> Message:
        """What a net is made of, and holds."""
        changes = part("state")
        return Message(
            "answer", {}, [encode(changes.tree_of(self.thing(message.meta["thing"]), self.show))]
        )

    def backward(self, message: Message) -> Message:
        """Gradients that go back through what a call computed; those of its arguments."""
        import torch

        result, leaves = self.thing(message.meta["thing"])
        torch.autograd.backward(result, decode(message.parcels[0]), retain_graph=True)
        gradients = [leaf.grad for leaf in leaves]
        for leaf in leaves:
            leaf.grad = None
        return Message("answer", {}, [encode(gradients)])

    def called(self, message: Message) -> Message:
        """What a function, method, attribute or helper gives, and what it did to its arguments."""
        meta = message.meta
        self.set_mood(meta)
        outer, self.leaves, self.nets = (self.leaves, self.nets), [], []
        try:
            values = [self.value(parcel) for parcel in message.parcels]
            leaves, nets = self.leaves, self.nets
            before = [encode(part("state").state_of(net)) for net in nets]
            given, named = values[: meta["given"]], values[meta["given"] :]
            function = self.function(meta)
            with gradients(meta.get("gradients", True)):
                result = function(*given, **dict(zip(meta["named"], named, strict=True)))
            self.leaves = leaves
            parcels = [encode(result, self.refer)]
            changed = []
            for place, (value, came) in enumerate(zip(values, message.parcels, strict=True)):
                if (now := self.changed(value, came)) is not None:
                    changed.append(place)
                    parcels.append(now)
            moved = []
            for place, (net, then) in enumerate(zip(nets, before, strict=True)):
                now = encode(part("state").state_of(net))
                if not now.same(then):
                    moved.append(place)
                    parcels.append(now)
            return Message("answer", {"changed": changed, "nets": moved}, parcels)
        finally:
            self.leaves, self.nets = outer

    def changed(self, value: Any, came: Parcel) -> Parcel | None:
        """An argument that is data and no longer as it came."""
        if came.node is None or isinstance(came.node, (bool, int, float, str)):
            return None

        def same_leaf(thing: Any, node: Any) -> list[Any] | None:
            if not isinstance(thing, Origin):
                raise CodecError("no data")
            places = [k for k, leaf in enumerate(self.leaves) if leaf is thing.tensor]
            return ["leaf", places[0]] if places else None

        try:
            now = encode(value, same_leaf)
        except CodecError:
            return None
        return None if now.same(came) else encode(value)

    def function(self, meta: dict[str, Any]) -> Callable[..., Any]:
        """What is to be called."""
        verb, name = meta["verb"], meta.get("name", "")
        if verb == "helper":
            found: Callable[..., Any] = getattr(importlib.import_module(meta["module"]), name)
            return found
        thing = self.thing(meta["thing"])
        if verb == "get":
            return lambda: getattr(thing, name)
        if verb == "set":
            changes = part("state")
            return lambda settings: changes.set_settings(thing, settings)
        if verb == "copy":
            return lambda: copy.deepcopy(thing)
        if verb == "method":
            if name in SPECIAL:  # as Python does: of the class
                if not hasattr(type(thing), name):
                    raise TypeError(f"a {type(thing).__name__} has no {name}")
                return lambda *given, **named: getattr(type(thing), name)(thing, *given, **named)
            method: Callable[..., Any] = getattr(thing, name)
            return method
        return lambda *given, **named: thing(*given, **named)

    def set_mood(self, meta: dict[str, Any]) -> None:
        for name, seed in meta.get("seeds", {}).items():
            SEED[name](seed)

    def refer(self, thing: Any, node: Callable[[Any], Node]) -> list[Any] | None:
        """How something is sent that is no data."""
        if isinstance(thing, Origin):
            return ["origin", self.show((thing.tensor, self.leaves))]
        if isinstance(thing, tuple):
            return None
        if isinstance(thing, types.ModuleType):
            raise CodecError(f"{thing.__name__} is a module: a locked set-up cell should import it")
        if type(thing).__name__ in ("function", "FarNet") and thing in FAR:
            return ["home", FAR[thing]]
        kind, name, more = described(thing)
        return ["ref", self.show(thing), kind, name, node(more)]

    def resolve(self, words: list[Any], value: Callable[[Node], Any]) -> Any:
        """What arrives from the examiner and is no data."""
        word, *rest = words
        if word == "home":
            return self.thing(rest[0])
        if word == "leaf":
            self.leaves.append(rest[1].requires_grad_())
            return rest[1]
        if word == "name":
            return by_name(*rest)
        if word == "named":
            return by_name(*rest[:2])(*map(value, rest[2:]))
        if word == "net":
            changes = part("state")
            with self.within():
                net = changes.net_from(by_name(*rest[:2]), value(rest[2]))
            if not self.inside:
                self.nets.append(net)
            return net
        number, kind, name = rest
        return self.see(number, lambda: self.far(number, kind, name))

    def far(self, number: int, kind: str, name: str) -> Any:
        """A function, or a net, of the examiner's that can be called."""

        def call(*given: Any, **named: Any) -> Any:
            parcels = [encode(value, self.refer) for value in (named, *given)]
            answer = self.ask("call", {"thing": number}, parcels)
            self.set_mood(answer.meta)
            return self.value(answer.parcels[0])

        if kind == "net":
            changes = part("state")
            made = changes.far_net(call)
        else:
            made = call
            call.__name__ = call.__qualname__ = name
        FAR[made] = number
        return made


LATER: dict[str, Any] = {}  # parts that are imported where they are needed, for they need torch


def part(name: str) -> Any:
    """A module of this package; known also where nobody can import it any more."""
    if name not in LATER:
        LATER[name] = importlib.import_module(f"autograder.examiner.{name}")
    return LATER[name]


# Functions and nets of the examiner's in the answers' kernel: their numbers.
FAR: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()


class Bounded(io.StringIO):
    """Keeps the beginning of what is written."""

    def write(self, text: str) -> int:
        super().write(text[: max(0, PRINTED - self.tell())])
        return len(text)


def described(thing: Any) -> tuple[str, str, Any]:
    """Kind and name of something that is shown, and what more is to be said of it."""
    torch = sys.modules.get("torch")
    name = getattr(thing, "__name__", None)
    if torch and isinstance(thing, torch.nn.Module):
        return "net", type(thing).__name__, None
    if torch and isinstance(thing, torch.optim.Optimizer):
        changes = part("state")
        return "optimizer", type(thing).__name__, changes.settings_of(thing)
    if isinstance(thing, type):
        return "class", thing.__name__, None
    if callable(thing) and isinstance(name, str):
        return "function", name, None
    if isinstance(thing, collections.abc.Iterator):
        return "iterator", type(thing).__name__, None
    return "object", type(thing).__name__, None


def name_of(thing: Any) -> tuple[str, str] | None:
    """Module and name of a function or class that any kernel can import; of set-up cells, none."""
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not isinstance(thing, (type, types.FunctionType, types.BuiltinFunctionType)):
        return None
    if not isinstance(module, str) or not isinstance(name, str) or module == "__main__":
        return None
    try:
        return (module, name) if by_name(module, name) is thing else None
    except (ImportError, AttributeError):
        return None


def importable_class(kind: type) -> bool:
    """Whether any kernel can import this class."""
    return name_of(kind) is not None


def importable(thing: tuple[Any, ...], node: Callable[[Any], Node]) -> list[Any] | None:
    """A tuple with names whose class can be imported."""
    name = name_of(type(thing))
    return ["named", *name, *map(node, thing)] if name else None


def by_name(module: str, name: str) -> Any:
    """What can be imported under a name; for what the examiner sends."""
    found: Any = importlib.import_module(module)
    for each in name.split("."):
        found = getattr(found, each)
    return found


# Errors


def text_of(error: BaseException) -> str:
    """The words of an error, also of one whose words cannot be had."""
    try:
        return str(error)[:WORDS]
    except Exception:  # str() of the learner's own class may raise anything
        return ""


def where(error: BaseException) -> str:
    """The last lines of the learner's cells that an error passed through."""
    lines = []
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if "ipykernel_" in name:
            text = linecache.getline(name, trace.tb_lineno).strip()
            lines.append(f"{trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}: {text}"[:200])
        trace = trace.tb_next
    return "\n".join(lines[-5:])


def remade(kinds: list[Any], words: list[Any], place: Any) -> BaseException:
    """An error of the first of these kinds that is Python's own, under the name of the first."""
    names = [name for name in kinds[:20] if isinstance(name, str)]
    own = [getattr(builtins, name, None) for name in names]
    known = [kind for kind in own if isinstance(kind, type) and issubclass(kind, Exception)]
    kind = known[0] if known else RuntimeError
    if names and names[0] != kind.__name__ and names[0].isidentifier():
        kind = type(names[0][:100], (kind,), {"__module__": "builtins"})
    try:
        error: BaseException = kind(*words)
        str(error)
    except Exception:  # UnicodeDecodeError and the like want other arguments than they show
        error = RuntimeError(*words)
    if isinstance(place, str) and place:
        error.add_note(f"In the answers:\n{place[:1000]}")
    return error


# Dice


def dice() -> dict[str, bytes]:
    """The state of each generator of random numbers that tests and answers share."""
    state = np.random.get_state()
    found = {"random": repr(hash(random.getstate())).encode(), "numpy": numpy_state(state)}
    if torch := sys.modules.get("torch"):
        with torch._C.DisableTorchFunction():
            found["torch"] = torch.default_generator.get_state().numpy().tobytes()
    return found


def numpy_state(state: Any) -> bytes:
    return b"".join([state[1].tobytes(), repr(state[2:]).encode()])


def roll() -> dict[str, bytes]:
    """The dice after one throw of each: whoever sets them to where they were, changes them."""
    random.random()
    np.random.random()
    if torch := sys.modules.get("torch"):
        with torch._C.DisableTorchFunction():
            torch.rand(1, device="cpu")
    return dice()


def seed_of(state: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(state, digest_size=4).digest(), "little")


def seed_torch(seed: int) -> None:
    import torch

    torch.manual_seed(seed)


SEED: dict[str, Callable[[int], None]] = {
    "random": random.seed, "numpy": np.random.seed, "torch": seed_torch,
}  # fmt: skip


@contextlib.contextmanager
def gradients(wanted: bool) -> Iterator[None]:
    """With or without gradients, where there is torch."""
    torch = sys.modules.get("torch")
    with torch.set_grad_enabled(wanted) if torch else contextlib.nullcontext():
        yield
