# %% [markdown]
# Processes that read a byte of every two megabytes: of no memory, but each needs a table.

# %% greet
import mmap
import os
import signal
import time

STEP = 2 << 20


def greet():
    reading, writing = os.pipe()
    children = []
    for _ in range(80):
        child = os.fork()
        if not child:
            space = mmap.mmap(-1, 7500 * STEP, flags=0x4022, prot=mmap.PROT_READ)
            space.madvise(mmap.MADV_NOHUGEPAGE)
            sum(space[place] for place in range(0, 7500 * STEP, STEP))
            os.write(writing, b".")
            signal.pause()
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
