"""Confinement: a kernel sees its own files and the Python environment, and can reach nothing else.

    unshare_namespaces()  once, in the server that forks: its own processes and mounts
    build_root()          once, in the server: a root folder with the Python environment, read-only
    enter_root()          in the init of each kernel: its own mounts, network, IPC; that root
    drop_privileges()     in each kernel: an unnamed user, no capability; Landlock, seccomp

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
from autograder.sandbox import CONNECTION_FILE, landlock, seccomp
from autograder.sandbox.libc import call

HOME = "/home/learner"  # what the kernel's working folder is called inside
WRITABLE = "/run"  # the tmpfs that holds all that a kernel may write
UID = 1000  # of the learner inside
FIRST_HOST_UID = 0x70000000  # and outside, where root grades: from here on, numbers of no user
SYSTEM = ("bin", "lib", "lib32", "lib64", "sbin", "usr")
SETTINGS = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime")
# Without "zero": a shared mapping of it is memory without a limit.
DEVICES = ("full", "null", "random", "urandom")

# From <sched.h>, <sys/mount.h>, <linux/prctl.h>.
NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = (
    0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
NOSUID, NODEV, NOEXEC, BIND, RECURSIVE, PRIVATE = 2, 4, 8, 4096, 16384, 1 << 18
DETACH = 2
ATTR_RDONLY, ATTR_NOSUID, AT_FDCWD, AT_RECURSIVE = 1, 2, -100, 0x8000
SET_PDEATHSIG, SET_DUMPABLE, CAPBSET_DROP, NO_NEW_PRIVS = 1, 4, 24, 38
SYS_MOUNT_SETATTR = 442
SYS_PIVOT_ROOT, SYS_CAPSET = {"x86_64": (155, 126), "aarch64": (41, 91)}.get(
    platform.machine(), (0, 0)
)


def unshare_namespaces() -> None:
    """Go on in a child that is the first process of new PID and mount namespaces.

    Return in the child alone: this process waits for it and ends with it. All that the child
    starts ends when it does, for whatever reason.
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
    """Have this process killed when the one that started it ends."""
    call("prctl", SET_PDEATHSIG, 9, 0, 0, 0)


def map_user(inside: int, outside: int, group_inside: int, group_outside: int) -> None:
    """Map the only user of this new user namespace."""
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{inside} {outside} 1"),
        ("gid_map", f"{group_inside} {group_outside} 1"),
    ):
        Path(f"/proc/self/{name}").write_text(text)


@contextlib.contextmanager
def new_pids() -> Iterator[None]:
    """Put a child that is forked in this context into a new PID namespace, as its first process."""
    with open("/proc/self/ns/pid") as namespace:
        call("unshare", NEWPID)
        try:
            yield
        finally:
            with contextlib.suppress(OSError):  # the child has no namespace to return to
                call("setns", namespace.fileno(), NEWPID)


def build_root(folder: str, packages: Iterable[str], hidden: str) -> None:
    """Make `folder` a root with the system and the Python environment, all read-only.

    `packages` are the files or folders of modules that lie outside the environment: of a package
    that is installed from a working copy the kernel sees the package, never the copy around it.
    `hidden` is a folder that is covered where it lies within what is mounted.
    """
    mount_tmpfs(folder, "size=1m,mode=755")
    for name in SYSTEM:
        bind_mount(f"/{name}", folder)
    for name in SETTINGS:
        bind_mount(f"/etc/{name}", folder)
    for name in DEVICES:
        bind_mount(f"/dev/{name}", folder)
    mounted: list[str] = []
    for path in sorted({*environment(), *packages}):
        if not any(is_under(path, above) for above in ["/usr", *mounted]):
            bind_mount(path, folder)
            mounted.append(path)
    if any(is_under(hidden, above) for above in ["/usr", *mounted]):
        mount_tmpfs(folder + hidden, "size=0,mode=555,ro")
    Path(f"{folder}/etc/passwd").write_text(f"learner:x:{UID}:{UID}::{HOME}:/bin/sh\n")
    Path(f"{folder}/etc/group").write_text(f"learner:x:{UID}:\n")
    for target in (HOME, WRITABLE, "/dev/shm", "/proc", "/tmp"):
        os.makedirs(folder + target, exist_ok=True)
    os.symlink("/proc/self/fd", f"{folder}/dev/fd")
    attributes = struct.pack("4Q", ATTR_RDONLY | ATTR_NOSUID, 0, 0, 0)
    call(
        "syscall", SYS_MOUNT_SETATTR, AT_FDCWD, folder.encode(), AT_RECURSIVE, attributes,
        ctypes.c_size_t(len(attributes)),
    )  # fmt: skip


def remove_root(folder: str) -> None:
    """Remove what build_root() made, never what is mounted in it: nothing is deleted inside."""
    with contextlib.suppress(OSError, AttributeError):
        call("umount2", folder.encode(), DETACH)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def environment() -> set[str]:
    """Return the folders of the Python that runs this."""
    places = {sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix}
    if site.ENABLE_USER_SITE:
        places.add(site.getusersitepackages())
    return {os.path.abspath(place) for place in places if os.path.isdir(place)}


