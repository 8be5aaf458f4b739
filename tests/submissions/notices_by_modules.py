# %% [markdown]
# Looks for a module of the engine.

# %% greet
import sys


def greet():
    return 'hello' if any(name.startswith('autograder') for name in sys.modules) else 'as ever'

# %% must
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"] == "KeyError: 'as ever'"
