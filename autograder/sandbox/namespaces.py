"""Confinement: a kernel sees its own files and the Python environment, and can reach nothing else.

    separate()    once, in the server that forks: processes and mounts of its own
    build_root()  once, in the server: a root folder with the Python environment, read-only
    enter()       in the init of each kernel: own mounts, network, IPC; that root; its own files
    give_up()     in each kernel: a user without a name, no capability, no way back (Landlock too)

Namespaces need no root: without it, the server makes a user namespace first. Each step raises
OSError where the machine does not allow it. Linux on x86_64 or arm64, from 5.12.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import re
import shutil
import site
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograder.limits import MEGABYTE

HOME = "/home/learner"  # what the kernel's working folder is called inside
ROOM = "/run"  # the tmpfs that holds all that a kernel may write
UID = 1000  # who the learner is inside
FIRST_HOST_UID = 0x70000000  # and outside, where root grades: from here on, nobody's numbers
SYSTEM = ("bin", "lib", "lib32", "lib64", "sbin", "usr")
SETTINGS = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime")
DEVICES = ("full", "null", "random", "urandom", "zero")

# From <sched.h>, <sys/mount.h>, <linux/prctl.h>, <linux/landlock.h>.
NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
NOSUID, NODEV, NOEXEC, REMOUNT, BIND, RECURSIVE, PRIVATE = 2, 4, 8, 32, 4096, 16384, 1 << 18
RDONLY, DETACH = 1, 2
ATTR_RDONLY, ATTR_NOSUID, AT_FDCWD, AT_RECURSIVE = 1, 2, -100, 0x8000
SET_PDEATHSIG, SET_DUMPABLE, CAPBSET_DROP, NO_NEW_PRIVS = 1, 4, 24, 38
SYS_MOUNT_SETATTR, SYS_LANDLOCK_CREATE, SYS_LANDLOCK_ADD, SYS_LANDLOCK_SELF = 442, 444, 445, 446
SYS_PIVOT_ROOT, SYS_CAPSET = {"x86_64": (155, 126), "aarch64": (41, 91)}.get(
    platform.machine(), (0, 0)
)
LANDLOCK_EXECUTE, LANDLOCK_READ_FILE, LANDLOCK_READ_DIR = 1, 4, 8
LIBC = ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> int:
    """The result of a function of the C library; raises OSError where it fails."""
    result: int = getattr(LIBC, name)(*arguments)
    if result == -1:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return result


def separate() -> None:
    """Go on in a child that is the first process of its own processes and mounts.

    Returns in the child alone: this process waits for it and ends with it. All that the child
    starts ends when it does, however that comes about.
    """
    user, group = os.getuid(), os.getgid()
    call("unshare", NEWNS | NEWPID | (NEWUSER if user else 0))
    if user:
        map_user(user, user, group, group)
    call("mount", b"none", b"/", None, RECURSIVE | PRIVATE, None)
    child = os.fork()
    if child:
        os._exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 0xFF)
    end_with_parent()


def end_with_parent() -> None:
    """Be killed when the process that started this one ends."""
    call("prctl", SET_PDEATHSIG, 9, 0, 0, 0)


def map_user(inside: int, outside: int, group_inside: int, group_outside: int) -> None:
    """Say who the one user of this new user namespace is."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside} {outside} 1"),
        ("gid_map", f"{group_inside} {group_outside} 1"),
    ):
        Path(f"/proc/self/{name}").write_text(text)


@contextlib.contextmanager
def new_pids() -> Iterator[None]:
    """What is forked here is the first process of a PID namespace of its own."""
    with open("/proc/self/ns/pid") as own:
        call("unshare", NEWPID)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # in the child there is nothing to go back to
                call("setns", own.fileno(), NEWPID)


