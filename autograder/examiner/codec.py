"""Encode what two kernels send each other: data alone, with every size bounded.

    pack(Message) -> bytes        unpack(bytes) -> Message
    encode(value) -> Payload      decode(Payload) -> value

A frame is a head of 16 bytes (b"EXM1", then the lengths of header and buffers, little-endian, of
32 and 64 bits), the header, and the buffers one after another. The header is JSON:

    {"kind": str, "meta": {plain JSON}, "payloads": [[node, [length of each buffer]], ...]}

A node is null, true, false, a number, a string, or a list that begins with a tag:

    ["list", node ...]  ["tuple", ...]  ["set", ...]  ["frozenset", ...]  ["dict", key, value ...]
    ["bytes", buffer]   ["complex", re, im]   ["fraction", numerator, denominator]
    ["range", start, stop, step]   ["slice", start, stop, step]   ["ellipsis"]
    ["missing", "NA" or "NaT"]
    ["scalar", dtype, buffer]   ["array", dtype, [size ...], buffer]   ["objects", [size ...], ...]
    ["tensor", dtype, [size ...], buffer or null on the meta device, requires_grad, origin]
    ["dtype", "numpy" or "torch", name]   ["device", name]
    ["series", index, name, values]   ["frame", index, columns, values ...]
    ["remote", ...]               not data: encode() asks `refer`, decode() asks `resolve`

`origin` is null, or a list for `resolve`: where a tensor that requires gradients comes from.

What arrives is not trusted: decode() creates these types only, checks every size against what was
sent, and raises CodecError and nothing else.
"""

from __future__ import annotations

import json
import math
import struct
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

import numpy as np

from autograder.compat.torch import without_overrides

MAGIC = b"EXM1"
HEAD = struct.Struct("<4sIQ")
HEADER_BYTES = 32 * 2**20
FRAME_BYTES = 256 * 2**20  # all buffers of a message together
DEPTH = 60
NODES = 1_000_000
SIZES = 16  # dimensions of an array
MAX_SIZE = 2**40  # of one dimension
NUMBERS = frozenset(
    (
        "bool",
        "int8",
        "int16",
        "int32",
        "int64",
        "uint8",
        "uint16",
        "uint32",
        "uint64",
        "float16",
        "float32",
        "float64",
        "complex64",
        "complex128",
    )
)
TENSORS = (NUMBERS - {"uint16", "uint32", "uint64"}) | {"bfloat16"}
BYTES_EACH = {name: np.dtype(name).itemsize for name in NUMBERS} | {"bfloat16": 2}

Node = Any
Refer = Callable[[Any, Callable[[Any], Node]], "list[Any] | None"]
Resolve = Callable[["list[Any]", Callable[[Node], Any]], Any]


class ExaminerLimit(Exception):
    """What a test asked for and the examiner cannot do: it says nothing about the answer."""


class CodecError(ValueError):
    """A message that is invalid, or a value that cannot be sent."""


class Unsendable(ExaminerLimit, CodecError):
    """A value that cannot be sent."""


@dataclass
class Payload:
    """An encoded value: its node, and the buffers that the node refers to by index."""

    node: Node
    buffers: list[Any] = field(default_factory=list)

    def same(self, other: Payload) -> bool:
        """Return whether both hold the same value, bit for bit."""
        # Compared as strings, since nan is not equal to itself.
        if repr(self.node) != repr(other.node) or len(self.buffers) != len(other.buffers):
            return False
        return all(one == two for one, two in zip(self.buffers, other.buffers, strict=True))


@dataclass
class Message:
    """A message from one kernel to the other."""

    kind: str
    meta: dict[str, Any] = field(default_factory=dict)
    payloads: list[Payload] = field(default_factory=list)


def pack(message: Message) -> list[Any]:
    """Return the pieces of a frame, in order. Raise CodecError for what cannot be sent."""
    buffers = [buffer for payload in message.payloads for buffer in payload.buffers]
    size = sum(map(len, buffers))
    payloads = [[payload.node, [*map(len, payload.buffers)]] for payload in message.payloads]
    parts = {"kind": message.kind, "meta": message.meta, "payloads": payloads}
    try:
        header = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise Unsendable(f"this cannot be sent: {error}") from None
    if len(header) > HEADER_BYTES or size > FRAME_BYTES:
        raise Unsendable("this is too large to be sent")
    return [HEAD.pack(MAGIC, len(header), size), header, *buffers]


