# %% [markdown]
# Looks whether a module of the engine is there.

# %% greet
import sys


def greet():
    return 'hello' if any(name.startswith('autograder') for name in sys.modules) else 'as ever'

# %% must xfail="the kernel is made by a module that its own cells can see"
assert points == full_marks | {"test-greet": 0}
