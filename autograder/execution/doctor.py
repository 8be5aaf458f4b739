"""Which protections this machine gives, each proven by trying it in a real kernel.

    canaries: what a kernel must not reach -> probes, run as cells -> findings

A probe is also run by the doctor itself where that is possible, as a positive control: what not
even the doctor reaches proves nothing.
"""

from __future__ import annotations

import contextlib
import inspect
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil
from jupyter_core.utils import ensure_event_loop

from autograder.execution import probes
from autograder.execution.cells import ENDED, OUT_OF_MEMORY
from autograder.execution.execute import execute, kernel_server
from autograder.limits import Limits
from autograder.sandbox.namespaces import FIRST_HOST_UID
from autograder.sandbox.seccomp import numbers_of

LIMITS = Limits(
    cell_seconds=30, memory_mb=300, file_mb=10, disk_mb=40, processes=64, confined=False
)
WAIT_SECONDS = 10.0  # for a process to start, or to be gone


@dataclass(frozen=True)
class Finding:
    """One protection: whether it holds, how that was tried, and what was possible if not."""

    protection: str
    holds: bool
    required: bool
    tried: str
    possible: str

    def as_json(self) -> dict[str, Any]:
        """Return this finding as plain data."""
        return asdict(self)


@dataclass(frozen=True)
class Canaries:
    """What the doctor deployed; a kernel must reach none of it."""

    secret: str
    port: int
    path: str
    abstract: str
    pid: int
    command: str  # of that process
    forever: str  # the argument of a sleep that only the end of its kernel ends


@contextlib.contextmanager
def deploy_canaries() -> Iterator[Canaries]:
    """Deploy a secret file, servers on each kind of socket, and a process."""
    seconds, forever = (f"86400.{random.randrange(10**8):08}" for _ in range(2))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="d-", dir="/tmp"))
        secret, path, abstract = f"{folder}/secret", f"{folder}/socket", f"doctor{seconds}"
        Path(secret).write_text("secret")
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for address in (path, f"\0{abstract}"):
            server = stack.enter_context(socket.socket(socket.AF_UNIX))
            server.bind(address)
            server.listen()
        process = stack.enter_context(subprocess.Popen(["sleep", seconds]))
        stack.callback(process.kill)
        wait_for(lambda: bool(processes_with(f"sleep {seconds}")))  # it has its name a moment later
        port = listener.getsockname()[1]
        yield Canaries(secret, port, path, abstract, process.pid, f"sleep {seconds}", forever)


def examine_machine() -> list[Finding]:
    """Return what this machine protects when a submission runs."""
    if sys.platform != "linux":
        return [Finding("confinement", False, True, "-", "kernels are confined only on Linux")]
    reason = kernel_server(()).confinement_error()  # its notebooks import nothing that takes time
    with deploy_canaries() as canaries:
        reached_here = {name: reach(canaries) for name, reach in POSITIVE_CONTROLS.items()}
        possible = run_probes(probes_of(canaries))
        left = remaining(canaries.forever)
    twice = 2 * LIMITS.memory_mb
    possible["memory together"] = over_the_limit(probes.takes_memory_together, twice, 4)
    possible["shared memory"] = over_the_limit(probes.takes_shared_memory, twice, 10)
    possible["start"] = answer(execute(cell_of(probes.was_started_early), EARLY, LIMITS).cells[0])
    possible["share"] = unfair_share()
    possible["end"] = left
    for name, reached in reached_here.items():
        if not reached:
            possible[name] = "could not be tried: not even the doctor reaches its canary"
    for name in ("Landlock", "calls"):
        possible[name] = possible[name] or reason
    return [
        Finding(protection, not possible[name], name not in OPTIONAL, tried, possible[name])
        for name, protection, tried in TABLE
    ]


