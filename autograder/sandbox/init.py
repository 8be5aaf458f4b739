"""The first process of a confined kernel, its init: no submission can reach it, or outlive it.

    listen -> fork the kernel -> Init.run(): relay, reap, bound, until the kernel has ended

It passes on what grader and kernel send each other, reaps what the kernel leaves, bounds what all
its processes take together, and ends with it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import time
from collections.abc import Iterable

from autograder.sandbox.relay import Listener, Relay
from autograder.sandbox.seccomp import LARGEST_SHARED

OUT_OF_MEMORY = 137  # exit status of a kernel whose processes together took or sent too much
SCAN_SECONDS = 0.25
DRAIN_SECONDS = 2.0  # for the grader to take what a kernel sent before it ended
LOWEST_PRIORITY = 19
# Memory of the machine's kernel, counted by what it can be at most.
SOCKET_BYTES = 416 * 1024  # in the buffer of a socket: twice the usual net.core.wmem_max
FREE_SOCKETS = 64  # a kernel and its libraries have some
FREE_SHARED = 4  # the same for shared memory without a file
SHARED_MEMORY = b"/dev/zero (deleted)"  # what it is called in the list of mappings


class Init:
    """Watches over one kernel: a child of this process, which is the first of its namespace.

    `ready_end` is readable when the kernel has bound its sockets; `memory` is in bytes.
    """

    def __init__(self, kernel: int, ready_end: int, listeners: list[Listener], memory: int) -> None:
        self.kernel, self.ready_end, self.memory = kernel, ready_end, memory
        self.selector = selectors.DefaultSelector()
        self.relay = Relay(listeners, self.selector)
        self.inherited = private_memory("self")
        self.slowed: set[str] = set()  # processes with the lowest priority
        self.took_too_much = False
        self.woken, self.wake = socket.socketpair()
        for end in (self.woken, self.wake):
            end.setblocking(False)
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the kernel, in the same group
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake.fileno(), warn_on_full_buffer=False)
        self.selector.register(ready_end, selectors.EVENT_READ)
        self.selector.register(self.woken, selectors.EVENT_READ)

    def run(self) -> int:
        """Return the exit status of the kernel, once it has ended."""
        next_scan = time.monotonic() + SCAN_SECONDS
        while (status := self.reap()) is None:
            for key, events in self.selector.select(max(0.0, next_scan - time.monotonic())):
                self.handle(key, events)
            self.relay.connect()
            if time.monotonic() >= next_scan:
                self.scan()
                next_scan = time.monotonic() + SCAN_SECONDS
            if self.relay.has_sent_too_much():
                self.end_all()
        self.relay.drain(DRAIN_SECONDS)
        return OUT_OF_MEMORY if self.took_too_much else status

    def handle(self, key: selectors.SelectorKey, events: int) -> None:
        """Handle what is ready."""
        if key.fileobj == self.ready_end:  # a byte, or its other end is closed
            self.selector.unregister(self.ready_end)
            os.close(self.ready_end)
        elif key.fileobj is self.woken:
            self.woken.recv(4096)
        else:
            self.relay.handle(key, events)

    def reap(self) -> int | None:
        """Reap what has ended; return the exit status of the kernel if it is among that."""
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self.kernel:
                    return os.waitstatus_to_exitcode(ended[1]) & 0xFF
        return None

    def scan(self) -> None:
        """Slow down what the kernel started; end all where they take too much together."""
        pids = [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]
        for pid in set(pids) - self.slowed - {str(self.kernel)}:
            with contextlib.suppress(OSError):  # it has ended
                os.setpriority(os.PRIO_PROCESS, int(pid), LOWEST_PRIORITY)
        self.slowed = set(pids)
        if memory_of(pids, self.inherited) > self.memory:
            self.end_all()

    def end_all(self) -> None:
        """End all processes here but this one."""
        self.took_too_much = True
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)


def memory_of(pids: Iterable[str], inherited: int) -> int:
    """Return the bytes that processes take together, without what each `inherited`."""
    total = shared = 0
    sockets, mappings = set[str](), set[str]()
    for pid in pids:
        sizes = status_of(pid)
        total += max(0, sizes.get("RssAnon", 0) - inherited)
        shared += sizes.get("RssShmem", 0)
        sockets |= sockets_of(pid)
        mappings |= shared_mappings_of(pid)
    if shared > LARGEST_SHARED:  # slow, and seldom needed: what several share is divided
        total += sum(proportional_shared(pid) for pid in pids)
    total += max(0, len(mappings) - FREE_SHARED) * LARGEST_SHARED
    return total + max(0, len(sockets) - FREE_SOCKETS) * SOCKET_BYTES


def private_memory(pid: str) -> int:
    """Return the bytes of a process that no file holds; what it inherited counts too."""
    return status_of(pid).get("RssAnon", 0)


def status_of(pid: str, file: str = "status") -> dict[str, int]:
    """Return the sizes in a file of /proc, in bytes by name; none if the process has ended."""
    sizes = {}
    with contextlib.suppress(OSError), open(f"/proc/{pid}/{file}") as lines:
        for line in lines:
            if line.endswith("kB\n"):
                name, _, size = line.partition(":")
                sizes[name] = int(size.split()[0]) * 1024
    return sizes


def proportional_shared(pid: str) -> int:
    """Return the share of a process in the memory that it has in common with others."""
    return status_of(pid, "smaps_rollup").get("Pss_Shmem", 0)


def sockets_of(pid: str) -> set[str]:
    """Return the sockets that a process has open."""
    sockets = set()
    with contextlib.suppress(OSError):
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                target = os.readlink(f"/proc/{pid}/fd/{name}")
                if target.startswith("socket:"):
                    sockets.add(target)
    return sockets


def shared_mappings_of(pid: str) -> set[str]:
    """Return the shared memory without a file that a process has mapped, each by its number.

    A program can keep a piece of it in its sight and all of it in memory: hence the number.
    """
    with contextlib.suppress(OSError), open(f"/proc/{pid}/maps", "rb") as maps:
        text = maps.read()
        if SHARED_MEMORY in text:
            lines = (line.split(None, 5) for line in text.splitlines())
            return {f[4].decode() for f in lines if f[5:] == [SHARED_MEMORY]}
    return set()
