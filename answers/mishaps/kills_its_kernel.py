# %% [markdown]
# The kernel dies when the answer is called, as it does where the machine runs out of memory, or
# while a cell of the learner runs.

# %% receptive_field
import os
import signal


def receptive_field(layers):
    """Takes everything with it."""
    os.kill(os.getpid(), signal.SIGKILL)

# %% double
import os
import signal


def double(x):
    if x == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * x

# %% greet
os._exit(1)

# %% must
assert points == full_marks | {"hidden-double": 0, "test-greet": 0}
assert outcomes["hidden-double"] == "crashed"
assert "The kernel died while this ran" in messages["hidden-double"]
assert "The kernel died in a cell before this one" in messages["test-greet"]
