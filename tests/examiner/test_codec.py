"""A message between two kernels arrives as it was sent, or is refused."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from autograder.examiner.codec import (
    DEPTH,
    HEAD,
    CodecError,
    Message,
    Payload,
    decode,
    encode,
    pack,
    unpack,
)

TABLE = pd.DataFrame({"n": [28, 24], "out": [None, "x"]}, index=["Conv1", "Pool1"])
MIXED = [
    None, True, -3, 2.5, "text", b"bytes", 1 + 2j, Fraction(1, 3), range(2, 9, 3), slice(1, None),
    ..., [1, [2]], (1, "a"), {1: "a", "b": [2]}, {1, 2}, frozenset([3]),
    np.arange(6, dtype=np.int16).reshape(2, 3), np.float32(0.5), np.bool_(True), np.array(["a", None]),  # noqa: E501
    torch.arange(6.0).reshape(2, 3), torch.tensor([True, False]), torch.empty(2, 3, device="meta"),
    torch.ones(2, dtype=torch.bfloat16), torch.float32, np.dtype("uint8"), torch.device("cpu"),
    TABLE, TABLE["n"], pd.NA, pd.NaT, torch.zeros(0, 3), np.zeros((2, 0)), np.array(7),
]  # fmt: skip


def round_trip(value: object) -> Any:
    """Return `value`, packed, unpacked and decoded."""
    frame = b"".join(pack(Message("say", {"number": 1}, [encode(value)])))
    message = unpack(frame)
    assert (message.kind, message.meta) == ("say", {"number": 1})
    return decode(message.payloads[0])


@pytest.mark.parametrize("value", MIXED, ids=lambda value: type(value).__name__)
def test_a_value_arrives_as_it_was_sent(value: Any) -> None:
    received = round_trip(value)
    assert type(received) is type(value)
    assert encode(received).same(encode(value))
    if not isinstance(value, (torch.Tensor, np.ndarray, pd.DataFrame, pd.Series)):
        assert received is value or received == value


def test_an_object_of_another_class_arrives_as_plain_data_or_not_at_all() -> None:
    class Number(float):
        def __eq__(self, other: object) -> bool:
            return True

        __hash__ = float.__hash__

    class Liar(torch.Tensor):
        shape = (1, 2, 3)  # type: ignore[assignment]

    assert type(round_trip(Number(4))) is float
    received = round_trip(torch.zeros(4).as_subclass(Liar))
    assert (type(received), tuple(received.shape)) == (torch.Tensor, (4,))
    with pytest.raises(CodecError, match="is not data"):
        encode(object())


def test_a_value_nested_too_deeply_is_not_sent() -> None:
    deep: list[Any] = []
    deep.append(deep)
    with pytest.raises(CodecError, match="nested"):
        encode(deep)
    payload = Payload(json.loads('["list",' * (DEPTH + 5) + "1" + "]" * (DEPTH + 5)))
    with pytest.raises(CodecError, match="invalid depth"):
        decode(payload)


@pytest.mark.parametrize(
    ("node", "size", "invalid"),
    [
        (["array", "float64", [2, 3], 0], 8, "size of a buffer"),  # six numbers in one's bytes
        (["array", "float64", [2**40, 2**40], 0], 8, "shape"),
        (["array", "float64", [-1], 0], 8, "shape"),
        (["array", "object", [1], 0], 8, "type of numbers"),
        (["array", "float64", [True], 0], 8, "shape"),
        (["tensor", "float32", [1], 1, False, None], 4, "number of a buffer"),
        (["tensor", "float32", [2**47, 4], None, False, None], 0, "shape"),
        (["tensor", "float32", [1], 0, True, ["origin", 3]], 4, "origin"),
        (["tensor", "int64", [1], 0, True, None], 8, "tensor"),
        (["dict", ["list"], 1], 0, "value: unhashable type"),  # a list is no key
        (["frame", ["list", 1, 2], ["list", "a"], ["list", 1]], 0, "length of a column"),
        (["range", 1, 2, 0], 0, "value: range"),
        (["dtype", "torch", "load"], 0, "type of numbers"),
        (["remote", "ref", 1], 0, "reference"),
        (["node"], 0, "tag"),
        (["_init__"], 0, "tag"),
        ([], 0, "node"),
        ("\ud800", 0, "text"),
        ({"a": 1}, 0, "node"),
    ],
)
def test_an_invalid_node_is_refused(node: Any, size: int, invalid: str) -> None:
    with pytest.raises(CodecError, match=f"an invalid {invalid}"):
        decode(Payload(node, [bytes(size)]))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary()
VALUES = st.recursive(
    SCALARS | st.sampled_from(MIXED),
    lambda inner: st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text(), inner),
    max_leaves=12,
)
WORDS = ["list", "dict", "array", "tensor", "objects", "scalar", "frame", "series", "set"]
WORDS += ["bytes", "complex", "fraction", "range", "slice", "dtype", "device", "missing", "tuple"]
WORDS += ["remote", "ellipsis", "frozenset"]
ODD = [
    None,
    True,
    -1,
    0,
    1,
    2**31,
    2**63,
    10**400,
    1e308,
    float("nan"),
    "",
    "float64",
    "bool",
    [],
    {},
]
EACH = 200  # mutants of one message


def mutant(frame: bytes, rng: random.Random) -> bytes:
    """Return a frame with bytes changed, cut or doubled; or a whole one with another header."""
    if rng.random() < 0.4:
        changed = bytearray(frame)
        for _ in range(rng.randint(1, 6)):
            place = rng.randrange(len(changed))
            changed[place : place + rng.choice((0, 1, 1, 4))] = rng.randbytes(rng.choice((0, 1, 4)))
        return bytes(changed)
    header, _ = HEAD.unpack(frame[: HEAD.size])[1:]
    parts = json.loads(frame[HEAD.size : HEAD.size + header])
    buffers = frame[HEAD.size + header :]
    for _ in range(rng.randint(1, 3)):
        mutate(parts, rng)
    text = json.dumps(parts).encode()
    return HEAD.pack(b"EXM1", len(text), len(buffers)) + text + buffers


def mutate(parts: Any, rng: random.Random) -> None:
    """Replace a random part of a header."""
    places = [(parts, key) for key in parts]
    for holder, key in places:
        inner = holder[key]
        if isinstance(inner, (list, dict)):
            places += [
                (inner, each) for each in (inner if isinstance(inner, dict) else range(len(inner)))
            ]
    holder, key = rng.choice(places[3:] or places)
    holder[key] = rng.choice((rng.choice(ODD), rng.choice(WORDS), [rng.choice(WORDS), *ODD[:5]]))


@settings(
    max_examples=520, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)  # fmt: skip
@given(VALUES, st.integers(0, 2**32))
def test_of_100_000_mutants_each_arrives_as_data_or_is_refused(value: Any, seed: int) -> None:
    try:
        frame = b"".join(pack(Message("say", {"number": 1}, [encode(value)])))
    except CodecError:
        return  # a number too long, or half a character
    rng = random.Random(seed)
    for _ in range(EACH):
        try:
            for payload in unpack(mutant(frame, rng)).payloads:
                decode(payload)
        except CodecError:
            pass
