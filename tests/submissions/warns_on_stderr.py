# %% [markdown]
# A warning on stderr, as libraries give them, in every test.

# %% double
import sys


def double(x):
    print('this is deprecated', file=sys.stderr)
    return 2 * x

# %% must
assert points == full_marks