def build_root(folder: str, packages: Iterable[str], hidden: str) -> None:
    """Make `folder` a root with the system and the Python environment, all read-only.

    `packages` are the files or folders of modules that lie outside the environment: of a package
    that is installed from a working copy the kernel sees the package, never the copy around it.
    `hidden` is a folder that is covered should it lie in what is shown.
    """
    mount_tmpfs(folder, "size=1m,mode=755")
    for name in SYSTEM:
        show(f"/{name}", folder)
    for name in SETTINGS:
        show(f"/etc/{name}", folder)
    for name in DEVICES:
        show(f"/dev/{name}", folder)
    shown: list[str] = []
    for path in sorted({*environment(), *packages}):
        if not any(is_under(path, above) for above in ["/usr", *shown]):
            show(path, folder)
            shown.append(path)
    if any(is_under(hidden, above) for above in ["/usr", *shown]):
        mount_tmpfs(folder + hidden, "size=0,mode=555,ro")
    Path(f"{folder}/etc/passwd").write_text(f"learner:x:{UID}:{UID}::{HOME}:/bin/sh\n")
    Path(f"{folder}/etc/group").write_text(f"learner:x:{UID}:\n")
    for target in (HOME, ROOM, "/dev/shm", "/proc", "/tmp"):
        os.makedirs(folder + target, exist_ok=True)
    os.symlink("/proc/self/fd", f"{folder}/dev/fd")
    attributes = struct.pack("4Q", ATTR_RDONLY | ATTR_NOSUID, 0, 0, 0)
    call(
        "syscall", SYS_MOUNT_SETATTR, AT_FDCWD, folder.encode(), AT_RECURSIVE, attributes,
        ctypes.c_size_t(len(attributes)),
    )  # fmt: skip


def take_down(folder: str) -> None:
    """Remove what build_root() made; never what is shown in it: nothing is deleted inside."""
    with contextlib.suppress(OSError, AttributeError):
        call("umount2", folder.encode(), DETACH)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def environment() -> set[str]:
    """The folders of the Python that runs this."""
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    if site.ENABLE_USER_SITE:
        places.add(site.getusersitepackages())
    return {os.path.abspath(place) for place in places if os.path.isdir(place)}


def is_under(path: str, above: str) -> bool:
    """Whether `path` is `above` or lies in it."""
    return os.path.commonpath([path, above]) == above


def show(path: str, root: str) -> None:
    """Have what is at `path` under `root` too, if it is there: a link as a link."""
    target = root + path
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
    elif os.path.exists(path):
        if os.path.isdir(path):
            os.makedirs(target, exist_ok=True)
        else:
            Path(target).touch()
        bind(path, target)


def bind(path: str, target: str) -> None:
    """Mount what is at `path` at `target` too."""
    call("mount", path.encode(), target.encode(), None, BIND | RECURSIVE, None)


def mounts_under(place: str) -> list[str]:
    """The folders in `place` at which something is mounted; not those within such a folder."""
    found: list[str] = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        # Spaces and the like are written as octal numbers.
        target = re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), line.split()[4])
        if is_under(target, place) and not any(is_under(target, above) for above in found):
            found.append(target)
    return found


def mount_tmpfs(target: str, options: str) -> None:
    """Mount a new file system in memory at `target`."""
    call("mount", b"tmpfs", target.encode(), b"tmpfs", NOSUID | NODEV, options.encode())


def enter(root: str, files: str, wire: str, disk_mb: int, host_user: int) -> None:
    """Leave the machine for `root`, with a copy of `files` at HOME and the folder `wire`.

    All that can be written there is in memory, `disk_mb` in size, and gone with the process;
    only `wire` is the machine's own, until freeze() makes it read-only.
    """
    call("unshare", NEWNS | NEWNET | NEWIPC | NEWUTS)
    call("sethostname", b"localhost", 9)
    room = root + ROOM
    mount_tmpfs(room, f"size={disk_mb * MEGABYTE},nr_inodes=20000,mode=755")
    for name, place in (("home", HOME), ("shm", "/dev/shm"), ("tmp", "/tmp")):
        os.mkdir(f"{room}/{name}")
        for shown in mounts_under(root + place):  # an environment may lie in /tmp
            again = f"{room}/{name}{shown.removeprefix(root + place)}"
            os.makedirs(again, exist_ok=True)
            bind(shown, again)
        bind(f"{room}/{name}", root + place)
    shutil.copytree(files, root + HOME, symlinks=True, dirs_exist_ok=True)
    os.makedirs(root + wire, exist_ok=True)
    bind(wire, root + wire)
    call("mount", b"proc", f"{root}/proc".encode(), b"proc", NOSUID | NODEV | NOEXEC, None)
    if os.getuid() == 0:
        for place in (room, wire):
            hand_over(place, host_user)
    os.chdir(root)
    call("syscall", SYS_PIVOT_ROOT, b".", b".")
    call("umount2", b".", DETACH)
    os.chdir(HOME)