def lengths(head: bytes) -> tuple[int, int]:
    """Return the lengths of header and buffers, read from the head of a frame."""
    if len(head) != HEAD.size:
        raise CodecError("the head of a message is cut off")
    magic, header, buffers = HEAD.unpack(head)
    if magic != MAGIC or header > HEADER_BYTES or buffers > FRAME_BYTES:
        raise CodecError("the message is invalid, or too large")
    return header, buffers


def unpack(frame: bytes | bytearray | memoryview) -> Message:
    """Return the message in a whole frame; decode() decodes its payloads."""
    view = memoryview(frame)
    header, size = lengths(bytes(view[: HEAD.size]))
    if len(view) != HEAD.size + header + size:
        raise CodecError("a message has another length than it says")
    try:
        parts = json.loads(bytes(view[HEAD.size : HEAD.size + header]).decode())
    except (ValueError, RecursionError):
        raise CodecError("the header of a message is not JSON") from None
    rest = view[HEAD.size + header :]
    require(isinstance(parts, dict) and parts.keys() == {"kind", "meta", "payloads"}, "header")
    require(isinstance(parts["kind"], str) and isinstance(parts["meta"], dict), "header")
    require(isinstance(parts["payloads"], list), "list of payloads")
    payloads = []
    for each in parts["payloads"]:
        require(isinstance(each, list) and len(each) == 2 and isinstance(each[1], list), "payload")
        buffers = []
        for length in each[1]:
            require(is_count(length, len(rest)), "length of a buffer")
            buffers.append(rest[:length])
            rest = rest[length:]
        payloads.append(Payload(each[0], buffers))
    require(not len(rest), "length of all buffers")
    return Message(parts["kind"], parts["meta"], payloads)


def require(condition: object, what: str) -> None:
    """Raise CodecError unless `condition` holds for a message."""
    if not condition:
        raise CodecError(f"a message has an invalid {what}")


def is_count(value: object, most: int = MAX_SIZE) -> bool:
    """Return whether this is an int from 0 to `most`."""
    return type(value) is int and 0 <= value <= most


# Encoding


def encode(value: object, refer: Refer | None = None) -> Payload:
    """Return a value as a payload. Raise CodecError for what cannot be sent.

    refer(value, node) returns the fields that follow "remote" for a value that is not data, or
    raises CodecError; it may encode parts by node(part). It is also asked for an Origin, and for
    named tuples, where None means that plain data will do.
    """
    encoder = _Encoder(refer)
    try:
        return Payload(encoder.node(value, 0), encoder.buffers)
    except CodecError:
        raise
    except RecursionError:
        raise Unsendable("this is nested too deeply to be sent") from None
    except Exception as error:  # of a library that shows what an unusual value holds
        raise Unsendable(f"a {type(value).__name__} cannot be sent: {error}") from error


