# %% [markdown]
# Closes all sockets and pipes of its kernel.

# %% double
import os


def double(x):
    os.close(3)
    return 4

# %% must
assert points == full_marks | {"test-double": 0, "hidden-double": 0}
assert outcomes["test-double"] == outcomes["hidden-double"] == "crashed"
