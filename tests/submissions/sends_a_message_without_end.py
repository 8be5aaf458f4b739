# %% [markdown]
# Parts of a message without a last one, on the sockets of the kernel: its reader would collect all.

# %% double
import os
import socket
import struct


def connections():
    for name in os.listdir("/proc/self/fd"):
        try:
            end = socket.socket(fileno=os.dup(int(name)))
            if end.family == socket.AF_UNIX and "-" in str(end.getsockname()):
                end.getpeername()
                yield end
        except OSError:
            pass


def double(x):
    if x == 3:
        part = struct.pack(">BQ", 3, 10**6) + bytes(10**6)
        sent = 0
        for end in list(connections()):
            end.setblocking(True)
            try:
                for _ in range(1000):
                    end.sendall(part)
                    sent += len(part)
            except OSError:
                pass  # this one has been closed
        if not sent:
            raise OSError("there was no socket")
    return 2 * x

# %% must
assert points["test-greet"] == 4
assert points["hidden-double"] == 0
# On a busy machine the time of the cell ends first.
assert outcomes["hidden-double"] in ("out of memory", "timed out"), (outcomes, messages)
