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

from autograder.sandbox.memory import Processes, memory_of, status_of
from autograder.sandbox.relay import Listener, Relay

OUT_OF_MEMORY = 137  # exit status of a kernel whose processes together took or sent too much
SCAN_SECONDS = 0.25
DRAIN_SECONDS = 2.0  # for the grader to take what a kernel sent before it ended
LOWEST_PRIORITY = 19
MAX_REAPED = 100  # processes, before anything else is done


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
        self.processes = Processes()
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
        self.processes.send(signal.SIGKILL)  # nothing that it started goes on meanwhile
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
        """Reap what has ended; return the exit status of the kernel if it is among that.

        A program could end processes as fast as they are reaped: the rest waits.
        """
        with contextlib.suppress(ChildProcessError):
            for _ in range(MAX_REAPED):
                child, status = os.waitpid(-1, os.WNOHANG)
                if child == self.kernel:
                    return os.waitstatus_to_exitcode(status) & 0xFF
                if not child:
                    break
        return None

    def scan(self) -> None:
        """Slow down what the kernel started; end all where they take too much together."""
        pids = self.processes.pids()
        for pid in set(pids) - self.slowed - {str(self.kernel)}:
            with contextlib.suppress(OSError):  # it has ended
                os.setpriority(os.PRIO_PROCESS, int(pid), LOWEST_PRIORITY)
        self.slowed = set(pids)
        if memory_of(self.processes, self.inherited, self.memory) > self.memory:
            self.end_all()

    def end_all(self) -> None:
        """End all processes here but this one."""
        self.took_too_much = True
        self.processes.send(signal.SIGKILL)
