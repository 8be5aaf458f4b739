# %% [markdown]
# Processes whose first thread has ended, so that Linux shows no memory of theirs.

# %% greet
import ctypes
import os
import platform
import signal
import threading
import time


def first_thread_has_ended():
    with open(f"/proc/{os.getpid()}/stat") as state:
        return ") Z " in state.read()


def hold(writing):
    while not first_thread_has_ended():
        time.sleep(0.01)
    held = b"x" * (250 << 20)
    os.write(writing, b".")
    time.sleep(60)
    del held


def greet():
    reading, writing = os.pipe()
    children = []
    for _ in range(5):
        child = os.fork()
        if not child:
            threading.Thread(target=hold, args=(writing,)).start()
            ctypes.CDLL(None).syscall(93 if platform.machine() == "aarch64" else 60, 0)
        children.append(child)
    for _ in children:
        os.read(reading, 1)
    time.sleep(1)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return "hello"

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert outcomes["test-greet"] == "out of memory"
