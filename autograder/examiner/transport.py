"""Send and receive messages over the socket between two kernels.

An interrupt is delivered between two steps, never within one: the stream stays consistent, and
what was not sent goes first the next time.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import threading
from collections.abc import Iterator

from autograder.examiner.codec import HEAD, CodecError, Message, lengths, pack, unpack

STEP = 2**20  # bytes that are sent or received while interrupts are blocked


class TransportClosed(ConnectionError):
    """The other end is gone, or sends what is not a message."""


class Transport:
    """One end of the socket."""

    def __init__(self, number: int) -> None:
        self.socket = socket.socket(fileno=number)
        self.socket.setblocking(False)
        self.outgoing: list[memoryview] = []
        self.incoming = bytearray(HEAD.size)
        self.filled = 0

    def send(self, message: Message) -> None:
        """Send all of a message. Raise CodecError if it cannot be encoded, or TransportClosed."""
        self.outgoing += [memoryview(piece) for piece in pack(message) if len(piece)]
        while self.outgoing:
            self.wait(select.POLLOUT)
            with uninterrupted(), self.close_if_broken():
                sent = self.socket.send(self.outgoing[0][:STEP])
                self.outgoing[0] = self.outgoing[0][sent:]
                if not self.outgoing[0]:
                    del self.outgoing[0]

    def receive(self) -> Message:
        """Return the next message. Raise CodecError for an invalid one, or TransportClosed."""
        while self.filled < len(self.incoming) or self.filled == HEAD.size:
            if self.filled == HEAD.size == len(self.incoming):
                self.make_room()
                if self.filled == len(self.incoming):
                    break
            self.wait(select.POLLIN)
            with uninterrupted(), self.close_if_broken():
                room = memoryview(self.incoming)[self.filled : self.filled + STEP]
                got = self.socket.recv_into(room)
                if not got:
                    raise ConnectionResetError
                self.filled += got
        frame, self.incoming, self.filled = self.incoming, bytearray(HEAD.size), 0
        return unpack(frame)

    def make_room(self) -> None:
        """Make room for the rest of the message whose head has arrived."""
        try:
            size = sum(lengths(bytes(self.incoming)))
        except CodecError:
            self.close()  # it is unknown where the next message begins
            raise TransportClosed("what arrives is not a message") from None
        self.incoming = self.incoming + bytes(size)

    def wait(self, event: int) -> None:
        """Wait until the socket is ready; an interrupt is delivered here."""
        if self.socket.fileno() < 0:
            raise TransportClosed("the transport is closed")
        poll = select.poll()
        poll.register(self.socket, event)
        poll.poll()

    @contextlib.contextmanager
    def close_if_broken(self) -> Iterator[None]:
        try:
            yield
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            raise TransportClosed("the kernel at the other end is gone") from None

    def close(self) -> None:
        """Close this end; the other end notices."""
        self.socket.close()


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Delay interrupts until this context ends; only the main thread receives any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
