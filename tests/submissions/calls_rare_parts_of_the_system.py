# %% [markdown]
# Calls what no notebook needs, and what flaws of Linux are found in.

# %% greet
import ctypes
import errno
import platform
import socket

CALLS = {  # x86_64, aarch64
    "io_uring_setup": (425, 425), "userfaultfd": (323, 282), "bpf": (321, 280),
    "perf_event_open": (298, 241), "keyctl": (250, 219), "ptrace": (101, 117),
    "unshare": (272, 97), "mount": (165, 40), "fsopen": (430, 430), "memfd_secret": (447, 447),
    "open_by_handle_at": (304, 265), "process_vm_readv": (310, 270), "semget": (64, 190),
    "splice": (275, 76), "tee": (276, 77), "sendfile": (40, 71), "inotify_init1": (294, 26),
}
FAMILIES = {"netlink": 16, "alg": 38, "vsock": 40, "packet": 17, "bluetooth": 31, "xdp": 44}


def is_there(numbers):
    libc = ctypes.CDLL(None, use_errno=True)
    number = numbers[platform.machine() == "aarch64"]
    return libc.syscall(number, -1, 0, 0, 0, 0) >= 0 or ctypes.get_errno() != errno.ENOSYS


def is_known(family):
    try:
        socket.socket(family, socket.SOCK_RAW if family == 16 else socket.SOCK_STREAM).close()
    except OSError as error:
        return error.errno not in (errno.EAFNOSUPPORT, errno.EOPNOTSUPP)
    return True


def greet():
    found = [name for name, numbers in CALLS.items() if is_there(numbers)]
    found += [name for name, family in FAMILIES.items() if is_known(family)]
    if not found:
        raise NotImplementedError("nothing is there")
    return "hello"

# %% must works_unconfined=true
assert points == full_marks | {"test-greet": 0}
assert messages["test-greet"] == "NotImplementedError: nothing is there"