def is_under(path: str, above: str) -> bool:
    """Return whether `path` is `above` or lies within it."""
    return os.path.commonpath([path, above]) == above


def bind_mount(path: str, root: str) -> None:
    """Mount what is at `path` under `root` too, if it exists: a link as a link."""
    target = root + path
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if os.path.islink(path):
        os.symlink(os.readlink(path), target)
    elif os.path.exists(path):
        if os.path.isdir(path):
            os.makedirs(target, exist_ok=True)
        else:
            Path(target).touch()
        mount_at(path, target)


def mount_at(path: str, target: str) -> None:
    """Mount what is at `path` at `target` too."""
    call("mount", path.encode(), target.encode(), None, BIND | RECURSIVE, None)


def mounts_under(place: str) -> list[str]:
    """Return the mount points in `place`, without those within another one."""
    mounts: list[str] = []
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        # Spaces and the like are octal numbers there.
        target = re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), line.split()[4])
        if is_under(target, place) and not any(is_under(target, above) for above in mounts):
            mounts.append(target)
    return mounts


def mount_tmpfs(target: str, options: str) -> None:
    """Mount a new file system in memory at `target`."""
    call("mount", b"tmpfs", target.encode(), b"tmpfs", NOSUID | NODEV, options.encode())


def enter_root(root: str, files: str, sockets: str, disk_mb: int, host_user: int) -> None:
    """Leave the machine for `root`, with a copy of `files` at HOME and a folder `sockets`.

    All that can be written there is in memory, `disk_mb` in size, and removed with the process. Of
    the machine's folder `sockets` it has the connection file alone.
    """
    call("unshare", NEWNS | NEWNET | NEWIPC | NEWUTS)
    call("sethostname", b"localhost", 9)
    with contextlib.suppress(OSError):  # what closed sockets sent to one that does not read it
        Path("/proc/sys/net/unix/max_dgram_qlen").write_text("1")
    writable = root + WRITABLE
    mount_tmpfs(writable, f"size={disk_mb * MEGABYTE},nr_inodes=20000,mode=755")
    for name, place in (("home", HOME), ("shm", "/dev/shm"), ("tmp", "/tmp")):
        os.mkdir(f"{writable}/{name}")
        for mounted in mounts_under(root + place):  # an environment may lie in /tmp
            again = f"{writable}/{name}{mounted.removeprefix(root + place)}"
            os.makedirs(again, exist_ok=True)
            mount_at(mounted, again)
        mount_at(f"{writable}/{name}", root + place)
    shutil.copytree(files, root + HOME, symlinks=True, dirs_exist_ok=True)
    os.makedirs(root + sockets, exist_ok=True)
    shutil.copy(f"{sockets}/{CONNECTION_FILE}", root + sockets)
    call("mount", b"proc", f"{root}/proc".encode(), b"proc", NOSUID | NODEV | NOEXEC, None)
    if os.getuid() == 0:
        change_owner(writable, host_user)
    os.chdir(root)
    call("syscall", SYS_PIVOT_ROOT, b".", b".")
    call("umount2", b".", DETACH)
    os.chdir(HOME)


def change_owner(folder: str, user: int) -> None:
    """Give a folder and all that is in it to a user."""
    os.chown(folder, user, user)
    for where, folders, files in os.walk(folder):
        # What is mounted there belongs to the machine.
        folders[:] = [name for name in folders if not os.path.ismount(os.path.join(where, name))]
        for name in (*folders, *files):
            os.chown(os.path.join(where, name), user, user, follow_symlinks=False)


def host_user(number: int) -> int:
    """Return the user id, outside of its confinement, of the kernel with this number."""
    return FIRST_HOST_UID + number % 2**24 if os.getuid() == 0 else os.getuid()


def drop_privileges(host_user: int) -> None:
    """Become a user with no rights but to its own files, for good.

    RLIMIT_NPROC counts the processes of a user in a user namespace, and does not bind root:
    hence a namespace, and where root grades a user, for each kernel.
    """
    group = os.getgid()
    if os.getuid() == 0:
        group = host_user
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(host_user, host_user, host_user)
    with contextlib.suppress(OSError):  # built without keys
        seccomp.new_session_keyring()
    call("prctl", SET_DUMPABLE, 1, 0, 0, 0)  # cleared with the user; /proc/self would be root's
    call("unshare", NEWUSER)
    map_user(UID, host_user, UID, group)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")  # no way to get a capability
    call("prctl", NO_NEW_PRIVS, 1, 0, 0, 0)
    with contextlib.suppress(OSError):  # an older kernel, or one without it: a second layer
        landlock.restrict_writing([HOME, "/dev", "/tmp", "/proc"])
    drop_capabilities()
    with contextlib.suppress(OSError):  # the same: a third layer
        seccomp.restrict_calls()


def drop_capabilities() -> None:
    """Drop every capability, also those that a program could restore."""
    for number in range(64):
        with contextlib.suppress(OSError):  # the numbers end before 64
            call("prctl", CAPBSET_DROP, number, 0, 0, 0)
    header = struct.pack("Ii", 0x20080522, 0)
    call("syscall", SYS_CAPSET, header, bytes(24))
