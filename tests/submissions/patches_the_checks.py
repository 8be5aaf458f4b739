# %% [markdown]
# Whatever is wrong, no check says so.

# %% double
from course import check

check.equal = check.that = lambda *_, **__: None


def double(x):
    return 4

# %% must xfail="the tests run in the kernel of the answers: a kernel of their own is a later step"
assert points["hidden-double"] == 0
