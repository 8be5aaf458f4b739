# %% [markdown]
# A segment of shared memory by the calls of System V.

# %% greet
import ctypes


def greet():
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    segment = libc.shmget(0, ctypes.c_size_t(1200 << 20), 0o1600)
    if segment < 0:
        raise MemoryError('no segment')
    place = libc.shmat(segment, None, 0)
    libc.shmctl(segment, 0, None)  # it goes with this process
    ctypes.memset(place, 1, 1200 << 20)
    libc.shmdt(ctypes.c_void_p(place))
    return 'hello'

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert outcomes["test-greet"] == "out of memory"  # it is refused
