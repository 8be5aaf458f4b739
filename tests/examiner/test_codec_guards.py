"""Each guard of the codec by itself: what is refused, on both ends, and what is at the boundary.

To be merged into tests/examiner/test_codec.py.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from autograder.examiner import codec
from autograder.examiner.codec import (
    HEAD,
    MAGIC,
    CodecError,
    Message,
    Payload,
    decode,
    encode,
    lengths,
    pack,
    unpack,
)

GOOD = {"kind": "reply", "meta": {}, "payloads": [["x", [2, 1]], [None, []]]}
BUFFERS = b"abc"


def frame(parts: Any, data: bytes = BUFFERS, **head: Any) -> bytes:
    """Return a frame; `head` are fields of its head that do not fit the rest."""
    text = parts if isinstance(parts, bytes) else json.dumps(parts).encode()
    fields = {"magic": MAGIC, "header": len(text), "buffers": len(data)} | head
    return HEAD.pack(*fields.values()) + text + data


def test_a_frame_is_read_as_it_was_written() -> None:
    message = unpack(frame(GOOD))
    assert (message.kind, message.meta) == ("reply", {})
    assert [payload.node for payload in message.payloads] == ["x", None]
    assert [list(map(bytes, payload.buffers)) for payload in message.payloads] == [
        [b"ab", b"c"],
        [],
    ]
    assert unpack(b"".join(pack(message))).payloads == message.payloads


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        frame(GOOD)[:15],
        frame(GOOD)[:-1],
        frame(GOOD) + b"x",
        frame(GOOD, magic=b"EXM2"),
        frame(GOOD, header=10),
        frame(GOOD, buffers=2),
        frame(GOOD, b"ab"),
        frame(GOOD, b"abcd"),
        frame(b"{"),
        frame(b"\xff"),
        frame(b"[" * 100_000),
        frame([]),
        frame({**GOOD, "more": 1}),
        frame({key: GOOD[key] for key in ("kind", "meta")}),
        frame({**GOOD, "kind": None}),
        frame({**GOOD, "kind": ["reply"]}),
        frame({**GOOD, "meta": []}),
        frame({**GOOD, "meta": None}),
        frame({**GOOD, "payloads": {}}),
        frame({**GOOD, "payloads": "xy"}, b""),
        frame({**GOOD, "payloads": ["xy"]}, b""),
        frame({**GOOD, "payloads": [["x"]]}, b""),
        frame({**GOOD, "payloads": [["x", [3], 1]]}),
        frame({**GOOD, "payloads": [["x", {}]]}, b""),
        frame({**GOOD, "payloads": [["x", None]]}, b""),
        frame({**GOOD, "payloads": [["x", [4]]]}),
        frame({**GOOD, "payloads": [["x", [3]], ["y", [1]]]}),
        frame({**GOOD, "payloads": [["x", [-1, 4]]]}),
        frame({**GOOD, "payloads": [["x", [True, 2]]]}),
        frame({**GOOD, "payloads": [["x", ["3"]]]}),
        frame({**GOOD, "payloads": [["x", [2]]]}),
    ],
)
def test_what_is_not_a_frame_is_refused(wrong: bytes) -> None:
    with pytest.raises(CodecError):
        unpack(wrong)


def test_a_head_says_how_much_memory_a_message_takes_and_that_is_bounded() -> None:
    most = (32 * 2**20, 256 * 2**20)
    assert lengths(HEAD.pack(MAGIC, *most)) == most
    for wrong in ((most[0] + 1, 0), (0, most[1] + 1)):
        with pytest.raises(CodecError, match="too large"):
            lengths(HEAD.pack(MAGIC, *wrong))
    for cut in (b"", HEAD.pack(MAGIC, 0, 0)[:-1], HEAD.pack(MAGIC, 0, 0) + b"x"):
        with pytest.raises(CodecError, match="head"):
            lengths(cut)


def test_what_is_too_large_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "FRAME_BYTES", 8)
    eight = encode(bytes(8))
    assert len(pack(Message("reply", {}, [eight]))) == 3
    with pytest.raises(CodecError, match="too large"):
        encode([bytes(4), bytes(5)])
    with pytest.raises(CodecError, match="too large"):
        pack(Message("reply", {}, [eight, encode(b"x")]))
    whole = pack(Message("reply", {}, [encode("x" * 100)]))
    monkeypatch.setattr(codec, "HEADER_BYTES", len(whole[1]))
    assert pack(Message("reply", {}, [encode("x" * 100)])) == whole
    with pytest.raises(CodecError, match="too large"):
        pack(Message("reply", {}, [encode("x" * 101)]))


@pytest.mark.parametrize("meta", [{"x": object()}, {"x": 10**5000}, {"x": "\ud800"}])
def test_what_is_not_json_is_not_sent(meta: dict[str, Any]) -> None:
    with pytest.raises(CodecError, match="cannot be sent"):
        pack(Message("reply", meta))


def nested(depth: int) -> Any:
    """Return a list in so many lists."""
    inner: Any = []
    for _ in range(depth):
        inner = [inner]
    return inner


def node(depth: int) -> Any:
    """Return the node of nested(depth)."""
    inner: Any = ["list"]
    for _ in range(depth):
        inner = ["list", inner]
    return inner


def test_how_deep_a_value_may_be_nested() -> None:
    assert decode(Payload(node(60))) == nested(60)
    assert encode(nested(60)).node == node(60)
    for refused in (lambda: decode(Payload(node(61))), lambda: encode(nested(61))):
        with pytest.raises(CodecError):
            refused()


def test_how_many_parts_a_value_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    assert codec.NODES == 1_000_000
    monkeypatch.setattr(codec, "NODES", 5)
    assert decode(encode([1, [2, 3]])) == [1, [2, 3]]
    with pytest.raises(CodecError):
        encode([1, [2, 3, 4]])
    with pytest.raises(CodecError):
        decode(Payload(["list", 1, ["list", 2, 3, 4]]))


class Fine:
    """Something that is not data."""


@pytest.mark.parametrize(
    "value",
    [
        Fine(),
        Fine,
        len,
        torch.ones(2).to_sparse(),
        torch.zeros(2, dtype=torch.uint16),
        torch.zeros(2, dtype=torch.float8_e4m3fn),
        [1, {"a": Fine()}],
        np.array([Fine()]),
        pd.Series([Fine()]),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_not_data_is_not_sent(value: Any) -> None:
    for refer in (None, lambda value, node: None):
        with pytest.raises(CodecError):
            encode(value, refer)


def test_what_is_not_data_is_named() -> None:
    for refer in (None, lambda value, node: None):
        with pytest.raises(CodecError, match="a Fine is not data"):
            encode(Fine(), refer)


@pytest.mark.parametrize(
    ("value", "arrives"),
    [
        (np.longdouble(0.5), "0.5"),
        (np.datetime64("2026-01-02"), "2026-01-02"),
        (np.array([0.5], np.longdouble), np.array([0.5])),
        (np.array([1, 2], ">i4"), np.array([1, 2], np.int32)),
        (np.arange(6).reshape(2, 3).T, np.arange(6).reshape(2, 3).T),
        (np.ma.masked_array([1, 2], [True, False]), np.array([1, 2])),
        (torch.arange(6).reshape(2, 3).T, torch.arange(6).reshape(2, 3).T),
        (torch.tensor([1 + 1j]).conj(), torch.tensor([1 - 1j])),
        (torch.tensor([1 + 1j, 2j]).conj().imag, torch.tensor([-1.0, -2.0])),
        (torch.arange(6.0).reshape(1, 6)[:, 2], torch.tensor([2.0])),  # one number, strides of six
        (pd.Index([1, "a"]), [1, "a"]),
        (pd.Series([1, 2], dtype="category"), pd.Series([1, 2], dtype=object)),
        (bytearray(b"x"), b"x"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_other_kinds_of_data_arrive_as_the_nearest_plain_one(value: Any, arrives: Any) -> None:
    assert encode(decode(encode(value))).same(encode(arrives))
    assert type(decode(encode(value))) is type(arrives)


def test_what_was_sent_does_not_change_any_more() -> None:
    array, tensor, text = np.zeros(2), torch.zeros(2), bytearray(b"x")
    sent = [encode(value) for value in (array, tensor, text)]
    array[0], tensor[0], text[:] = 1, 1, b"y"
    assert [np.sum(decode(sent[0])), decode(sent[1]).sum().item(), decode(sent[2])] == [0, 0, b"x"]


def test_a_tensor_on_the_meta_device_sends_no_numbers() -> None:
    sent = encode(torch.ones(2, 3, device="meta", requires_grad=True))
    assert sent.buffers == []
    came = decode(sent)
    assert (came.device.type, came.shape, came.requires_grad) == ("meta", (2, 3), True)


def test_a_byte_that_is_neither_true_nor_false_is_true() -> None:
    data = [bytes([0, 1, 255])]
    array = decode(Payload(["array", "bool", [3], 0], data))
    tensor = decode(Payload(["tensor", "bool", [3], 0, False, None], data))
    for came in (array.view(np.uint8), tensor.view(torch.uint8)):
        assert came.tolist() == [0, 1, 1]


def test_what_arrives_may_be_written_to() -> None:
    came = decode(Payload(["array", "float32", [1], 0], [memoryview(bytes(4))]))
    came[0] = 1
    assert came == 1


FOUR = [bytes(4), bytes(8)]


@pytest.mark.parametrize(
    "node",
    [
        ["bytes"],
        ["bytes", 0, 1],
        ["bytes", 2],
        ["bytes", -1],
        ["bytes", True],
        ["bytes", None],
        ["dict", 1],
        ["dict", 1, 2, 3],
        ["set", ["list"]],
        ["frozenset", ["dict"]],
        ["complex", 1],
        ["complex", 1, 2, 3],
        ["complex", True, 1],
        ["complex", "1", 1],
        ["fraction", 1],
        ["fraction", 1, 0],
        ["fraction", 1, -2],
        ["fraction", 1, 2.0],
        ["fraction", True, 2],
        ["fraction", 1, 2, 3],
        ["range", 1, 2],
        ["range", 1, 2, None],
        ["range", 1, 2, 3, 4],
        ["slice", 1, 2],
        ["slice", 1, 2, 3.0],
        ["slice", 1, True, None],
        ["slice", 1, "2", None],
        ["missing"],
        ["missing", "read_pickle"],
        ["missing", "NA", "NaT"],
        ["scalar", "float32"],
        ["scalar", "float32", 0, 0],
        ["scalar", "float32", 1],
        ["scalar", "object", 0],
        ["scalar", None, 0],
        ["scalar", ["float32"], 0],
        ["array", "float32", [1]],
        ["array", "float32", [1], 0, 0],
        ["array", "bfloat16", [2], 0],
        ["array", "float32", [2], 0],
        ["array", "float32", 1, 0],
        ["array", "float32", "1", 0],
        ["array", "float32", {}, 0],
        ["array", "float32", [1.0], 0],
        ["array", "float32", [-1, -1], 0],
        ["array", "float32", [1] * 17, 0],
        ["array", "float32", [0, 2**25, 2**25], 0],
        ["array", "float32", [0, 2**40 + 1], 0],
        ["objects"],
        ["objects", [2], 1],
        ["objects", [1], 1, 2],
        ["objects", 1, 1],
        ["objects", [-1]],
        ["objects", [], ["missing", "x"]],
        ["tensor", "float32", [1], 0, False],
        ["tensor", "float32", [1], 0, False, None, None],
        ["tensor", "float32", [1], 0, 0, None],
        ["tensor", "uint16", [2], 0, False, None],
        ["tensor", "Tensor", [1], 0, False, None],
        ["tensor", None, [1], 0, False, None],
        ["tensor", ["float32"], [1], 0, False, None],
        ["tensor", "float32", [2], 0, False, None],
        ["tensor", "float32", [2**40, 2**9], None, False, None],
        ["tensor", "int32", [1], 0, True, None],
        ["tensor", "bool", [4], 0, True, None],
        ["tensor", "float32", [1], 0, True, 3],
        ["tensor", "float32", [1], 0, True, []],
        ["tensor", "float32", [1], 0, True, ["origin", 3]],
        ["dtype", "numpy"],
        ["dtype", "numpy", "object"],
        ["dtype", "numpy", "bfloat16"],
        ["dtype", "numpy", 1],
        ["dtype", 1, "float32"],
        ["dtype", "torch", "uint16"],
        ["dtype", "torch", "Tensor"],
        ["dtype", "numpy", "float32", 1],
        ["device", "cuda"],
        ["device", "cpu", "meta"],
        ["device"],
        ["series", ["list"], "n"],
        ["series", ["list"], "n", ["list"], 1],
        ["series", ["tuple"], "n", ["list"]],
        ["series", ["list", 1], "n", ["list"]],
        ["series", ["list", 1], "n", ["list", 1, 2]],
        ["series", ["list", 1], "n", ["tuple", 1]],
        ["series", ["list", 1], "n", "x"],
        ["series", ["list", 0], "n", ["array", "float32", [1, 1], 0]],
        ["series", ["list", 0], ["list"], ["list", 1]],
        ["frame"],
        ["frame", ["list"]],
        ["frame", ["list", 1], ["list", "a"]],
        ["frame", ["list", 1], ["list", "a"], ["list", 1], ["list", 2]],
        ["frame", ["list", 1], ["list", "a"], ["list", 1, 2]],
        ["frame", "x", ["list"]],
        ["frame", ["list"], "x"],
        ["remote"],
        ["remote", 1],
        ["remote", "ref"],
        [1],
        [None],
        [["list"]],
        ["value", 1],
        ["List"],
        [""],
    ],
)
def test_a_node_that_is_invalid_is_refused(node: Any) -> None:
    with pytest.raises(CodecError):
        decode(Payload(node, FOUR))


@pytest.mark.parametrize(
    "node",
    [
        ["array", "float32", [1] * 16, 0],
        ["array", "float32", [0, 2**40], 1],
        ["tensor", "float32", [2**40, 2**8], None, True, None],
        ["objects", [0, 3]],
        ["fraction", -1, 1],
        ["slice", None, None, None],
        ["frame", ["list", 1], ["list", "a"], ["array", "float32", [1], 0]],
        ["frame", ["list"], ["list"]],
    ],
)
def test_a_node_at_the_boundary_is_a_value(node: Any) -> None:
    decode(Payload(node, [bytes(4), b""]))


def test_what_is_remote_is_made_by_resolve_alone() -> None:
    asked: list[Any] = []

    def resolve(fields: list[Any], value: Any) -> Any:
        asked.append(fields)
        return value(fields[1]) if fields[0] == "part" else fields[-1]

    assert decode(Payload(["list", ["remote", "part", ["tuple", 1]]]), resolve) == [(1,)]
    node = ["tensor", "float32", [1], 0, True, ["origin", 3]]
    came = decode(Payload(node, FOUR), resolve)
    assert asked[1][:2] == ["origin", 3]
    assert came is asked[1][2]
    assert not came.requires_grad
    # What takes no gradients comes from nowhere.
    decode(Payload(["tensor", "float32", [1], 0, False, ["origin", 3]], FOUR), resolve)
    decode(Payload(["tensor", "float32", [1], 0, True, None], FOUR), resolve)
    assert len(asked) == 2
    for wrong in (["remote"], ["remote", 1], ["tensor", "float32", [1], 0, True, []]):
        with pytest.raises(CodecError):
            decode(Payload(wrong, FOUR), resolve)


def test_parts_that_resolve_decodes_are_nested_too() -> None:
    inner: Any = 1
    for _ in range(200):
        inner = ["remote", "part", inner]
    with pytest.raises(CodecError):
        decode(Payload(inner), lambda fields, value: value(fields[1]))


def test_two_payloads_are_the_same_to_the_bit() -> None:
    assert encode(float("nan")).same(encode(float("nan")))
    assert not encode(0.0).same(encode(-0.0))
    assert str(decode(encode(-0.0))) == "-0.0"
    assert not encode(1).same(encode(True))
    assert not encode(np.zeros(1)).same(encode(np.ones(1)))
    assert encode([b"a", b"b"]).same(encode([b"a", b"b"]))
    assert not encode([b"a", b"b"]).same(Payload(encode([b"a", b"b"]).node, [b"a"]))


def test_a_library_that_is_half_imported_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", type(sys)("pandas"))
    with pytest.raises(CodecError, match="not data"):
        encode(Fine())
