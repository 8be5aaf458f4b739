"""Whatever a submission kernel sends: the test kernel refuses it by CodecError, or it is data.

A submission may write to the socket itself. Its messages reach resolve() and the proxies by a
reply to "names", overwrite() and set_state() by a reply to a call, read_tree() by a reply to
"tree", release() and the functions of a test by requests of its own.
"""

from __future__ import annotations

import contextlib
import json
import signal
import socket
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from autograder.examiner.codec import HEAD, MAGIC, CodecError, Payload, encode
from autograder.examiner.examiner_side import ExaminerEndpoint
from autograder.examiner.nets import ModuleProxy
from autograder.examiner.proxies import Proxy
from autograder.examiner.state import state_of
from autograder.examiner.transport import Transport, TransportClosed

REFUSED = (CodecError, TransportClosed)
SECONDS = 5  # in which the answer to one message is over
ROOM = 100_000  # bytes that the socket takes while nobody reads

EXAMPLES = settings(
    max_examples=200, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large,
                           HealthCheck.filter_too_much],
)  # fmt: skip

# Values that are data, of every kind that a reply may hold where another one is expected.
DTYPES = [torch.float32, torch.float64, torch.int64, torch.bool, torch.complex64, torch.bfloat16]
SHAPES = [(), (0,), (2,), (3,), (2, 3), (3, 2)]


def tensor(dtype: torch.dtype, shape: tuple[int, ...], device: str, grad: bool) -> torch.Tensor:
    """Return a tensor that requires gradients if it can."""
    made = torch.ones(shape, dtype=dtype, device=device)
    return made.requires_grad_(grad and (dtype.is_floating_point or dtype.is_complex))


TENSORS = st.builds(
    tensor,
    st.sampled_from(DTYPES),
    st.sampled_from(SHAPES),
    st.sampled_from(["cpu", "cpu", "meta"]),
    st.booleans(),
)
ARRAYS = st.builds(
    lambda name, shape: np.ones(shape).astype(name),
    st.sampled_from(["float32", "int8", "bool", "complex128", "object", "str"]),
    st.sampled_from(SHAPES),
)
TABLES = st.sampled_from(
    [pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": ["x", None]}), pd.DataFrame(), pd.Series([1])]
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-2, 4) | st.floats() | st.text(max_size=3)
    | st.sampled_from([2**63, 10**30, np.float32(1), "weight", "Linear", "class", "\udc80"])
)  # fmt: skip
DATA = st.recursive(
    SCALARS | TENSORS | ARRAYS | TABLES,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.dictionaries(st.sampled_from(["a", "b", 1]), inner, max_size=3)
        | st.sets(st.integers(0, 3))
    ),
    max_leaves=5,
)
# What no encoder makes: JSON in the place of a node.
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 4) | st.text(max_size=3) | st.just("\ud800"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=8,
)
NUMBERS = st.integers(-1, 4)
KINDS = ["function", "class", "object", "iterator", "module", "optimizer", "net", ""]
DETAILS = JSON | st.just(encode({"defaults": {}, "groups": [{"lr": 1.0}]}).node)
REMOTE = st.one_of(
    st.builds(
        lambda number, kind, name, details: ["remote", "ref", number, kind, name, details],
        NUMBERS,
        st.sampled_from(KINDS),
        st.sampled_from(["f", "Net", "a b", "", "x" * 1000, "None", "__class__"]),
        DETAILS,
    ),
    st.builds(lambda number, node: ["remote", "origin", number, node], NUMBERS | JSON, JSON),
    st.builds(lambda number: ["remote", "local", number], NUMBERS | JSON),
    st.builds(lambda fields: ["remote", *fields], st.lists(JSON, max_size=4)),
    st.builds(
        lambda origin: ["tensor", "float32", [1], 0, True, origin],
        st.builds(
            lambda word, number: [word, number], st.sampled_from(["origin", "leaf"]), NUMBERS
        ),
    ),
)


def payload_of(value: object) -> Payload:
    """Return the payload of data, or of nothing where it cannot be sent."""
    try:
        return encode(value)
    except CodecError:
        return Payload(None)


def changed(payload: Payload, places: list[int], node: Any) -> Payload:
    """Return a payload of which one part, at these places, is another node."""
    root = [json.loads(json.dumps(payload.node))]
    holder, key = root, 0
    for place in places:
        inner = holder[key]
        if isinstance(inner, list) and inner:
            holder, key = inner, place % len(inner)
    holder[key] = node
    return Payload(root[0], payload.buffers)


