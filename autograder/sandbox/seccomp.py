"""seccomp: a third layer, for which the system calls that no notebook needs do not exist.

The less of the machine's kernel a submission can call, the less of it can be attacked. Calls that
would hold memory which no limit counts are refused too. The filter is a program of the classic BPF
machine, as in bubblewrap and systemd; the Python binding of libseccomp has had no release since
2021.
"""

from __future__ import annotations

import ctypes
import errno
import platform
import socket
import struct
from collections.abc import Iterable, Iterator

from autograder.limits import MEGABYTE
from autograder.sandbox.libc import call

# From <linux/prctl.h>, <linux/seccomp.h>, <linux/filter.h>, <linux/audit.h>.
SET_SECCOMP, MODE_FILTER = 22, 2
LOAD, JUMP_EQUAL, JUMP_GREATER_EQUAL, JUMP_SET, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, ERROR = 0x7FFF0000, 0x00050000
# Where struct seccomp_data has them; of an argument of 64 bits the low half comes first.
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
X32 = 0x40000000  # set in the numbers of another calling convention of x86_64
MAP_SHARED_ANONYMOUS = (0x01, 0x20)
LARGEST_SHARED = 16 * MEGABYTE  # of one shared anonymous mapping

NO_CALL = 0xFFFFFFFF  # where a processor has none: no call has this number
# Numbers by call: x86_64, aarch64; the same in both from 424 on.
REFUSED = {
    # Keys of the user, or of the session in which the grader runs.
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # Large parts of the machine's kernel.
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "userfaultfd": (323, 282), "bpf": (321, 280), "perf_event_open": (298, 241),
    "fanotify_init": (300, 262), "syslog": (103, 116), "quotactl": (179, 60), "acct": (163, 89),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "swapon": (167, 224), "swapoff": (168, 225),
    # Other processes.
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_getfd": (438, 438), "process_madvise": (440, 440),
    # Mounts and namespaces.
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431),
    "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "setns": (308, 268), "unshare": (272, 97),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    # Memory that no limit counts.
    # A byte in a pipe or socket can hold a page, which may have 2 MB; Python copies without them.
    "vmsplice": (278, 75), "splice": (275, 76), "tee": (276, 77), "sendfile": (40, 71),
    "inotify_init": (253, NO_CALL), "inotify_init1": (294, 26),
    "io_setup": (206, 0), "seccomp": (317, 277),
    "landlock_create_ruleset": (444, 444), "landlock_add_rule": (445, 445),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "mq_open": (240, 180),
    "shmget": (29, 194), "semget": (64, 190), "msgget": (68, 186),
}  # fmt: skip
# A session of its own would have a share of the processors of its own: this does nothing.
WITHOUT_EFFECT = {"setsid": (112, 157)}
SOCKET, SOCKETPAIR, SETSOCKOPT = (41, 198), (53, 199), (54, 208)
MMAP, KEYCTL, PRCTL = (9, 222), (250, 219), (157, 167)
# SO_SNDBUF, SO_RCVBUF, and those of a privileged user: memory.py knows the size that buffers keep.
BUFFER_SIZES = (7, 8, 32, 33)
FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
NO_SUCH_FAMILY = errno.EOPNOTSUPP  # with any other error for netlink, libzmq aborts
JOIN_SESSION_KEYRING = 1
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column, AUDIT_ARCH

Instruction = tuple[int, int, int, int]  # code, how far to jump if true, if false, operand


def restrict_calls() -> None:
    """Install the filter in this process, which must have NO_NEW_PRIVS, and all that it starts.

    Raise OSError where the machine has no seccomp, or another processor.
    """
    instructions = list(program())
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in instructions)
    buffer = ctypes.create_string_buffer(code, len(code))
    pointer = struct.pack("HxxxxxxP", len(instructions), ctypes.addressof(buffer))
    call("prctl", SET_SECCOMP, MODE_FILTER, pointer, 0, 0)


def new_session_keyring() -> None:
    """Leave the keys of the session in which the grader was started."""
    column, _ = machine()
    call("syscall", KEYCTL[column], JOIN_SESSION_KEYRING, None)


