# %% [markdown]
# Writes random data into every descriptor on which another kernel may listen.

# %% double
import os
import socket
import stat

WIRES = [3] if stat.S_ISSOCK(os.fstat(3).st_mode) else []


def double(x):
    for number in WIRES:
        os.write(number, os.urandom(1000))
    return 2 * x

# %% must
assert points["hidden-double"] == points["test-double"] == 0
