# %% [markdown]
# Files in memory that have no name, and lie on no disk.

# %% greet
import os


def greet():
    files = [os.memfd_create('held') for _ in range(70)]
    for file in files:
        os.write(file, bytes(18 << 20))
    for file in files:
        os.close(file)
    return 'hello'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"] == "OSError: [Errno 38] Function not implemented"