PAYLOADS = st.one_of(
    st.builds(payload_of, DATA),
    st.builds(lambda node: Payload(node, [bytes(4), bytes(8)]), REMOTE | JSON),
    st.builds(
        changed, st.builds(payload_of, DATA), st.lists(st.integers(0, 5), max_size=4), REMOTE | JSON
    ),
)


def frame(kind: Any, meta: Any, payloads: list[Payload]) -> bytes:
    """Return a frame that no Transport need be able to send."""
    buffers = [bytes(buffer) for payload in payloads for buffer in payload.buffers]
    listed = [[payload.node, [len(buffer) for buffer in payload.buffers]] for payload in payloads]
    # As ASCII: a lone surrogate travels too.
    header = json.dumps({"kind": kind, "meta": meta, "payloads": listed}).encode()
    return HEAD.pack(MAGIC, len(header), sum(map(len, buffers))) + header + b"".join(buffers)


@contextlib.contextmanager
def told(*frames: bytes) -> Iterator[ExaminerEndpoint]:
    """An endpoint to whose requests these frames are all that ever arrives."""
    here, there = socket.socketpair()
    with here, there:
        data = b"".join(frames)
        if len(data) < ROOM:
            there.sendall(data)
        there.shutdown(socket.SHUT_WR)
        endpoint = ExaminerEndpoint(Transport(here.detach()))
        signal.signal(signal.SIGALRM, too_long)
        signal.alarm(SECONDS)
        try:
            yield endpoint
        finally:
            signal.alarm(0)
            endpoint.transport.close()


def too_long(*_: object) -> None:
    raise AssertionError(f"this is not over in {SECONDS} s")


def look_at(value: Any) -> None:
    """Do with what arrived what tests do."""
    if isinstance(value, ModuleProxy):
        for look in (nn.Module.named_parameters, nn.Module.named_modules, nn.Module.state_dict):
            with contextlib.suppress(*REFUSED):
                list(look(value))
        with contextlib.suppress(*REFUSED):
            repr(value)
    elif isinstance(value, Proxy):
        with contextlib.suppress(TypeError, *REFUSED):
            assert value == value, "a proxy is itself"
        repr(value)
    elif isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            look_at(each)


META = st.fixed_dictionaries(
    {"number": st.just(1) | JSON},
    optional={
        "names": st.just(["x"]) | JSON,
        "changed": st.lists(NUMBERS, max_size=3) | JSON,
        "modules": st.lists(NUMBERS, max_size=2) | JSON,
        "classes": st.lists(st.sampled_from(["ValueError", "Odd", "SystemExit", "x y", "__doc__"]))
        | JSON,
        "frames": JSON,
    },
)
REPLIES = st.builds(frame, st.just("reply"), META, st.lists(PAYLOADS, max_size=4))
REQUESTS = st.builds(
    frame,
    st.just("request") | JSON,
    st.fixed_dictionaries(
        {"number": JSON, "verb": st.just("call") | JSON, "object": NUMBERS | JSON},
        optional={"released": st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3) | JSON},
    ),
    st.lists(PAYLOADS | st.just(encode({})), max_size=3),
)


@EXAMPLES
@given(st.lists(REQUESTS, max_size=2), PAYLOADS)
def test_a_name_is_data_or_a_proxy_or_refused(requests: list[bytes], payload: Payload) -> None:
    reply = frame("reply", {"number": 1, "names": ["x"]}, [payload])
    with told(*requests, reply) as endpoint, contextlib.suppress(*REFUSED):
        look_at(endpoint.names(["x"])["x"])


@EXAMPLES
@given(st.lists(REQUESTS, max_size=2), REPLIES)
def test_any_reply_to_a_call_is_a_result_or_refused(requests: list[bytes], reply: bytes) -> None:
    with told(*requests, reply) as endpoint, contextlib.suppress(*REFUSED):
        called = endpoint.call("call", [1], lambda *_, **__: None, meta={"object": 1})
        look_at(called)


