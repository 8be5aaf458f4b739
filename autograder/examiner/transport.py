"""Messages over the socket between two kernels.

A call may be interrupted between two steps, never within one: the stream stays in step, and what
was not sent goes first the next time.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import threading
from collections.abc import Iterator

from autograder.examiner.codec import HEAD, CodecError, Message, lengths, pack, unpack

STEP = 2**20  # bytes that are sent or received without a look at interrupts


class WireLost(ConnectionError):
    """The kernel at the other end is gone, or speaks another language."""


class Wire:
    """One end of the socket."""

    def __init__(self, number: int) -> None:
        self.socket = socket.socket(fileno=number)
        self.socket.setblocking(False)
        self.outgoing: list[memoryview] = []
        self.incoming = bytearray(HEAD.size)
        self.filled = 0

    def send(self, message: Message) -> None:
        """Send a message, all of it. Raises CodecError where it cannot be one, else WireLost."""
        self.outgoing += [memoryview(piece) for piece in pack(message) if len(piece)]
        while self.outgoing:
            self.wait(select.POLLOUT)
            with uninterrupted(), self.lost_if_broken():
                sent = self.socket.send(self.outgoing[0][:STEP])
                self.outgoing[0] = self.outgoing[0][sent:]
                if not self.outgoing[0]:
                    del self.outgoing[0]

    def receive(self) -> Message:
        """The next message. Raises WireLost, or CodecError for one that is none."""
        while self.filled < len(self.incoming) or self.filled == HEAD.size:
            if self.filled == HEAD.size == len(self.incoming):
                self.make_room()
                if self.filled == len(self.incoming):
                    break
            self.wait(select.POLLIN)
            with uninterrupted(), self.lost_if_broken():
                room = memoryview(self.incoming)[self.filled : self.filled + STEP]
                got = self.socket.recv_into(room)
                if not got:
                    raise ConnectionResetError
                self.filled += got
        frame, self.incoming, self.filled = self.incoming, bytearray(HEAD.size), 0
        return unpack(frame)

    def make_room(self) -> None:
        """Room for the rest of the message whose head has come."""
        try:
            size = sum(lengths(bytes(self.incoming)))
        except CodecError:
            self.close()  # nobody knows where the next message begins
            raise WireLost("what arrives is no message") from None
        self.incoming = self.incoming + bytes(size)

    def wait(self, event: int) -> None:
        """Until the socket is ready; an interrupt is heard here."""
        if self.socket.fileno() < 0:
            raise WireLost("the wire is closed")
        poll = select.poll()
        poll.register(self.socket, event)
        poll.poll()

    @contextlib.contextmanager
    def lost_if_broken(self) -> Iterator[None]:
        try:
            yield
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            raise WireLost("the kernel at the other end is gone") from None

    def close(self) -> None:
        """Hang up; the other end hears it."""
        self.socket.close()


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """An interrupt waits until this is over; a thread other than the main one hears none."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
