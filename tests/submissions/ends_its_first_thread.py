# %% [markdown]
# Processes whose first thread has ended, so that Linux shows no memory of theirs.

# %% greet
import ctypes
import os
import platform
import signal
import threading
import time


def hold():
    held = bytearray(250 << 20)
    held[::4096] = held[::4096]
    time.sleep(60)


def greet():
    children = []
    for _ in range(6):
        child = os.fork()
        if not child:
            threading.Thread(target=hold).start()
            ctypes.CDLL(None).syscall(93 if platform.machine() == "aarch64" else 60, 0)
        children.append(child)
    time.sleep(3)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return "hello"

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert outcomes["test-greet"] == "out of memory"
