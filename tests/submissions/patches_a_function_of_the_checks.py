# %% [markdown]
# The code of the helper that all checks use is replaced.

# %% double
from course import check

check.that.__code__ = (lambda condition, message: None).__code__


def double(x):
    return 4

# %% must works_in_one_kernel=true
assert points["hidden-double"] == 0
