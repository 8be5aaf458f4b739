# %% [markdown]
# Every process starts another one, as fast as it can.

# %% double
import os
import signal


def double(x):
    if x == 3:
        parent = os.getpid()
        try:
            while True:
                os.fork()
        except BlockingIOError:
            if os.getpid() != parent:
                signal.pause()
        finally:
            if os.getpid() != parent:
                os._exit(0)
        raise BlockingIOError('no more processes')
    return 2 * x

# %% must
assert points["hidden-double"] == 0
assert points["test-double"] == 1
assert outcomes["hidden-double"] in ("failed", "timed out")
# What a hundred processes take may also be too much, or take too long to add up.
assert points["test-greet"] == 4 or "too much memory" in messages["test-greet"], messages