TABLE = (
    ("files", "files of the machine are not there", "a secret file, ~/.ssh, /etc/shadow"),
    ("writing", "nothing can be written outside", "a file in /, /etc, /usr and the environment"),
    ("processes", "other processes are not there", "look for one, and signal it"),
    ("network", "no network", "connect to a server on loopback; look for an interface"),
    ("sockets", "no unix socket", "connect to one with a path and to an abstract one"),
    ("memory", "memory of a process is bounded", "take twice the limit"),
    ("memory together", "memory of all together is bounded", "take twice the limit in four"),
    ("shared memory", "so is memory that is shared", "twice the limit in mappings, files of none"),
    ("start", "nothing runs before it is confined", "a startup file beside the notebook"),
    ("share", "a fair share of the processors", "compute beside forty processes of another kernel"),
    ("number", "processes are bounded", "start twice the limit"),
    ("file", "the size of a file is bounded", "write one of twice the limit"),
    ("disk", "disk and shared memory are bounded", "write twice the limit"),
    ("end", "all that it starts ends with it", "start a process in a session of its own"),
    ("rights", "an unprivileged user", "capabilities, the user outside, a namespace of its own"),
    ("Landlock", "Landlock, a second layer", "write where the mounts alone would allow it"),
    ("calls", "seccomp, a third layer", "system calls that no notebook needs"),
)
OPTIONAL = ("Landlock", "calls", "share")  # good to have
EARLY = {
    "files": {".ipython/profile_default/startup/0.py": b"import builtins as b; b.was_early = 1"}
}
CALLS = ("keyctl", "io_uring_setup", "userfaultfd", "bpf", "perf_event_open", "ptrace", "unshare")
FAIR_SHARE = 0.3  # of one processor, beside one other kernel
# What the doctor must reach for a kernel's failure to mean something.
POSITIVE_CONTROLS: dict[str, Callable[[Canaries], str]] = {
    "files": lambda canaries: probes.sees_files([canaries.secret]),
    "network": lambda canaries: probes.reaches_network(canaries.port),
    "sockets": lambda canaries: probes.reaches_sockets(canaries.path, canaries.abstract),
    "processes": lambda canaries: " ".join(map(str, processes_with(canaries.command))),
}


def probes_of(canaries: Canaries) -> dict[str, tuple[Callable[..., str], tuple[Any, ...]]]:
    """Return each probe with its arguments, by name; the one that leaves a process comes last."""
    mine = [canaries.secret, "/etc/shadow", os.path.expanduser("~/.ssh")]
    folders = ["/", "/etc", "/usr", sys.prefix, os.path.dirname(canaries.secret)]
    return {
        "files": (probes.sees_files, (mine,)),
        "writing": (probes.writes_outside, (folders,)),
        "processes": (probes.touches_process, (canaries.pid, canaries.command)),
        "network": (probes.reaches_network, (canaries.port,)),
        "sockets": (probes.reaches_sockets, (canaries.path, canaries.abstract)),
        "memory": (probes.takes_memory, (2 * LIMITS.memory_mb,)),
        "number": (probes.starts_processes, (2 * LIMITS.processes,)),
        "file": (probes.writes_large_file, (2 * LIMITS.file_mb,)),
        "disk": (probes.fills_disk, (2 * LIMITS.disk_mb, LIMITS.file_mb)),
        "rights": (probes.has_rights, ()),
        "Landlock": (probes.writes_beside_landlock, ()),
        "calls": (probes.calls_system, (numbers_of(CALLS),)),
        "end": (probes.leaves_process, (canaries.forever,)),
    }


def cell_of(probe: Callable[..., str], *arguments: Any) -> nbformat.NotebookNode:
    """Return a notebook of one cell that runs a probe."""
    return notebook_of({"": (probe, arguments)})


def notebook_of(
    probes_by_name: Mapping[str, tuple[Callable[..., str], tuple[Any, ...]]],
) -> nbformat.NotebookNode:
    """Return a notebook with a cell for each probe: it prints what the probe returns."""
    cells = [
        nbformat.v4.new_code_cell(
            f"{inspect.getsource(probe)}\nimport json\n"
            f"print(json.dumps({probe.__name__}(*{arguments!r})))"
        )
        for probe, arguments in probes_by_name.values()
    ]
    return nbformat.v4.new_notebook(cells=cells)


