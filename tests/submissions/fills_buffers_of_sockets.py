# %% [markdown]
# Sockets that nobody reads, with full buffers, in several processes.

# %% greet
import os
import signal
import socket
import time


def fill(pairs):
    for pair in pairs:
        for end in pair:
            end.setblocking(False)
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
            try:
                while True:
                    end.send(bytes(1 << 16))
            except BlockingIOError:
                pass


def greet():
    children = []
    reading, writing = os.pipe()
    for _ in range(8):
        child = os.fork()
        if not child:
            pairs = [socket.socketpair() for _ in range(200)]
            fill(pairs)
            os.write(writing, b".")
            signal.pause()
        children.append(child)
    for _ in children:
        os.read(reading, 1)
    time.sleep(1)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return 'hello'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
# On a busy machine the time of the cell ends first.
assert outcomes["test-greet"] in ("out of memory", "timed out"), (outcomes, messages)
