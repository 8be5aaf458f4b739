# %% [markdown]
# Empty parts of a message without a last one: each takes its reader thirty times its size.

# %% double
import os
import socket


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
        parts = b"\x01\x00" * 500_000
        sent = 0
        for end in list(connections()):
            end.setblocking(True)
            try:
                for _ in range(80):
                    end.sendall(parts)
                    sent += len(parts)
            except OSError:
                pass  # this one has been closed
        if not sent:
            raise OSError("there was no socket")
    return 2 * x

# %% must
assert points["test-greet"] == 4
assert points["hidden-double"] == 0
assert outcomes["hidden-double"] in ("out of memory", "crashed", "timed out"), (outcomes, messages)