ARGUMENTS: list[Callable[[], Any]] = [
    lambda: torch.zeros(2, 3),
    lambda: torch.zeros(2, 3, requires_grad=True),
    lambda: torch.zeros(2, dtype=torch.int64),
    lambda: nn.Parameter(torch.zeros(3)),
    lambda: torch.zeros(2, 3, requires_grad=True) * 2,
    lambda: np.zeros((2, 3)),
    lambda: np.zeros(2, dtype=np.int8),
    lambda: [torch.zeros(2), np.zeros(3), [1], {"a": np.zeros(2)}],
    lambda: {"a": torch.zeros(3, requires_grad=True), "b": [1, {2}], 1: None},
    lambda: {1, 2},
    lambda: (torch.zeros(2), [1]),
    lambda: pd.DataFrame({"a": [1, 2]}),
    lambda: np.array(["a", None]),
    lambda: 3,
]


@EXAMPLES
@given(st.sampled_from(ARGUMENTS), st.builds(payload_of, DATA) | PAYLOADS)
def test_an_argument_becomes_what_came_or_that_is_refused(
    argument: Callable[[], Any], payload: Payload
) -> None:
    reply = frame("reply", {"number": 1, "changed": [0]}, [Payload(None), payload])
    with told(reply) as endpoint, contextlib.suppress(*REFUSED):
        endpoint.call("call", argument(), meta={"object": 1})


NAMES = ["weight", "bias", "0.weight", "0.bias", "1.running_mean", "1.num_batches_tracked", ""]
STATES = st.fixed_dictionaries(
    {
        key: st.dictionaries(st.sampled_from(NAMES), inner, max_size=4) | DATA
        for key, inner in (
            ("values", TENSORS | DATA),
            ("requires_grad", st.booleans() | DATA),
            ("gradients", st.none() | TENSORS | ARRAYS | DATA),
            ("modes", st.booleans() | DATA),
        )
    }
)


@EXAMPLES
@given(STATES)
def test_a_module_gets_a_state_or_refuses_it(state: dict[str, Any]) -> None:
    module = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))
    reply = frame("reply", {"number": 1, "modules": [0]}, [Payload(None), payload_of(state)])
    with told(reply) as endpoint, contextlib.suppress(*REFUSED):
        endpoint.call("call", module, meta={"object": 1})
    assert all(type(part.training) is bool for part in module.modules())
    for parameter in module.parameters():
        assert type(parameter.data) is torch.Tensor


PLACES = st.dictionaries(
    st.sampled_from(["a", "b", "weight", "a.b", ""]), st.none() | NUMBERS, max_size=2
)
ENTRIES = st.builds(
    lambda *entry: [*entry],
    st.integers(1, 3),
    st.sampled_from(["Net", "", "Linear", "a b", "mro"]) | DATA,
    st.sampled_from(["Linear", "", "Conv2d"]) | DATA,
    st.booleans() | DATA,
    PLACES | DATA,
    PLACES | DATA,
    PLACES | DATA,
)


def tree(pairs: list[tuple[Any, Any]], modules: Any) -> dict[str, Any]:
    """Return a tree, of which each tensor has a gradient or something else."""
    tensors, gradients = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    return {"tensors": tensors, "gradients": gradients, "modules": modules}


FAIR = st.builds(
    lambda number, places, parts: [number, "Net", "", True, places, {}, parts],
    st.integers(1, 3),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 1), max_size=2),
    st.dictionaries(st.sampled_from("ab"), st.integers(0, 2), max_size=2),
)
TREES = st.builds(
    tree,
    st.lists(st.tuples(st.none() | TENSORS | DATA, st.none() | TENSORS | ARRAYS), max_size=3),
    st.lists(ENTRIES | FAIR, max_size=3) | DATA,
) | st.builds(
    tree,
    st.lists(st.tuples(TENSORS, st.none() | TENSORS | ARRAYS), min_size=2, max_size=2),
    st.lists(FAIR, min_size=1, max_size=3),
)


@EXAMPLES
@given(TREES | DATA)
def test_a_tree_is_read_or_refused(tree: Any) -> None:
    with told(frame("reply", {"number": 1}, [payload_of(tree)])) as endpoint:
        proxy = endpoint.proxy(1, lambda: ModuleProxy.of(endpoint, 1, "Net", ""))
        look_at(proxy)