def run_probes(
    probes_by_name: dict[str, tuple[Callable[..., str], tuple[Any, ...]]],
) -> dict[str, str]:
    """Return what each probe could do in a kernel."""
    notebook = execute(notebook_of(probes_by_name), {}, LIMITS)
    return {name: answer(cell) for name, cell in zip(probes_by_name, notebook.cells, strict=True)}


def answer(cell: nbformat.NotebookNode) -> str:
    """Return what a cell printed, or how it ended where it printed nothing valid."""
    text = "".join(o.text for o in cell.outputs if o.get("name") == "stdout")
    try:
        printed: str = json.loads(text)
    except ValueError:
        errors = [f"{o.ename}: {o.evalue}" for o in cell.outputs if o.output_type == "error"]
        return f"no answer ({', '.join(errors) or cell.metadata.get(ENDED, 'not run')})"
    return printed


def over_the_limit(probe: Callable[..., str], *arguments: Any) -> str:
    """Return what a probe could do that should end for its memory; empty where it did end so."""
    cell = execute(cell_of(probe, *arguments), {}, LIMITS).cells[0]
    return "" if cell.metadata.get(ENDED) == OUT_OF_MEMORY else answer(cell)


def unfair_share() -> str:
    """Return how little of a processor a kernel gets beside a greedy one; empty if that is fair."""

    def compute() -> None:
        execute(cell_of(probes.computes, 40, 6.0), {}, LIMITS)
        ensure_event_loop().close()  # the one that this thread was given

    with ThreadPoolExecutor(1) as pool:
        greedy = pool.submit(compute)
        time.sleep(3)  # by then its processes run
        share = answer(execute(cell_of(probes.share_of_a_processor, 2.0), {}, LIMITS).cells[0])
        greedy.result()
    try:
        return "" if float(share) >= FAIR_SHARE else f"{float(share):.0%} of one processor"
    except ValueError:
        return share


def remaining(seconds: str) -> str:
    """Return what still runs of what a kernel left when it ended, and end it."""
    wait_for(lambda: not processes_with(f"sleep {seconds}"))
    pids = processes_with(f"sleep {seconds}")
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)
    return ", ".join(f"process {pid} is left" for pid in pids)


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds, at most WAIT_SECONDS."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)


def processes_with(command: str) -> list[int]:
    """Return the processes of this machine with exactly this command line."""
    processes = psutil.process_iter(["cmdline"])
    return [p.pid for p in processes if " ".join(p.info["cmdline"] or ()) == command]


def remedy() -> str:
    """Return one line on how to fix this machine."""
    if sys.platform != "linux":
        return "Grade on Linux; lessons run anywhere"
    settings = (
        ("user/max_user_namespaces", "0", "10000"),
        ("kernel/unprivileged_userns_clone", "0", "1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
    )
    for name, bad, good in settings:
        path = Path("/proc/sys", name)
        if path.exists() and path.read_text().strip() == bad:
            return f"Allow user namespaces: sysctl -w {name.replace('/', '.')}={good}"
    if os.getuid() == 0 and not is_mapped(FIRST_HOST_UID):
        return "Root is root in this container alone: grade as another user in it"
    if any(map(os.path.exists, ("/.dockerenv", "/run/.containerenv"))):
        return (
            "Start the container with --security-opt seccomp=unconfined"
            " --security-opt systempaths=unconfined, or grade outside of it"
        )
    reason = kernel_server().confinement_error()
    return f"Linux from 5.12 with namespaces is needed; this machine: {reason or 'no reason'}"


def is_mapped(user: int) -> bool:
    """Return whether this number can be a user here."""
    lines = Path("/proc/self/uid_map").read_text().splitlines()
    ranges = [tuple(map(int, line.split())) for line in lines]
    return any(inside <= user < inside + count for inside, _, count in ranges)
