"""What all processes of a confined kernel take of the machine's memory, as /proc shows it.

    sizes of each process -> what several of them share -> what Linux holds for them

The first step is quick. Dividing what is shared takes 20 ms for a gigabyte in small pages: it is
done where processes would take too much without it. The last step is an upper bound.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
import time
from dataclasses import dataclass, field

from autograder.sandbox.seccomp import LARGEST_SHARED

MAX_SECONDS = 1.0  # of a processor for one look; processes that make it take longer are ended
LOOKS = 10  # at processes that were stopped, of which some end all the same
MAX_LIST_BYTES = 4 << 20  # read of a list of mappings: more than 30,000
SHARED_MEMORY = b"/dev/zero (deleted)"  # what it is called in the list of mappings
# What is free is so once for all processes of a kernel: it, and what honest ones start, has some.
FREE_TABLES = 32 << 20  # of pages; a kernel with torch has 1.5 MB, and each that it forks
FREE_MAPPINGS = 8_000  # one with torch has two thousand
FREE_SOCKETS = 64
FREE_SHARED = 4  # shared memory without a file
# Memory of the machine's kernel, by what it can be at most.
MAPPING_BYTES = 400  # one, and what it is found by
SOCKET_BYTES = 416 * 1024  # in the buffer of a socket: twice net.core.wmem_default, which stays
# An open file, or an end of a pipe: two pages, and 2 KB of its own. Of the first pipes of a user,
# 64 MB in all, each can hold sixteen pages.
DESCRIPTOR_BYTES = 10 * 1024
NOTE_BYTES = 256  # a lock of a file, or a watch for its events
MAX_FACTS = 1 << 19  # bytes of the facts of a descriptor: 6,000 notes; longer ones end a kernel
NOTES = (b"lock:", b"tfd:")  # what they are called among the facts of a descriptor

Sizes = dict[str, dict[str, int]]  # of processes in bytes, by their place in /proc and by name


class TakesTooLong(Exception):
    """Looking at all processes takes too long."""


class Processes:
    """All processes of this namespace, but its first, which this is."""

    def pids(self) -> list[str]:
        """Return their ids."""
        return [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]

    def sockets(self) -> int:
        """Return the number of all sockets, also of connections that were not accepted."""
        with contextlib.suppress(OSError), open("/proc/net/unix", "rb") as lines:
            return sum(1 for _ in lines)  # those of other families reach no other
        return 0

    def send(self, number: int) -> None:
        """Send all of them a signal."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, number)


def memory_of(processes: Processes, inherited: int, limit: int) -> float:
    """Return the bytes that processes take together, without what the first of them `inherited`.

    Above `limit` it is a part of all: what is quick to find comes first. It is infinite where
    finding it takes too long.
    """
    deadline = time.thread_time() + MAX_SECONDS
    with contextlib.ExitStack() as stack:
        try:
            sizes = sizes_of(processes, False, stack, deadline)
            if (
                private_memory(sizes) - inherited > limit
                or total("RssShmem", sizes) > LARGEST_SHARED
            ):
                sizes = sizes_of(processes, True, stack, deadline)
            taken = max(0, private_memory(sizes) - inherited) + total("Pss_Shmem", sizes)
            taken += max(0, total("VmPTE", sizes) - FREE_TABLES)
            holdings = Holdings(deadline, processes.sockets())
            for place in sizes:
                if taken + holdings.size() > limit:
                    break
                holdings.add(place)
        except TakesTooLong:
            return math.inf
    return taken + holdings.size()


def private_memory(sizes: Sizes) -> int:
    """Return the private memory of processes in bytes: what they share divided, where known.

    What the machine has written to its swap is theirs, too.
    """
    return sum(
        each.get("Pss_Anon", each.get("RssAnon", 0)) + each.get("SwapPss", each.get("VmSwap", 0))
        for each in sizes.values()
    )


def total(name: str, sizes: Sizes) -> int:
    """Return the sum of one of the sizes of processes."""
    return sum(each.get(name, 0) for each in sizes.values())


def sizes_of(
    processes: Processes, divided: bool, stack: contextlib.ExitStack, deadline: float
) -> Sizes:
    """Return the sizes of processes, by their place in /proc.

    Where some ended or began meanwhile, all are stopped, until `stack` is closed: a program could
    go on in process after process, or thread after thread, each for some microseconds.
    """
    sizes, is_complete = look_at_all(processes, divided, deadline)
    if not is_complete:
        stack.callback(processes.send, signal.SIGCONT)
        processes.send(signal.SIGSTOP)
        for _ in range(LOOKS):
            sizes, is_complete = look_at_all(processes, divided, deadline)
            if is_complete:
                break
    return sizes