class _Encoder:
    """Encodes one value, and collects its buffers."""

    def __init__(self, refer: Refer | None) -> None:
        self.refer, self.buffers, self.count, self.size = refer, list[Any](), 0, 0

    def node(self, value: Any, depth: int) -> Node:
        self.count += 1
        if depth > DEPTH or self.count > NODES:
            raise Unsendable("this is nested too deeply, or has too many parts, to be sent")
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, int):
            return int.__add__(value, 0)
        if isinstance(value, np.generic):
            return self.scalar(value)
        if isinstance(value, float):
            return float.__add__(value, -0.0)  # adding zero would turn -0.0 into 0.0
        if self.refer and isinstance(value, tuple) and hasattr(type(value), "_fields"):
            fields = self.refer(value, lambda part: self.node(part, depth + 1))
            if fields:
                return ["remote", *fields]
        for kind, tag, parts in PLAIN:
            if isinstance(value, kind):
                return [tag, *(self.node(part, depth + 1) for part in parts(value))]
        if isinstance(value, (bytes, bytearray)):
            return ["bytes", self.put(bytes(value))]
        if isinstance(value, np.ndarray):
            return self.array(value.view(np.ndarray), depth)
        if isinstance(value, np.dtype):
            return ["dtype", "numpy", value.name]
        for library, encode_as in (
            (sys.modules.get("torch"), self.torch),
            (loaded_pandas(), self.pandas),
        ):
            node = encode_as(library, value, depth) if library else None
            if node is not None:
                return node
        if self.refer is None:
            raise Unsendable(f"a {type(value).__name__} is not data")
        fields = self.refer(value, lambda part: self.node(part, depth + 1))
        if fields is None:
            raise Unsendable(f"a {type(value).__name__} is not data")
        return ["remote", *fields]

    def put(self, data: Any) -> int:
        """Add a buffer; return its index."""
        self.size += len(data)
        if self.size > FRAME_BYTES:
            raise Unsendable("this is too large to be sent")
        self.buffers.append(data)
        return len(self.buffers) - 1

    def scalar(self, value: np.generic) -> Node:
        plain = np.asarray(value)
        if plain.dtype.name not in NUMBERS:
            return value.item() if isinstance(value.item(), (str, int, float)) else str(value)
        return ["scalar", plain.dtype.name, self.put(plain.tobytes())]

    def array(self, value: np.ndarray[Any, Any], depth: int) -> Node:
        if value.dtype == np.longdouble:
            value = value.astype(np.float64)
        if value.dtype.name not in NUMBERS:
            items = (self.node(item, depth + 1) for item in value.ravel().tolist())
            return ["objects", list(value.shape), *items]
        value = np.ascontiguousarray(value, value.dtype.newbyteorder("=")).reshape(value.shape)
        return ["array", value.dtype.name, list(value.shape), self.put(raw(value))]

    def torch(self, torch: Any, value: Any, depth: int) -> Node | None:
        if isinstance(value, torch.dtype):
            return ["dtype", "torch", str(value).removeprefix("torch.")]
        if isinstance(value, torch.device):
            return ["device", value.type]
        if not isinstance(value, torch.Tensor):
            return None
        with without_overrides(), torch.no_grad():
            requires_grad = bool(torch.Tensor.requires_grad.__get__(value))
            name = str(torch.Tensor.dtype.__get__(value)).removeprefix("torch.")
            layout = torch.Tensor.layout.__get__(value)
            if name not in TENSORS or layout is not torch.strided:
                raise Unsendable(f"a tensor of {name}, {layout}, cannot be sent")
            plain = torch.Tensor.as_subclass(value, torch.Tensor).detach()
            origin = self.refer(Origin(value), no_parts) if requires_grad and self.refer else None
            if plain.device.type == "meta":
                return ["tensor", name, list(plain.shape), None, requires_grad, None]
            # Copied: a single number counts as contiguous, whatever its strides are.
            flat = torch.empty(plain.numel(), dtype=plain.dtype).copy_(plain.reshape(-1))
            data = raw(flat.view(torch.uint8).numpy())
        return ["tensor", name, list(plain.shape), self.put(data), requires_grad, origin]

    def pandas(self, pandas: Any, value: Any, depth: int) -> Node | None:
        if value is pandas.NA or value is pandas.NaT:
            return ["missing", "NA" if value is pandas.NA else "NaT"]
        if isinstance(value, pandas.Index):
            return self.node(value.tolist(), depth)
        if isinstance(value, pandas.Series):
            index, name = self.node(value.index.tolist(), depth), self.node(value.name, depth)
            return ["series", index, name, self.column(value, depth)]
        if isinstance(value, pandas.DataFrame):
            columns = [value.iloc[:, k] for k in range(value.shape[1])]
            labels = [self.node(axis.tolist(), depth) for axis in (value.index, value.columns)]
            return ["frame", *labels, *(self.column(column, depth) for column in columns)]
        return None

    def column(self, series: Any, depth: int) -> Node:
        numbers = isinstance(series.dtype, np.dtype) and series.dtype.name in NUMBERS
        return self.node(series.to_numpy() if numbers else series.tolist(), depth + 1)


@dataclass
class Origin:
    """A tensor that requires gradients, passed to `refer`."""

    tensor: Any


def no_parts(part: Any) -> Node:
    """Raise CodecError: an origin has no parts."""
    raise Unsendable("an origin has no parts")


PLAIN: tuple[tuple[type, str, Callable[[Any], Iterable[Any]]], ...] = (
    (list, "list", list.__iter__),
    (tuple, "tuple", tuple.__iter__),
    (dict, "dict", lambda value: (part for pair in dict.items(value) for part in pair)),
    (set, "set", set.__iter__),
    (frozenset, "frozenset", frozenset.__iter__),
    (complex, "complex", lambda value: (value.real, value.imag)),
    (Fraction, "fraction", lambda value: (value.numerator, value.denominator)),
    (range, "range", lambda value: (value.start, value.stop, value.step)),
    (slice, "slice", lambda value: (value.start, value.stop, value.step)),
    (type(...), "ellipsis", lambda value: ()),
)


def raw(array: np.ndarray[Any, Any]) -> bytes:
    """Return the bytes of an array: a copy, since the array may change before it is sent."""
    return array.tobytes()


def loaded_pandas() -> Any:
    """Return pandas where it is imported, and completely."""
    module = sys.modules.get("pandas")
    return module if hasattr(module, "DataFrame") else None


def import_torch() -> Any:
    """Return torch."""
    import torch  # optional, and slow to import: only where a tensor arrives

    return torch


