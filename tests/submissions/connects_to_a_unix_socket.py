# %% [markdown]
# Connects to a socket with a path, as docker or a database have.

# %% greet
import socket


def greet():
    with socket.socket(socket.AF_UNIX) as s:
        s.connect('COURSE/socket')
        return 'hello'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"].startswith("FileNotFoundError")