@EXAMPLES
@given(META, st.lists(PAYLOADS, max_size=2))
def test_an_error_is_an_exception_of_python_s_own(
    meta: dict[str, Any], payloads: list[Payload]
) -> None:
    with (
        told(frame("error", {**meta, "number": 1}, payloads)) as endpoint,
        pytest.raises(Exception, match=r"\A") as raised,
    ):
        endpoint.names(["x"])
    assert isinstance(raised.value, CodecError) or type(raised.value).__module__ == "builtins"
    assert not isinstance(raised.value, AssertionError), raised.value
    "\n".join([str(raised.value), *getattr(raised.value, "__notes__", [])]).encode()


# What the above found, and what only order or identity decides.


def module(number: int, parts: dict[str, int], **own: int) -> list[Any]:
    """Return the entry of a module in a tree."""
    return [number, "Net", "", True, own, {}, parts]


def whole(*modules: Any, tensors: list[Any] | None = None, gradients: Any = None) -> dict[str, Any]:
    """Return a tree of these modules, with one tensor if none are given."""
    tensors = [torch.ones(2)] if tensors is None else tensors
    return {
        "tensors": tensors,
        "gradients": [None] * len(tensors) if gradients is None else gradients,
        "modules": [*modules],
    }


@contextlib.contextmanager
def reading(tree: Any) -> Iterator[ModuleProxy]:
    """A proxy for module 1, whose tree this is."""
    with told(frame("reply", {"number": 1}, [encode(tree)])) as endpoint:
        yield endpoint.proxy(1, lambda: ModuleProxy.of(endpoint, 1, "Net", ""))


def test_a_tree_is_read() -> None:
    tree = whole(module(1, {"a": 1, "b": 1}, w=0), module(2, {}, v=0), gradients=[torch.ones(2)])
    with reading(tree) as proxy:
        assert [name for name, _ in proxy.named_modules()] == ["", "a"]
        assert proxy.a is proxy.b
        assert proxy.w is proxy.a.v
        assert proxy.w.grad.tolist() == [1, 1]
        assert type(proxy.a).__name__ == "Net"


WRONG_TREES = [
    None,
    [],
    {},
    {**whole(module(1, {})), "more": []},
    whole(),
    whole(1),
    whole(module(1, {})[:6]),
    whole([*module(1, {}), {}]),
    whole(module(1, {}), tensors=[1], gradients=[None]),
    whole(module(1, {}), tensors=(None,), gradients=[None]),
    whole(module(1, {}), tensors=[None], gradients=[]),
    whole(module(1, {}), tensors=[None], gradients=(None,)),
    {**whole(module(1, {})), "modules": (module(1, {}),)},
    whole(module(True, {})),
    whole([1, None, "", True, {}, {}, {}]),
    whole([1, "a b", "", True, {}, {}, {}]),
    whole([2, "Net", "a.b", True, {}, {}, {}]),
    whole([1, "Net", "", 1, {}, {}, {}]),
    whole([1, "Net", "", None, {}, {}, {}]),
    whole([1, "Net", "", True, [], {}, {}]),
    whole([1, "Net", "", True, {}, None, {}]),
    whole([1, "Net", "", True, {}, {}, [0]]),
    whole(module(1, {}, w=1)),
    whole(module(1, {}, w=-1)),
    whole([1, "Net", "", True, {"w": True}, {}, {}]),
    whole([1, "Net", "", True, {1: 0}, {}, {}]),
    whole([1, "Net", "", True, {}, {"w": 1}, {}]),
    whole([1, "Net", "", True, {}, {"w": 0.0}, {}]),
    whole(module(1, {"a": 1})),
    whole(module(1, {"a": -1})),
    whole(module(1, {"a": 0})),
    whole(module(1, {"a": 1}), module(2, {"a": 0})),
    whole(module(1, {"a": 1}), module(1, {})),
    whole(module(1, {}), module(1, {"a": 0})),
    whole(module(1, {}, w=0), gradients=[torch.ones(3)]),
    whole(module(1, {}, w=0), gradients=[np.ones(2)]),
    whole(module(1, {}, w=0), gradients=[torch.ones(2).double()]),
    whole(module(1, {}, w=0), gradients=[torch.ones(2, device="meta")]),
]


@pytest.mark.parametrize("tree", WRONG_TREES)
def test_a_tree_that_is_invalid_is_refused_and_leaves_no_trace(tree: Any) -> None:
    with reading(tree) as proxy:
        with pytest.raises(CodecError):
            list(proxy.named_parameters())
        assert vars(proxy)["_held"][:3] == ({}, {}, {})
        # It is asked for anew, where a test goes on all the same.
        with pytest.raises(TransportClosed):
            list(proxy.named_parameters())


