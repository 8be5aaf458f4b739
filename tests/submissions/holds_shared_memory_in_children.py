# %% [markdown]
# Small pieces of shared memory, some in each of several processes.

# %% greet
import mmap
import os
import signal
import time


def greet():
    children = []
    for _ in range(10):
        child = os.fork()
        if not child:
            pieces = [mmap.mmap(-1, 15 << 20) for _ in range(8)]
            for piece in pieces:
                piece.write(bytes(15 << 20))
            signal.pause()
        children.append(child)
    time.sleep(3)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    return 'hello'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert outcomes["test-greet"] == "out of memory"
