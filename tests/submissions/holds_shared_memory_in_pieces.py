# %% [markdown]
# Many small pieces of shared memory: filled, and no longer in the sight of their process.

# %% greet
import mmap
import time


def greet():
    held = []
    for _ in range(90):
        piece = mmap.mmap(-1, 14 << 20)
        piece.write(bytes(14 << 20))
        piece.madvise(mmap.MADV_DONTNEED)
        held.append(piece)
    time.sleep(2)
    return 'hello'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert outcomes["test-greet"] == "out of memory"
