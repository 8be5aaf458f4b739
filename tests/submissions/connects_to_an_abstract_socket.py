# %% [markdown]
# Connects to a socket that has a name and no path.

# %% greet
import socket


def greet():
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(chr(0) + 'COURSE')
        return 'hello'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"].startswith(("ConnectionRefusedError", "PermissionError"))