def test_a_module_is_not_what_was_another_kind_before() -> None:
    node = ["list", ["remote", "ref", 1, "object", "x", None]]
    frames = [
        frame("reply", {"number": 1, "names": ["x"]}, [Payload(node)]),
        frame("reply", {"number": 2}, [encode(whole(module(2, {"a": 1}), module(1, {})))]),
    ]
    with told(*frames) as endpoint:
        [held] = endpoint.names(["x"])["x"]
        proxy = endpoint.proxy(2, lambda: ModuleProxy.of(endpoint, 2, "Net", ""))
        with pytest.raises(CodecError):
            list(proxy.named_parameters())
        assert type(held) is Proxy


@pytest.mark.parametrize(
    "node",
    [
        ["remote", "origin", 1, ["list"]],
        ["remote", "origin", 1, "x"],
        ["remote", "origin", True, None],
        ["remote", "origin", 1],
        ["tensor", "float32", [1], 0, True, ["origin", 1, 2]],
        ["tensor", "float32", [1], 0, True, ["origin", "1"]],
        ["tensor", "float32", [1], 0, True, ["leaf", 0]],
        ["remote", "leaf", 0, None],
        ["remote", "name", "os", "system"],
        ["remote", "named_tuple", "os", "stat_result"],
        ["remote", "module", "torch.nn", "Linear", ["dict"]],
        ["remote", "ref", 1, "object", "x"],
        ["remote", "ref", True, "object", "x", None],
        ["remote", "ref", "1", "object", "x", None],
        ["remote", "ref", 1, "object", None, None],
        ["remote", "ref", 1, "callable", "x", None],
        ["remote", "ref", 1, ["object"], "x", None],
        ["remote", "ref", 1, "optimizer", "x", None],
        ["remote", "ref", 1, "optimizer", "x", ["dict", "groups", ["list"]]],
        ["remote", "ref", 1, "optimizer", "x",
         ["dict", "groups", ["list"], "defaults", ["list"]]],
        ["remote", "ref", 1, "optimizer", "x",
         ["dict", "groups", ["list", 1], "defaults", ["dict"]]],
        ["remote", "ref", 1, "optimizer", "x",
         ["dict", "groups", ["tuple"], "defaults", ["dict"]]],
        ["remote", "local", 1],
        ["remote", "local", True],
        ["remote", "local"],
    ],
)  # fmt: skip
def test_a_reference_that_is_invalid_is_refused(node: Any) -> None:
    payload = Payload(node, [bytes(4)])
    with (
        told(frame("reply", {"number": 1, "names": ["x"]}, [payload])) as endpoint,
        pytest.raises(CodecError),
    ):
        endpoint.names(["x"])


@pytest.mark.parametrize(
    ("name", "shown"), [("f", "f"), ("a b", "unnamed"), ("x" * 101, "unnamed"), ("", "unnamed")]
)
def test_a_proxy_has_a_name_that_can_be_shown(name: str, shown: str) -> None:
    payload = Payload(["remote", "ref", 1, "function", name, None])
    with told(frame("reply", {"number": 1, "names": ["f"]}, [payload])) as endpoint:
        assert endpoint.names(["f"])["f"].__name__ == shown


@pytest.mark.parametrize(
    ("names", "count"), [(None, 1), ("x", 1), (["x"], 2), (["x"], 0), (["y"], 1), ([["x"]], 1)]
)
def test_names_that_nobody_asked_for_are_refused(names: Any, count: int) -> None:
    reply = frame("reply", {"number": 1, "names": names}, [Payload(1)] * count)
    with told(reply) as endpoint, pytest.raises(CodecError):
        endpoint.names(["x"])


