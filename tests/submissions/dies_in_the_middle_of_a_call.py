# %% [markdown]
# Ends the process in which it is called.

# %% double
import os


def double(x):
    return 2 * x if x == 2 else os._exit(0)

# %% must
assert points == full_marks | {"hidden-double": 0}
assert outcomes["hidden-double"] == "crashed"
