# %% [markdown]
# Signals a process of the instructor.

# %% greet
import os
import signal


def greet():
    os.kill(PID, signal.SIGCONT)
    return 'hello'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"].startswith("ProcessLookupError")
