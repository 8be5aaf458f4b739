"""The relay counts what a kernel sends as its reader does: in frames, however they arrive."""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq
from hypothesis import given
from hypothesis import strategies as st

from autograder.limits import SENT_BYTES
from autograder.sandbox.init import OUT_OF_MEMORY, Init
from autograder.sandbox.memory import Processes
from autograder.sandbox.relay import FRAME_BYTES, Frames, Relay, listen

GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x01" + b"NULL".ljust(20, b"\0") + bytes(32)  # ZMTP 3.1
OLDER = {
    "ZMTP 1": b"\x01\x00",
    "ZMTP 2": b"\xff" + bytes(7) + b"\x01\x7f\x01\x01\x00\x00",
    "without a signature": bytes(64),
}
FRAMES = st.lists(st.tuples(st.integers(0, 1), st.binary(max_size=400)), max_size=20)


def encoded(frames: list[tuple[int, bytes]]) -> bytes:
    """Return a stream of ZMTP 3, by its specification."""
    stream = GREETING
    for more, body in frames:
        is_long = len(body) > 255
        stream += bytes([more | 2 * is_long]) + len(body).to_bytes(8 if is_long else 1) + body
    return stream


@given(FRAMES, st.lists(st.integers(1, 100), min_size=1, max_size=30))
def test_frames_are_counted_however_the_stream_is_cut(
    frames: list[tuple[int, bytes]], sizes: list[int]
) -> None:
    stream, counter, found, turn = encoded(frames), Frames(), 0, 0
    while stream:
        size = sizes[turn % len(sizes)]
        found, stream, turn = found + counter.count(stream[:size]), stream[size:], turn + 1
    assert found == len(frames)


def test_empty_frames_cost_what_their_reader_needs_for_them() -> None:
    counter = Frames()
    counter.count(GREETING)
    frames = counter.count(b"\x01\x00" * 1_000_000)
    assert frames == 1_000_000
    assert frames * FRAME_BYTES < SENT_BYTES < 3 * frames * FRAME_BYTES


@pytest.fixture
def relay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Relay:
    monkeypatch.chdir(tmp_path)  # a path of a socket is short
    return Relay(listen(["k-1"]), selectors.DefaultSelector())


def run(relay: Relay, until: threading.Event) -> None:
    deadline = time.monotonic() + 20
    while not until.is_set() and time.monotonic() < deadline:
        for key, events in relay.selector.select(0.05):
            relay.handle(key, events)
        relay.connect()


def test_messages_of_any_size_arrive_whole_and_in_order(relay: Relay) -> None:
    messages = [bytes([number % 256]) * size for number, size in enumerate([0, 1, 255, 256] * 50)]
    messages.append(b"x" * 5_000_000)
    Path("k-1").rename("outer")  # both ends have one path, in folders of their own
    done = threading.Event()
    with zmq.Context() as context, context.socket(zmq.PUSH) as kernel:
        kernel.bind("ipc://k-1")
        with context.socket(zmq.PULL) as grader:
            grader.connect("ipc://outer")
            thread = threading.Thread(target=run, args=(relay, done))
            thread.start()
            for message in messages:
                kernel.send(message)
            received = [grader.recv() for _ in messages]
            done.set()
            thread.join()
    assert received == messages
    assert relay.sent > sum(map(len, messages))
    for listener in relay.listeners:
        listener.outer.close()
    for end in list(relay.streams):
        end.close()


@pytest.mark.parametrize("size", [1, 7, 64])
@pytest.mark.parametrize("version", [*OLDER, "ZMTP 3"])
def test_a_stream_whose_frames_cannot_be_counted_is_too_much(
    version: str, size: int, relay: Relay
) -> None:
    greeting = OLDER.get(version, GREETING)
    (inner, theirs), (outer, grader) = socket.socketpair(), socket.socketpair()
    relay.join(outer, inner)
    for place in range(0, len(greeting), size):
        theirs.sendall(greeting[place : place + size])
        for key, events in relay.selector.select(0.05):
            relay.handle(key, events)
    assert relay.has_sent_too_much() == (version in OLDER)
    for end in (inner, theirs, outer, grader, *(listener.outer for listener in relay.listeners)):
        end.close()


def test_what_an_ended_kernel_sent_still_arrives(relay: Relay) -> None:
    inner, theirs = socket.socketpair()
    outer, grader = socket.socketpair()
    relay.join(outer, inner)
    theirs.sendall(GREETING + b"\x00\x0alast words")
    theirs.close()
    relay.drain(2)
    assert grader.recv(100).endswith(b"last words")
    for end in (inner, outer, grader, *(listener.outer for listener in relay.listeners)):
        end.close()


def test_a_kernel_takes_the_place_of_one_before_it(relay: Relay) -> None:
    (again,) = listen(["k-1"])
    with socket.socket(socket.AF_UNIX) as client:
        client.connect("k-1")
        again.outer.accept()[0].close()
    for listener in (again, *relay.listeners):
        listener.outer.close()


class Child(Processes):
    """One child, in place of all processes of a namespace."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def pids(self) -> list[str]:
        return []

    def send(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)


@pytest.fixture
def init() -> Iterator[Init]:
    """An init, whose kernel ends by itself after two seconds."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGCHLD, signal.SIGINT)}
    ready = socket.socketpair()
    kernel = os.posix_spawn("/bin/sleep", ["sleep", "2"], {})
    made = Init(kernel, ready[0].detach(), [], 1 << 50)
    made.processes = Child(kernel)
    yield made
    signal.set_wakeup_fd(-1)
    for number, handler in handlers.items():
        signal.signal(number, handler)
    for end in (made.woken, made.wake, ready[1]):
        end.close()


def test_a_kernel_that_sent_too_much_is_ended(init: Init) -> None:
    init.relay.sent = SENT_BYTES + 1
    assert init.run() == OUT_OF_MEMORY


def test_an_init_that_was_woken_sleeps_again(init: Init) -> None:
    os.kill(init.kernel, signal.SIGKILL)  # SIGCHLD wakes it
    woken = [(key, events) for key, events in init.selector.select(20) if key.fd != init.ready_end]
    assert woken
    for key, events in woken:
        init.handle(key, events)
    assert init.selector.select(0) == []
    assert init.reap() == -signal.SIGKILL & 0xFF
    os.close(init.ready_end)