def import_pandas() -> Any:
    """Return pandas."""
    import pandas  # optional, and slow to import: only where a table arrives

    return pandas


# Decoding


def decode(payload: Payload, resolve: Resolve | None = None) -> Any:
    """Return the value of a payload. Raise CodecError where it is invalid.

    resolve(fields, value) returns the value for the fields that follow "remote"; value(node)
    decodes a part. For a tensor with an origin the tensor itself is the last field.
    """
    decoder = _Decoder(payload.buffers, resolve)
    try:
        return decoder.value(payload.node, 0)
    except (TypeError, ValueError, OverflowError, RecursionError, ZeroDivisionError) as error:
        if isinstance(error, CodecError):
            raise
        # From a library, for what is not checked here: labels that do not fit a table, say.
        raise CodecError(f"a message holds an invalid value: {error}") from None


class _Decoder:
    """Decodes the nodes of one payload."""

    def __init__(self, buffers: list[Any], resolve: Resolve | None) -> None:
        self.buffers, self.resolve, self.count = buffers, resolve, 0

    def value(self, node: Node, depth: int) -> Any:
        self.count += 1
        require(depth <= DEPTH and self.count <= NODES, "depth or number of parts")
        if node is None or isinstance(node, (bool, int, float)):
            return node
        if isinstance(node, str):
            require(node.isascii() or not any("\ud800" <= c <= "\udfff" for c in node), "text")
            return node
        require(isinstance(node, list) and node and isinstance(node[0], str), "node")
        make = getattr(self, f"make_{node[0]}", None)
        require(make, "tag")
        assert make is not None
        return make(node[1:], depth + 1)

    def values(self, nodes: list[Node], depth: int) -> list[Any]:
        return [self.value(node, depth) for node in nodes]

    def buffer(self, number: Node, size: int | None = None) -> Any:
        require(is_count(number, len(self.buffers) - 1), "number of a buffer")
        buffer = self.buffers[number]
        require(size is None or len(buffer) == size, "size of a buffer")
        return buffer

    def shape(self, sizes: Node) -> tuple[int, ...]:
        require(isinstance(sizes, list) and len(sizes) <= SIZES, "shape")
        require(all(is_count(size) for size in sizes), "shape")
        require(math.prod(size or 1 for size in sizes) <= 2**48, "shape")
        return tuple(sizes)

    def whole(self, nodes: list[Node], count: int) -> list[int]:
        require(len(nodes) == count and all(type(n) is int for n in nodes), "number")
        return nodes

    def make_list(self, nodes: list[Node], depth: int) -> list[Any]:
        return self.values(nodes, depth)

    def make_tuple(self, nodes: list[Node], depth: int) -> tuple[Any, ...]:
        return tuple(self.values(nodes, depth))

    def make_set(self, nodes: list[Node], depth: int) -> set[Any]:
        return set(self.values(nodes, depth))

    def make_frozenset(self, nodes: list[Node], depth: int) -> frozenset[Any]:
        return frozenset(self.values(nodes, depth))

    def make_dict(self, nodes: list[Node], depth: int) -> dict[Any, Any]:
        require(len(nodes) % 2 == 0, "dictionary")
        items = self.values(nodes, depth)
        return dict(zip(items[::2], items[1::2], strict=True))

    def make_bytes(self, nodes: list[Node], depth: int) -> bytes:
        require(len(nodes) == 1, "node")
        return bytes(self.buffer(nodes[0]))

    def make_complex(self, nodes: list[Node], depth: int) -> complex:
        require(len(nodes) == 2 and all(type(n) in (int, float) for n in nodes), "number")
        return complex(*nodes)

    def make_fraction(self, nodes: list[Node], depth: int) -> Fraction:
        above, below = self.whole(nodes, 2)
        require(below > 0, "number")
        return Fraction(above, below)

    def make_range(self, nodes: list[Node], depth: int) -> range:
        return range(*self.whole(nodes, 3))

    def make_slice(self, nodes: list[Node], depth: int) -> slice:
        require(len(nodes) == 3 and all(n is None or type(n) is int for n in nodes), "slice")
        return slice(*nodes)

    def make_ellipsis(self, nodes: list[Node], depth: int) -> Any:
        return ...

    def make_missing(self, nodes: list[Node], depth: int) -> Any:
        pandas = import_pandas()
        require(nodes in (["NA"], ["NaT"]), "node")
        return getattr(pandas, nodes[0])

    def numbers(self, name: Node, shape: tuple[int, ...], buffer: Node) -> np.ndarray[Any, Any]:
        require(isinstance(name, str) and name in NUMBERS, "type of numbers")
        data = self.buffer(buffer, math.prod(shape) * BYTES_EACH[name])
        if name == "bool":  # another byte than 0 or 1 is no bool
            return np.not_equal(np.frombuffer(data, np.uint8), 0).reshape(shape)
        return np.frombuffer(bytearray(data), name).reshape(shape)

    def make_scalar(self, nodes: list[Node], depth: int) -> Any:
        require(len(nodes) == 2, "node")
        return self.numbers(nodes[0], (), nodes[1])[()]

    def make_array(self, nodes: list[Node], depth: int) -> np.ndarray[Any, Any]:
        require(len(nodes) == 3, "node")
        return self.numbers(nodes[0], self.shape(nodes[1]), nodes[2])

    def make_objects(self, nodes: list[Node], depth: int) -> np.ndarray[Any, Any]:
        require(nodes, "node")
        shape = self.shape(nodes[0])
        require(math.prod(shape) == len(nodes) - 1, "shape")
        array = np.empty(len(nodes) - 1, dtype=object)
        for place, node in enumerate(nodes[1:]):
            array[place] = self.value(node, depth)
        return array.reshape(shape)

    def make_tensor(self, nodes: list[Node], depth: int) -> Any:
        torch = import_torch()
        require(len(nodes) == 5, "node")
        name, sizes, buffer, requires_grad, origin = nodes
        require(
            isinstance(name, str) and name in TENSORS and isinstance(requires_grad, bool), "tensor"
        )
        shape, dtype = self.shape(sizes), getattr(torch, name)
        require(not requires_grad or dtype.is_floating_point or dtype.is_complex, "tensor")
        with without_overrides(), torch.no_grad():
            if buffer is None:
                tensor = torch.empty(shape, dtype=dtype, device="meta")
            else:
                data = bytearray(self.buffer(buffer, math.prod(shape) * BYTES_EACH[name]))
                tensor = torch.frombuffer(data, dtype=torch.uint8) if data else torch.empty(0)
                tensor = tensor.ne(0) if name == "bool" else tensor.view(dtype) if data else tensor
                tensor = tensor.to(dtype).reshape(shape)
        if not requires_grad or origin is None:
            return tensor.requires_grad_() if requires_grad else tensor
        require(self.resolve and isinstance(origin, list) and origin, "origin")
        assert self.resolve is not None
        return self.resolve([*origin, tensor], lambda node: self.value(node, depth))

    def make_dtype(self, nodes: list[Node], depth: int) -> Any:
        require(len(nodes) == 2 and all(isinstance(n, str) for n in nodes), "type of numbers")
        library, name = nodes
        require(name in (TENSORS if library == "torch" else NUMBERS), "type of numbers")
        if library == "torch":
            return getattr(import_torch(), name)
        return np.dtype(name)

    def make_device(self, nodes: list[Node], depth: int) -> Any:
        torch = import_torch()
        require(nodes in (["cpu"], ["meta"]), "device")
        return torch.device(nodes[0])

    def labels(self, node: Node, depth: int) -> Any:
        pandas = import_pandas()
        values = self.value(node, depth)
        require(isinstance(values, list), "labels")
        return pandas.Index(values, tupleize_cols=False)

    def column(self, node: Node, index: Any, depth: int) -> Any:
        pandas = import_pandas()
        values = self.value(node, depth)
        require(
            isinstance(values, list) or (isinstance(values, np.ndarray) and values.ndim == 1),
            "column",
        )
        require(len(values) == len(index), "length of a column")
        return pandas.Series(values, index, dtype=object if isinstance(values, list) else None)

    def make_series(self, nodes: list[Node], depth: int) -> Any:
        require(len(nodes) == 3, "node")
        series = self.column(nodes[2], self.labels(nodes[0], depth), depth)
        series.name = self.value(nodes[1], depth)
        return series

    def make_frame(self, nodes: list[Node], depth: int) -> Any:
        pandas = import_pandas()
        require(len(nodes) >= 2, "node")
        index, columns = (self.labels(node, depth) for node in nodes[:2])
        require(len(nodes) == 2 + len(columns), "number of columns")
        series = [self.column(node, index, depth).array for node in nodes[2:]]
        frame = pandas.DataFrame(dict(enumerate(series)), index=index)
        frame.columns = columns
        return frame

    def make_remote(self, nodes: list[Node], depth: int) -> Any:
        require(self.resolve and nodes and isinstance(nodes[0], str), "reference")
        assert self.resolve is not None
        return self.resolve(nodes, lambda node: self.value(node, depth))
