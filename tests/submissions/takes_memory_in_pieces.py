# %% [markdown]
# Child processes, each within its limit, that together take too much.

# %% double
import os
import signal


def double(x):
    if x == 3:
        for _ in range(4):
            if os.fork() == 0:
                held = bytearray(os.urandom(1000)) * 400_000  # noqa: F841
                signal.pause()
        os.wait()
    return 2 * x

# %% must
assert points == full_marks | {"hidden-double": 0}
assert outcomes["hidden-double"] == "out of memory"
