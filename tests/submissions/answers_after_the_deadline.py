# %% [markdown]
# The answer comes after the time limit.

# %% double
import time


def double(x):
    time.sleep(limits_seconds if x == 3 else 0)
    return 2 * x


limits_seconds = 8

# %% must
assert points == full_marks | {"hidden-double": 0}
assert outcomes["hidden-double"] == "timed out"