@pytest.mark.parametrize(
    ("meta", "payloads"),
    [
        ({}, []),
        ({"changed": [0]}, [Payload(1)]),
        ({"changed": []}, [Payload(1), Payload(1)]),
        ({"changed": [2]}, [Payload(1), encode([2])]),
        ({"changed": [-1]}, [Payload(1), encode([2])]),
        ({"changed": [False]}, [Payload(1), encode([2])]),
        ({"changed": {}}, [Payload(1)]),
        ({"modules": {}}, [Payload(1)]),
        ({"modules": [0]}, [Payload(1)]),
        ({"modules": [1]}, [Payload(1), encode(state_of(nn.Linear(1, 1)))]),
        ({"modules": [-1]}, [Payload(1), encode(state_of(nn.Linear(1, 1)))]),
        ({"modules": [True]}, [Payload(1), encode(state_of(nn.Linear(1, 1)))]),
        ({"modules": ["0"]}, [Payload(1), encode(state_of(nn.Linear(1, 1)))]),
        # A change is data alone.
        ({"changed": [0]}, [Payload(1), Payload(["list", ["remote", "local", 1]])]),
    ],
)
def test_changes_of_nothing_that_was_sent_are_refused(
    meta: dict[str, Any], payloads: list[Payload]
) -> None:
    arguments = ([1], nn.Linear(1, 1))
    with (
        told(frame("reply", {"number": 1, **meta}, payloads)) as endpoint,
        pytest.raises(CodecError),
    ):
        endpoint.call("call", *arguments, meta={"object": 1})
    assert arguments[0] == [1]


def calls(*requests: tuple[dict[str, Any], list[Payload]]) -> tuple[list[Any], list[Any]]:
    """Return what a function of a test was called with, and the replies to these requests."""
    called: list[Any] = []
    here, there = socket.socketpair()
    other = Transport(there.detach())
    with here:
        endpoint = ExaminerEndpoint(Transport(here.detach()))
        for number, (meta, payloads) in enumerate(requests, start=10):
            other.socket.send(frame("request", {"number": number, **meta}, payloads))
        other.socket.send(frame("reply", {"number": 1}, [Payload(None)]))
        endpoint.call("call", lambda *args: called.append(args), meta={"object": 9})
        assert other.receive().kind == "request"
        replies = [other.receive() for _ in requests]
        endpoint.transport.close()
        other.close()
    return called, [(reply.kind, reply.meta.get("classes", [None])[0]) for reply in replies]


FINE = ("reply", None)
REFUSAL = ("error", "CodecError")
CALL = {"verb": "call", "object": 1}


@pytest.mark.parametrize(
    ("meta", "payloads", "reply"),
    [
        (CALL, [encode({}), encode(3)], FINE),
        (CALL, [], REFUSAL),
        (CALL, [encode([])], REFUSAL),
        (CALL, [encode({1: 2})], REFUSAL),
        ({**CALL, "verb": "get"}, [encode({}), encode(3)], REFUSAL),
        ({**CALL, "verb": None}, [encode({}), encode(3)], REFUSAL),
        ({**CALL, "object": 2}, [encode({}), encode(3)], REFUSAL),
        ({**CALL, "object": True}, [encode({}), encode(3)], REFUSAL),
        ({"verb": "call"}, [encode({}), encode(3)], REFUSAL),
        ({**CALL, "released": None}, [encode({}), encode(3)], REFUSAL),
        ({**CALL, "released": [1]}, [encode({}), encode(3)], REFUSAL),
        ({**CALL, "released": [[1]]}, [encode({}), encode(3)], REFUSAL),
        ({**CALL, "released": [[1, 1, 1]]}, [encode({}), encode(3)], REFUSAL),
        ({**CALL, "released": [[2, 1], ["1", 1], [[1], 1], [1, "1"], [1, True], [1, 0]]},
         [encode({}), encode(3)], FINE),
        ({**CALL, "released": [[1, -5]]}, [encode({}), encode(3)], FINE),
        ({**CALL, "released": [[1, 1]]}, [encode({}), encode(3)], REFUSAL),
    ],
)  # fmt: skip
def test_a_request_calls_a_function_of_the_test_or_is_refused(
    meta: dict[str, Any], payloads: list[Payload], reply: tuple[str, str | None]
) -> None:
    called, replies = calls((meta, payloads))
    assert replies == [reply]
    assert called == ([(3,)] if reply == FINE else [])


def test_an_error_of_half_a_character_can_be_shown() -> None:
    meta = {"number": 1, "classes": ["ValueError"], "frames": "f, line 1: \ud800"}
    with (
        told(frame("error", meta, [encode(["no"])])) as endpoint,
        pytest.raises(ValueError, match="no") as raised,
    ):
        endpoint.names(["x"])
    assert "line 1" in raised.value.__notes__[0]
    raised.value.__notes__[0].encode()
