# %% [markdown]
# Connects to the sockets of another kernel, to run code in it.

# %% greet
import glob
import os
import socket

from ipykernel import get_connection_file

own = os.path.dirname(get_connection_file())


def greet():
    for path in glob.glob('/tmp/k-*/k-*'):
        if os.path.dirname(path) != own:
            with socket.socket(socket.AF_UNIX) as s:
                try:
                    s.connect(path)
                except ConnectionRefusedError:
                    continue
                return 'hello'
    assert glob.glob(f'{own}/k-*'), 'not even its own'
    raise FileNotFoundError('no other kernel')

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"].startswith("FileNotFoundError")
