# %% [markdown]
# Ends Python, the kernel or the call, while it is called.

# %% double
import sys


def quit_now():
    raise KeyboardInterrupt


def double(x):
    sys.exit(0) if x == 2 else quit_now()

# %% must
assert points == full_marks | {"test-double": 0, "hidden-double": 0}