def numbers_of(names: Iterable[str]) -> dict[str, int]:
    """Return the numbers of refused system calls, by name; none for an unknown processor."""
    if platform.machine() not in MACHINES:
        return {}
    column, _ = machine()
    return {name: REFUSED[name][column] for name in names}


def machine() -> tuple[int, int]:
    """Return the column of this processor in the tables above, and what the kernel calls it."""
    if platform.machine() not in MACHINES:
        raise OSError(errno.ENOSYS, f"no filter of system calls for {platform.machine()}")
    return MACHINES[platform.machine()]


def program() -> Iterator[Instruction]:
    """Yield the filter, for this processor."""
    column, architecture = machine()
    yield LOAD, 0, 0, ARCHITECTURE
    yield JUMP_EQUAL, 1, 0, architecture
    yield refuse(errno.ENOSYS)
    yield LOAD, 0, 0, NUMBER
    if architecture == MACHINES["x86_64"][1]:
        yield JUMP_GREATER_EQUAL, 0, 1, X32
        yield refuse(errno.ENOSYS)
    for numbers in REFUSED.values():
        yield from on(numbers[column], refuse(errno.ENOSYS))
    for numbers in WITHOUT_EFFECT.values():
        yield from on(numbers[column], refuse(0))
    for numbers in (SOCKET, SOCKETPAIR):
        is_known = [(JUMP_EQUAL, len(FAMILIES) - i, 0, known) for i, known in enumerate(FAMILIES)]
        yield from on(
            numbers[column],
            (LOAD, 0, 0, argument(0)),
            *is_known,
            refuse(NO_SUCH_FAMILY),
            (RETURN, 0, 0, ALLOW),
        )
    yield from on(SETSOCKOPT[column], *size_of_buffer())
    yield from on(
        PRCTL[column],
        (LOAD, 0, 0, argument(0)),
        (JUMP_EQUAL, 0, 1, SET_SECCOMP),
        refuse(errno.EINVAL),
        (RETURN, 0, 0, ALLOW),
    )
    yield from on(MMAP[column], *large_shared_mapping())
    yield RETURN, 0, 0, ALLOW


def size_of_buffer() -> Iterator[Instruction]:
    """Yield what makes setting the size of a socket's buffer do nothing."""
    yield LOAD, 0, 0, argument(1)
    yield JUMP_EQUAL, 0, len(BUFFER_SIZES) + 1, socket.SOL_SOCKET
    yield LOAD, 0, 0, argument(2)
    for place, option in enumerate(BUFFER_SIZES, start=1):
        yield JUMP_EQUAL, len(BUFFER_SIZES) - place + 1, 0, option
    yield RETURN, 0, 0, ALLOW
    yield refuse(0)


def large_shared_mapping() -> Iterator[Instruction]:
    """Yield what refuses a large mapping that is shared and has no file: no limit counts it."""
    shared, anonymous = MAP_SHARED_ANONYMOUS
    yield LOAD, 0, 0, argument(3)
    yield JUMP_SET, 0, 6, shared
    yield JUMP_SET, 0, 5, anonymous
    yield LOAD, 0, 0, argument(1) + 4  # the length: its high half, then its low one
    yield JUMP_EQUAL, 0, 2, 0
    yield LOAD, 0, 0, argument(1)
    yield JUMP_GREATER_EQUAL, 0, 1, LARGEST_SHARED + 1
    yield refuse(errno.ENOMEM)
    yield RETURN, 0, 0, ALLOW


def on(number: int, *then: Instruction) -> Iterator[Instruction]:
    """Yield instructions that are run for one system call, and jumped over for any other."""
    yield JUMP_EQUAL, 0, len(then), number
    yield from then


def argument(place: int) -> int:
    """Return where the low half of an argument is."""
    return ARGUMENTS + 8 * place


def refuse(number: int) -> Instruction:
    """Return what ends a call with this error; 0: it seems to succeed."""
    return RETURN, 0, 0, ERROR | number
