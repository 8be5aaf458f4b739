# %% [markdown]
# Sixty children that compute, each in a session of its own, while its neighbours are graded.

# %% double
import os
import signal
import time


def compute(end):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.setsid()
    while time.monotonic() < end:
        pass
    os._exit(0)


def double(x):
    if x == 3:
        end = time.monotonic() + 2
        for _ in range(60):
            if os.fork() == 0:
                compute(end)
    return 2 * x

# %% must
# No neighbour is worth less: their scripts say what they are worth.
assert points["test-greet"] == 4
