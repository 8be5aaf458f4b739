"""The relay between the grader and a confined kernel: bytes, counted, and nothing in common.

    grader -> socket in the grader's folder -> relay -> socket in the kernel's folder -> kernel

It runs in the kernel's init. A kernel could send a message without an end, which the grader's
client would collect in its memory: what it may send is bounded here. And it has no folder in common
with the machine.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from autograder.limits import SENT_BYTES

CHUNK = 1 << 16
GREETING = 64  # bytes, with which each side of a ZMTP 3 connection begins
SIGNATURE = b"\xff" + bytes(8) + b"\x7f\x03"  # its first bytes; an older version has other frames
LONG = 2  # flag of a frame whose length has eight bytes
FRAME_BYTES = 100  # that the reader's library takes for a frame, however short
UNKNOWN = SENT_BYTES + 1  # charged for frames that cannot be counted: nothing more may follow


class Frames:
    """Counts the frames in a stream of ZMTP 3: flags, a length of one byte or eight, a body.

    Of a stream that greets as any other version, what its reader takes for a frame is unknown.
    """

    def __init__(self) -> None:
        self.skip, self.header = GREETING, b""
        self.greeting = b""

    def is_known(self) -> bool:
        """Return whether the stream, as far as it was read, greets as ZMTP 3."""
        first = self.greeting + SIGNATURE[len(self.greeting) :]
        return first[0] == SIGNATURE[0] and first[9] == SIGNATURE[9] and first[10] >= SIGNATURE[10]

    def count(self, data: bytes) -> int:
        """Return how many frames begin in the next bytes of the stream."""
        self.greeting += data[: len(SIGNATURE) - len(self.greeting)]
        count = place = 0
        while True:
            if self.skip >= len(data) - place:
                self.skip -= len(data) - place
                return count
            place, self.skip = place + self.skip, 0
            flags = self.header[0] if self.header else data[place]
            missing = (9 if flags & LONG else 2) - len(self.header)
            self.header += data[place : place + missing]
            place += missing
            if place > len(data):
                return count
            count += 1
            self.skip, self.header = int.from_bytes(self.header[1:]), b""


@dataclass(eq=False)
class Stream:
    """One direction of a connection: what was read from `source` and waits for `target`."""

    source: socket.socket
    target: socket.socket
    frames: Frames | None = None  # of what comes from the kernel, which is counted
    waiting: bytes = b""

    def charge(self) -> int:
        """Count the bytes that wait, once; return what they take in the memory of their reader."""
        if not self.frames:
            return len(self.waiting)
        frames = self.frames.count(self.waiting)
        return len(self.waiting) + FRAME_BYTES * frames if self.frames.is_known() else UNKNOWN


@dataclass(eq=False)
class Listener:
    """A socket of the grader's folder, and the path of the kernel's that it leads to."""

    outer: socket.socket
    path: str
    accepted: list[socket.socket] = field(default_factory=list)  # until the kernel is there


def paths_of(connection_file: str) -> list[str]:
    """Return the paths of the sockets of a kernel, from its connection file."""
    with open(connection_file) as file:
        connection = json.load(file)
    ports = [value for name, value in sorted(connection.items()) if name.endswith("_port")]
    return [f"{connection['ip']}-{port}" for port in ports]


def listen(paths: Iterable[str]) -> list[Listener]:
    """Return listeners at `paths`, in the place of what a kernel before this one left there."""
    listeners = []
    for path in paths:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        outer = socket.socket(socket.AF_UNIX)
        outer.setblocking(False)
        outer.bind(path)
        outer.listen()
        listeners.append(Listener(outer, path))
    return listeners


class Relay:
    """Passes on what grader and kernel send each other.

    `selector` wakes its owner, who calls handle() for each socket that is ready, and connect()
    when the kernel may have bound its sockets.
    """

    def __init__(self, listeners: list[Listener], selector: selectors.BaseSelector) -> None:
        self.listeners, self.selector = listeners, selector
        self.streams: dict[socket.socket, tuple[Stream, Stream]] = {}  # from it, to it
        self.sent = 0  # bytes, by the kernel
        for each in listeners:
            selector.register(each.outer, selectors.EVENT_READ, each)

    def has_sent_too_much(self) -> bool:
        """Return whether the kernel sent more than it may."""
        return self.sent > SENT_BYTES

    def handle(self, ready: selectors.SelectorKey, events: int) -> None:
        """Do what a socket that is ready allows."""
        if isinstance(ready.data, Listener):
            with contextlib.suppress(OSError):
                connection, _ = ready.data.outer.accept()
                connection.setblocking(False)
                ready.data.accepted.append(connection)
            return
        assert isinstance(ready.fileobj, socket.socket)
        if ready.fileobj not in self.streams:  # closed a moment ago, with its other end
            return
        source, target = self.streams[ready.fileobj]
        if events & selectors.EVENT_WRITE:
            self.write(target)
        if events & selectors.EVENT_READ and ready.fileobj in self.streams:
            self.read(source)

    def connect(self) -> None:
        """Connect to the kernel what waits for it, if it is there."""
        for listener in self.listeners:
            while listener.accepted:
                inner = socket.socket(socket.AF_UNIX)
                inner.setblocking(False)
                try:
                    inner.connect(listener.path)
                except OSError:  # later
                    inner.close()
                    break
                self.join(listener.accepted.pop(0), inner)

    def join(self, outer: socket.socket, inner: socket.socket) -> None:
        """Pass on from now on what arrives at these two ends."""
        up, down = Stream(inner, outer, Frames()), Stream(outer, inner)
        self.streams[inner], self.streams[outer] = (up, down), (down, up)
        for end in (inner, outer):
            self.selector.register(end, selectors.EVENT_READ)

    def read(self, stream: Stream) -> None:
        """Read what there is, and pass it on."""
        try:
            stream.waiting = stream.source.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            stream.waiting = b""
        if not stream.waiting:
            self.close(stream)
            return
        if stream.frames:
            self.sent += stream.charge()
        self.write(stream)

    def write(self, stream: Stream) -> None:
        """Pass on what waits; read no more of this direction until all is gone."""
        try:
            stream.waiting = stream.waiting[stream.target.send(stream.waiting) :]
        except BlockingIOError:
            pass
        except OSError:  # it has no reader left; what the other end still sends is passed on
            stream.waiting = b""
        for end in (stream.source, stream.target):
            source, target = self.streams[end]
            events = 0 if source.waiting else selectors.EVENT_READ
            self.select(end, events | (selectors.EVENT_WRITE if target.waiting else 0))

    def select(self, end: socket.socket, events: int) -> None:
        """Wait for these events of a socket, and for no other."""
        if end in self.selector.get_map():
            if events == self.selector.get_key(end).events:
                return
            self.selector.unregister(end)
        if events:
            self.selector.register(end, events)

    def drain(self, seconds: float) -> None:
        """Pass on what a kernel sent before it ended."""
        deadline = time.monotonic() + seconds
        for stream in [source for source, _ in self.streams.values() if source.frames]:
            stream.target.settimeout(max(0.001, deadline - time.monotonic()))
            with contextlib.suppress(OSError):
                while not self.has_sent_too_much():
                    stream.target.sendall(stream.waiting)
                    stream.waiting = stream.source.recv(CHUNK)
                    if not stream.waiting:
                        break
                    self.sent += stream.charge()

    def close(self, stream: Stream) -> None:
        """Close both ends of a connection: one that ended has no use for the rest."""
        for end in (stream.source, stream.target):
            del self.streams[end]
            self.select(end, 0)
            end.close()
