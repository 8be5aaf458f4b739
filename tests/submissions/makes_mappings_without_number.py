# %% [markdown]
# So many mappings, in forty processes, that looking at them takes longer than filling the memory.

# %% greet
import ctypes
import mmap
import os
import signal
import time


def greet():
    shared = mmap.mmap(-1, 4096)  # noqa: F841
    libc = ctypes.CDLL(None)
    libc.mmap.restype = ctypes.c_void_p
    base = libc.mmap(None, ctypes.c_size_t(4096 * 62_000), 0, 34, -1, ctypes.c_long(0))
    for page in range(0, 62_000, 2):
        libc.mprotect(ctypes.c_void_p(base + 4096 * page), ctypes.c_size_t(4096), 1)
    children = []
    for number in range(52):
        child = os.fork()
        if not child:
            held = bytearray((140 << 20) * (number >= 40))
            held[::4096] = held[::4096]
            signal.pause()
        children.append(child)
    time.sleep(4)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return "hello"

# %% must
assert points == full_marks | {"test-greet": 0}
assert outcomes["test-greet"] in ("out of memory", "timed out")
