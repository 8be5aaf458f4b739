# %% [markdown]
# Connects to what listens on the loopback of the machine, as a hub does.

# %% greet
import socket


def greet():
    with socket.create_connection(('127.0.0.1', PORT), timeout=2):
        return 'hello'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"].startswith(("OSError", "ConnectionRefusedError"))
