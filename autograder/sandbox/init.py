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
from collections.abc import Sequence

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
FREE_TABLES = 16 << 20  # of pages, in each process
FREE_MAPPINGS = 8_000  # in each process; one with torch has two thousand
MAPPING_BYTES = 400  # of Linux for one, and for what it is found by
MAX_LIST_BYTES = 4 << 20  # read of a list of mappings: more than 30,000
MAX_SCAN_SECONDS = 1.0  # of a processor; one that makes a look take longer is ended
SHARED_MEMORY = b"/dev/zero (deleted)"  # what it is called in the list of mappings


def woken_by_children() -> tuple[socket.socket, socket.socket]:
    """Return a socket that is readable when a child has ended, and the end that makes it so."""
    woken, wake = socket.socketpair()
    for end in (woken, wake):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    return woken, wake


class Init:
    """Watches over one kernel: a child of this process, which is the first of its namespace.

    `ready_end` is readable when the kernel has bound its sockets; `memory` is in bytes.
    """

    def __init__(self, kernel: int, ready_end: int, listeners: list[Listener], memory: int) -> None:
        self.kernel, self.ready_end, self.memory = kernel, ready_end, memory
        self.selector = selectors.DefaultSelector()
        self.relay = Relay(listeners, self.selector)
        self.inherited = status_of("self").get("RssAnon", 0)
        self.slowed: set[str] = set()  # processes with the lowest priority
        self.took_too_much = False
        self.woken, self.wake = woken_by_children()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the kernel, in the same group
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
        began = time.thread_time()
        took = memory_of(pids, self.inherited, self.memory)
        if took > self.memory or time.thread_time() - began > MAX_SCAN_SECONDS:
            self.end_all()

    def end_all(self) -> None:
        """End all processes here but this one."""
        self.took_too_much = True
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)


def memory_of(pids: Sequence[str], inherited: int, limit: int) -> int:
    """Return the bytes that processes take together, without what each `inherited`.

    Above `limit` it is a part of them: what is quick to find comes first.
    """
    sizes = [status_of(pid) for pid in pids]
    total = sum(max(0, each.get("RssAnon", 0) - inherited) for each in sizes)
    total += sum(max(0, each.get("VmPTE", 0) - FREE_TABLES) for each in sizes)
    if total > limit:  # the rest takes time
        return total
    shared = sum(each.get("RssShmem", 0) for each in sizes)
    if shared > LARGEST_SHARED:  # seldom needed: what several share is divided
        total += sum(proportional_shared(pid) for pid in pids)
    sockets, mappings, held = set[str](), set[str](), 0
    for pid in pids:
        sockets |= sockets_of(pid)
        text = mappings_of(pid)
        total += max(0, text.count(b"\n") - FREE_MAPPINGS) * MAPPING_BYTES
        mappings |= shared_mappings(text)
        held = max(0, len(mappings) - FREE_SHARED) * LARGEST_SHARED
        held += max(0, len(sockets) - FREE_SOCKETS) * SOCKET_BYTES
        if total + held > limit:
            break
    return total + held


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


def mappings_of(pid: str) -> bytes:
    """Return the list of mappings of a process, a line for each, up to MAX_LIST_BYTES."""
    with contextlib.suppress(OSError), open(f"/proc/{pid}/maps", "rb") as maps:
        return maps.read(MAX_LIST_BYTES)
    return b""


def shared_mappings(text: bytes) -> set[str]:
    """Return the shared memory without a file in a list of mappings, each by its number.

    A program can keep a piece of it in its sight and all of it in memory: hence the number.
    """
    if SHARED_MEMORY not in text:
        return set()
    lines = (line.split(None, 5) for line in text.splitlines())
    return {fields[4].decode() for fields in lines if fields[5:] == [SHARED_MEMORY]}
