# %% [markdown]
# One large piece of memory that is shared, and has no file.

# %% greet
import mmap
import time


def greet():
    held = mmap.mmap(-1, 1200 << 20)
    for _ in range(1200):
        held.write(bytes(1 << 20))
    time.sleep(1)
    return 'hello'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert outcomes["test-greet"] == "out of memory"  # it is refused
