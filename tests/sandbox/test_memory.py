"""What processes take is seen wherever they put it, and once."""

from __future__ import annotations

import io
import math
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.limits import MEGABYTE
from autograder.sandbox import memory
from autograder.sandbox.memory import (
    DESCRIPTOR_BYTES,
    NOTE_BYTES,
    Processes,
    look_at,
    mappings_of,
    memory_of,
)

NO_LIMIT = 1 << 50
# Each prints a line when it holds what it says, and waits until its input is closed.
HEAD = """
import ctypes, fcntl, mmap, os, platform, select, sys, threading
EXIT = 93 if platform.machine() == "aarch64" else 60
def hold(megabytes):
    held = mmap.mmap(-1, megabytes << 20, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for place in range(0, len(held), 4096):
        held[place] = 1
    return held
def wait():
    os.write(1, b"ready\\n")
    sys.stdin.read()
"""
FIRST_THREAD_ENDS = """
def other():
    held = hold(50)
    wait()
threading.Thread(target=other).start()
ctypes.CDLL(None).syscall(EXIT, 0)
"""
THREAD_AFTER_THREAD = """
def other(number):
    if number == 1000:
        os.write(1, b"ready\\n")
    threading.Thread(target=other, args=(number + 1,)).start()
held = hold(50)
threading.stack_size(1 << 16)
threading.Thread(target=other, args=(0,)).start()
ctypes.CDLL(None).syscall(EXIT, 0)
"""
PAGE_TABLES = """
held = mmap.mmap(-1, 3000 << 21, flags=0x4022, prot=mmap.PROT_READ)
held.madvise(mmap.MADV_NOHUGEPAGE)
sum(held[place] for place in range(0, len(held), 2 << 20))
wait()
"""
WORKERS = """
held = hold(60)
for _ in range(4):
    if not os.fork():
        more = hold(5)
        break
wait()
"""
PIPES = "pipes = [os.pipe() for _ in range(200)]\nwait()"
LOCKS = """
file = os.open("locked", os.O_RDWR | os.O_CREAT)
for place in range(2000):
    fcntl.lockf(file, fcntl.LOCK_EX, 1, 2 * place)
wait()
"""
LOCKS_OF_A_PIPE = LOCKS.replace('os.open("locked", os.O_RDWR | os.O_CREAT)', "os.pipe()[1]")
WATCHES = """
ends = [end for _ in range(100) for end in os.pipe()]
polls = [select.epoll() for _ in range(20)]
for poll in polls:
    for end in ends:
        poll.register(end)
wait()
"""
FACTS = """
poll, pipes, held = select.epoll(), [], []
for _ in range({watches} // 100):
    pipes.append(os.pipe())
    copies = [os.dup(pipes[-1][0]) for _ in range(100)]
    for copy in copies:
        poll.register(copy)
    for copy in copies:
        os.close(copy)
for _ in range(200):
    held.append(os.open("/proc/self/fdinfo/%d" % poll.fileno(), os.O_RDONLY))
    os.read(held[-1], 10)
wait()
"""


class These(Processes):
    """Some processes, in place of all in a namespace; the same, or others at each look."""

    def __init__(self, *looks: list[str]) -> None:
        self.looks = list(looks)
        self.sent: list[int] = []

    def pids(self) -> list[str]:
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]

    def sockets(self) -> int:
        return 0  # those of this machine are not theirs

    def send(self, number: int) -> None:
        self.sent.append(number)
        for pid in self.looks[-1]:
            os.kill(int(pid), number)


Holder = Callable[..., list[str]]


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[Holder]:
    """What starts programs, and returns the ids of all their processes once they hold it."""
    started: list[subprocess.Popen[bytes]] = []

    def start(program: str, processes: int = 1) -> list[str]:
        command = [sys.executable, "-S", "-c", HEAD + program]
        pipe = subprocess.PIPE
        child = subprocess.Popen(command, stdin=pipe, stdout=pipe, cwd=tmp_path)
        started.append(child)
        assert child.stdout
        for _ in range(processes):
            assert child.stdout.readline() == b"ready\n"
        return [str(child.pid), *children(child.pid)]

    yield start
    for child in started:
        child.kill()
        child.communicate()


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def taken(pids: list[str]) -> float:
    return memory_of(These(pids), 0, NO_LIMIT)


