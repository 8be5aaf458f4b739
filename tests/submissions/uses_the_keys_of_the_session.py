# %% [markdown]
# Puts a key into the keyring of the session, where the next submission would find it.

# %% greet
import ctypes
import platform

ADD_KEY = {"x86_64": 248, "aarch64": 217}[platform.machine()]
SESSION = -3


def greet():
    key = ctypes.CDLL(None).syscall(ADD_KEY, b"user", b"from-a-student", b"hello", 5, SESSION)
    if key < 0:
        raise PermissionError("no keyring")
    return "hello"

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"] == "PermissionError: no keyring"