def look_at_all(processes: Processes, divided: bool, deadline: float) -> tuple[Sizes, bool]:
    """Return the sizes of processes, and whether they were the same before and after."""
    pids = processes.pids()
    sizes = dict(look_at(pid, divided, deadline) for pid in pids)
    return sizes, all(sizes.values()) and set(pids) >= set(processes.pids())


def look_at(pid: str, divided: bool, deadline: float) -> tuple[str, dict[str, int]]:
    """Return the place of a process in /proc, and its sizes there; none where it has ended.

    `divided` has what it shares with others divided among all. A process whose first thread has
    ended is found in the place of another thread: the first shows nothing any more.
    """
    check(deadline)
    place, sizes = pid, status_of(pid)
    if sizes.get("Threads", 0) > 1 and "VmRSS" not in sizes:
        place, sizes = living_thread(pid)
    if divided and "VmRSS" in sizes:
        shares = status_of(place, "smaps_rollup")
        sizes = shares and {**sizes, **shares}
    return place, sizes


def living_thread(pid: str) -> tuple[str, dict[str, int]]:
    """Return the place of a thread of a process that has not ended, and its sizes; or none."""
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            place = f"{pid}/task/{thread}"
            if "VmRSS" in (sizes := status_of(place)):
                return place, sizes
    return pid, {}


@dataclass
class Holdings:
    """What Linux holds for processes, and counts as no memory of theirs.

    `known` is the number of sockets that are known without their descriptors. add() raises
    TakesTooLong after the `deadline`, in processor time of this thread.
    """

    deadline: float
    known: int = 0
    descriptors: int = 0
    of_proc: int = 0  # descriptors of files in /proc: each keeps what was read at once
    longest: int = 0  # what can be read at once: the facts of a descriptor with many notes
    notes: int = 0
    mappings: int = 0
    sockets: set[str] = field(default_factory=set)
    shared: set[str] = field(default_factory=set)

    def size(self) -> int:
        """Return the most bytes that all of it can be."""
        if self.longest > MAX_FACTS:
            return sys.maxsize
        size = self.descriptors * DESCRIPTOR_BYTES + self.notes * NOTE_BYTES
        size += self.of_proc * 2 * self.longest  # Linux doubles a buffer until all fits
        size += max(0, self.mappings - FREE_MAPPINGS) * MAPPING_BYTES
        size += max(0, len(self.shared) - FREE_SHARED) * LARGEST_SHARED
        sockets = max(self.known, len(self.sockets))
        return size + max(0, sockets - FREE_SOCKETS) * SOCKET_BYTES

    def add(self, place: str) -> None:
        """Add what is held for a process, by its place in /proc."""
        text = mappings_of(place)
        self.mappings += text.count(b"\n")
        self.shared |= shared_mappings(text)
        with contextlib.suppress(OSError):  # it has ended
            for name in os.listdir(f"/proc/{place}/fd"):
                check(self.deadline)
                with contextlib.suppress(OSError):  # it is closed
                    self.add_descriptor(place, name)

    def add_descriptor(self, place: str, name: str) -> None:
        """Add a descriptor of a process."""
        self.descriptors += 1
        target = os.readlink(f"/proc/{place}/fd/{name}")
        if target.startswith("socket:"):
            self.sockets.add(target)
        self.of_proc += target.startswith("/proc/")
        length = 0
        file = os.open(f"/proc/{place}/fdinfo/{name}", os.O_RDONLY)
        try:
            while facts := os.read(file, 1 << 16):
                check(self.deadline)
                self.notes += sum(map(facts.count, NOTES))
                length += len(facts)
                self.longest = max(self.longest, length)
        finally:
            os.close(file)


def check(deadline: float) -> None:
    """Raise TakesTooLong after this processor time of the thread."""
    if time.thread_time() > deadline:
        raise TakesTooLong


def status_of(place: str, file: str = "status") -> dict[str, int]:
    """Return the sizes in a file of /proc in bytes, and the number of threads, by name.

    It is empty if the process has ended.
    """
    sizes = {}
    with contextlib.suppress(OSError), open(f"/proc/{place}/{file}") as lines:
        for line in lines:
            if line.endswith("kB\n"):
                name, _, size = line.partition(":")
                sizes[name] = int(size.split()[0]) * 1024
            elif line.startswith("Threads:"):
                sizes["Threads"] = int(line.split()[1])
    return sizes


def mappings_of(place: str) -> bytes:
    """Return the list of mappings of a process, a line for each, up to MAX_LIST_BYTES."""
    with contextlib.suppress(OSError), open(f"/proc/{place}/maps", "rb") as maps:
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
