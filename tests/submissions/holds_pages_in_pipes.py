# %% [markdown]
# Large pages that a pipe holds by one byte each.

# %% greet
import ctypes
import mmap
import os

HUGE = 2 << 20


class Vector(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


def greet():
    libc = ctypes.CDLL(None, use_errno=True)
    held = []
    for _ in range(40):
        pipe = os.pipe()
        held.append(pipe)
        for _ in range(15):
            memory = mmap.mmap(-1, 2 * HUGE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            memory.madvise(mmap.MADV_HUGEPAGE)
            memory.write(bytes(2 * HUGE))
            view = ctypes.c_char.from_buffer(memory)
            start = (ctypes.addressof(view) + HUGE) // HUGE * HUGE
            if libc.vmsplice(pipe[1], ctypes.byref(Vector(start, 1)), 1, 0) != 1:
                raise OSError(ctypes.get_errno(), "vmsplice")
            del view
            memory.close()
    for pipe in held:
        for end in pipe:
            os.close(end)
    return "hello"

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"] == "OSError: [Errno 38] vmsplice"