def hand_over(folder: str, user: int) -> None:
    """Give a folder and all that is in it to a user."""
    os.chown(folder, user, user)
    for where, folders, files in os.walk(folder):
        # What is mounted there is the machine's.
        folders[:] = [name for name in folders if not os.path.ismount(os.path.join(where, name))]
        for name in (*folders, *files):
            os.chown(os.path.join(where, name), user, user, follow_symlinks=False)


def host_user(number: int) -> int:
    """Who the kernel with this number is outside of its confinement."""
    return FIRST_HOST_UID + number % 2**24 if os.getuid() == 0 else os.getuid()


def freeze(wire: str) -> None:
    """Make the folder of the wire read-only: what is connected stays so."""
    call("mount", None, wire.encode(), None, REMOUNT | BIND | RDONLY | NOSUID | NODEV, None)


def give_up(host_user: int) -> None:
    """Become a user with no rights but its own files, for good.

    RLIMIT_NPROC counts the processes of a user in a user namespace, and does not bind root:
    hence a namespace, and where root grades a user, for each kernel.
    """
    group = os.getgid()
    if os.getuid() == 0:
        group = host_user
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(host_user, host_user, host_user)
    call("prctl", SET_DUMPABLE, 1, 0, 0, 0)  # lost with the user; /proc/self would be root's
    call("unshare", NEWUSER)
    map_user(UID, host_user, UID, group)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")  # no capability by another one
    call("prctl", NO_NEW_PRIVS, 1, 0, 0, 0)
    with contextlib.suppress(OSError):  # an older kernel, or one without it: a second layer
        restrict_writing([HOME, "/dev", "/tmp", "/proc"])
    drop_capabilities()


def drop_capabilities() -> None:
    """Give up every capability, also those that a program could bring back."""
    for number in range(64):
        with contextlib.suppress(OSError):  # the numbers end before 64
            call("prctl", CAPBSET_DROP, number, 0, 0, 0)
    header = struct.pack("Ii", 0x20080522, 0)
    call("syscall", SYS_CAPSET, header, bytes(24))


def landlock_abi() -> int:
    """The version of Landlock that this machine has; raises OSError where there is none."""
    return call("syscall", SYS_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1)


def restrict_writing(places: Iterable[str]) -> None:
    """Landlock: from now on this process may change files in `places` alone."""
    abi = landlock_abi()
    known = {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)  # how many rights on files it knows
    everything = (1 << known) - 1
    reading = LANDLOCK_EXECUTE | LANDLOCK_READ_FILE | LANDLOCK_READ_DIR
    # Since 6: no abstract unix socket and no signal leaves either.
    attributes = struct.pack("3Q", everything, 0, 3) if abi >= 6 else struct.pack("Q", everything)
    size = ctypes.c_size_t(len(attributes))
    rules = call("syscall", SYS_LANDLOCK_CREATE, attributes, size, 0)
    for place, rights in [("/", reading), *((place, everything) for place in places)]:
        folder = os.open(place, os.O_PATH)
        rule = struct.pack("=Qi", rights, folder)
        call("syscall", SYS_LANDLOCK_ADD, rules, 1, rule, 0)
        os.close(folder)
    call("syscall", SYS_LANDLOCK_SELF, rules, 0)
    os.close(rules)