@pytest.mark.parametrize("program", [FIRST_THREAD_ENDS, THREAD_AFTER_THREAD])
def test_a_process_whose_first_thread_has_ended_takes_what_the_others_do(
    program: str, holder: Holder
) -> None:
    pids = holder(program)
    assert all(taken(pids) > 50 * MEGABYTE for _ in range(20))


def test_programs_inherit_once_what_a_kernel_does(holder: Holder) -> None:
    pids = [pid for _ in range(4) for pid in holder("held = hold(30)\nwait()")]
    assert memory_of(These(pids), 30 * MEGABYTE, NO_LIMIT) > 90 * MEGABYTE


def test_what_forked_processes_share_is_counted_once_where_it_matters(holder: Holder) -> None:
    pids = holder(WORKERS, 5)
    alone = taken(holder("wait()"))
    assert memory_of(These(pids), 0, 90 * MEGABYTE) < 80 * MEGABYTE + 5 * alone < 120 * MEGABYTE
    assert memory_of(These(pids), 0, 79 * MEGABYTE) > 80 * MEGABYTE


def test_page_tables_have_one_allowance_for_all(holder: Holder) -> None:
    one, *others = [pid for _ in range(6) for pid in holder(PAGE_TABLES)]
    assert taken([one]) < 10 * MEGABYTE
    assert taken([one, *others]) > 35 * MEGABYTE


@pytest.mark.parametrize(
    ("program", "least"),
    [
        (PIPES, 400 * DESCRIPTOR_BYTES),
        (LOCKS, 2_000 * NOTE_BYTES),
        (LOCKS_OF_A_PIPE, 2_000 * NOTE_BYTES),
        (WATCHES, 220 * DESCRIPTOR_BYTES + 4_000 * NOTE_BYTES),
    ],
    ids=["pipes", "locks", "locks of a pipe", "watches"],
)
def test_what_linux_holds_for_a_process_is_counted(
    program: str, least: int, holder: Holder
) -> None:
    without = taken(holder("wait()"))
    assert least < taken(holder(program)) - without < least + 5 * MEGABYTE


def test_a_file_of_proc_holds_what_was_read_of_it_at_once(holder: Holder) -> None:
    without = taken(holder("wait()"))
    counted = taken(holder(FACTS.format(watches=2_000))) - without
    assert counted > 200 * 128 * 1024, "the facts of the poll are longer than that"
    assert taken(holder(FACTS.format(watches=8_000))) > NO_LIMIT


def test_processes_that_take_too_long_to_look_at_are_too_much(
    holder: Holder, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = holder(WATCHES)
    assert taken(pids) < math.inf
    monkeypatch.setattr(memory, "MAX_SECONDS", 0)
    assert taken(pids) == math.inf


def test_a_program_that_goes_on_in_other_processes_is_found(holder: Holder) -> None:
    (pid,) = holder("held = hold(50)\nwait()")
    ended = str(os.posix_spawn("/bin/true", ["true"], {}))
    os.waitpid(int(ended), 0)
    for looks in ([ended], [ended], [pid], [pid]), ([], [pid], [pid], [pid]):
        processes = These(*looks)
        assert memory_of(processes, 0, NO_LIMIT) > 50 * MEGABYTE
        assert processes.sent == [signal.SIGSTOP, signal.SIGCONT]


def test_what_is_shared_is_divided_only_where_it_matters() -> None:
    pid = str(os.getpid())
    assert "Pss_Anon" not in look_at(pid, False, math.inf)[1]
    assert "Pss_Anon" in look_at(pid, True, math.inf)[1]


def test_a_process_that_ended_and_was_not_reaped_is_no_sign_of_a_flight() -> None:
    child = os.posix_spawn("/bin/true", ["true"], {})
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
    assert look_at(str(child), True, math.inf) == (str(child), {"Threads": 1})
    os.waitpid(child, 0)


def test_a_list_of_mappings_is_read_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    long = io.BytesIO(bytes(5 << 20))
    monkeypatch.setattr(memory, "open", lambda *_: long, raising=False)
    assert len(mappings_of("1")) == 4 << 20
