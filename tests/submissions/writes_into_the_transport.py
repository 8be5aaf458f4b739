# %% [markdown]
# Writes random data into every descriptor on which another kernel may listen.

# %% double
import os
import stat

SOCKETS = [3] if stat.S_ISSOCK(os.fstat(3).st_mode) else []


def double(x):
    for number in SOCKETS:
        os.write(number, os.urandom(1000))
    return 2 * x

# %% must
assert points == dict.fromkeys(full_marks, 0)
assert outcomes["test-double"] == outcomes["hidden-double"] == "crashed"
