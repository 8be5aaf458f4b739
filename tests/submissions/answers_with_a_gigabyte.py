# %% [markdown]
# The answer is a gigabyte of zeros.

# %% double
import numpy as np


def double(x):
    return np.zeros(2**30, dtype=np.uint8)

# %% must
assert points == full_marks | {"test-double": 0, "hidden-double": 0}
assert outcomes["test-double"] == outcomes["hidden-double"] == "out of memory"
