# %% [markdown]
# Closes all sockets and pipes of its kernel.

# %% double
import os
import socket
import stat

WIRES = [3] if stat.S_ISSOCK(os.fstat(3).st_mode) else []


def double(x):
    os.close(3)
    return 4

# %% must
assert points["hidden-double"] == 0
