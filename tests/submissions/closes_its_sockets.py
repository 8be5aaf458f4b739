# %% [markdown]
# Closes all sockets and pipes of its kernel.

# %% double
import os


def double(x):
    os.close(3)
    return 4

# %% must
assert points == dict.fromkeys(full_marks, 0)
assert outcomes["test-double"] == outcomes["hidden-double"] == "crashed"
