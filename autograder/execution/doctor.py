"""Which protections this machine gives, each proven by trying it in a real kernel.

    baits: what a kernel must not reach -> probes, run as cells -> findings

A probe says what it could do that it should not be able to; silence is good news. It is run in
the kernel as its source, and where it can be by the doctor too: what not even the doctor reaches
proves nothing.
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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import nbformat

from autograder.execution.execute import ENDED, OUT_OF_MEMORY, execute
from autograder.limits import Limits
from autograder.sandbox.fork_client import ForkServer
from autograder.sandbox.namespaces import FIRST_HOST_UID

LIMITS = Limits(
    cell_seconds=30, memory_mb=300, file_mb=10, disk_mb=40, processes=64, confined=False
)
LONG_ENOUGH = 10.0  # seconds in which a process comes, or has to be gone


@dataclass(frozen=True)
class Finding:
    """One protection: whether it holds, how that was tried, and what was possible if not."""

    protection: str
    holds: bool
    required: bool
    tried: str
    found: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


# The probes. Each stands alone: only its source goes into the kernel.


def sees_files(paths: list[str]) -> str:
    import os

    return ", ".join(path for path in paths if os.path.exists(path))


def writes_outside(folders: list[str]) -> str:
    import os

    written = []
    for folder in folders:
        path = os.path.join(folder, "written-by-doctor")
        try:
            open(path, "w").close()
            os.remove(path)
            written.append(folder)
        except OSError:
            pass
    return ", ".join(written)


def touches_process(pid: int, words: str) -> str:
    import os
    import signal

    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/cmdline") as line:
                if words in line.read().replace("\0", " "):
                    return f"sees process {name}"
        except OSError:
            pass
    if str(pid) in os.listdir("/proc"):
        return ""  # the kernel's own, by chance with that number
    try:
        os.kill(pid, signal.SIGTERM)
    except OSError:
        return ""
    return f"signals process {pid}"


def reaches_network(port: int) -> str:
    import fcntl
    import socket
    import struct

    reached = []
    with socket.socket() as client:
        client.settimeout(5)
        if client.connect_ex(("127.0.0.1", port)) == 0:
            reached.append(f"port {port} of loopback")
    with socket.socket() as any_socket:
        for _, name in socket.if_nameindex():
            answer = fcntl.ioctl(any_socket, 0x8913, struct.pack("16s16x", name.encode()))
            if struct.unpack_from("h", answer, 16)[0] & 1:
                reached.append(f"interface {name}")
    return ", ".join(reached)


def reaches_sockets(path: str, abstract: str) -> str:
    import socket

    reached = []
    for address, what in ((path, path), ("\0" + abstract, "an abstract socket")):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            if client.connect_ex(address) == 0:
                reached.append(what)
    return ", ".join(reached)


def takes_memory(megabytes: int) -> str:
    try:
        return f"{len(bytearray(megabytes * 2**20)) // 2**20} MB in one process"
    except MemoryError:
        return ""


def takes_memory_together(megabytes: int, children: int) -> str:
    import os
    import signal
    import time

    pids = []
    for _ in range(children):
        pid = os.fork()
        if not pid:
            held = b"x" * (megabytes * 2**20 // children)
            time.sleep(60 if held else 0)
            os._exit(0)
        pids.append(pid)
    time.sleep(5)  # by then it is over, where it is bounded
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return f"{megabytes} MB in {children} processes"


def starts_processes(number: int) -> str:
    import os
    import signal

    pids: list[int] = []
    try:
        while len(pids) < number:
            pid = os.fork()
            if not pid:
                signal.pause()
            pids.append(pid)
    except OSError:
        return ""
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return f"{number} processes"


def writes_large_file(megabytes: int) -> str:
    import os

    try:
        with open("large", "wb") as file:
            file.write(bytes(megabytes * 2**20))
    except OSError:
        return ""
    finally:
        os.remove("large")
    return f"a file of {megabytes} MB"


def fills_disk(megabytes: int, each: int) -> str:
    import os

    filled = []
    for place in (".", "/tmp", "/dev/shm"):
        paths = [os.path.join(place, f"fills-{number}") for number in range(megabytes // each)]
        try:
            for path in paths:
                with open(path, "wb") as file:
                    file.write(bytes(each * 2**20))
            filled.append(f"{megabytes} MB in {place}")
        except OSError:
            pass
        finally:
            for path in filter(os.path.exists, paths):
                os.remove(path)
    return ", ".join(filled)


def has_rights() -> str:
    import ctypes
    import os

    rights = []
    with open("/proc/self/status") as lines:
        status = dict(line.split(":", 1) for line in lines)
    for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb"):
        if int(status[name], 16):
            rights.append(f"{name} {status[name].strip()}")
    with open("/proc/self/uid_map") as lines:
        for line in lines:
            inside, outside, count = map(int, line.split())
            if 0 <= os.geteuid() - inside < count and os.geteuid() - inside + outside == 0:
                rights.append("root outside")
    if not int(status["NoNewPrivs"]):
        rights.append("can gain rights by a program")
    if ctypes.CDLL(None).unshare(0x10000000) == 0:
        rights.append("can make a user namespace")
    return ", ".join(rights)


def writes_beside_landlock() -> str:
    try:
        with open("/run/written-by-doctor", "w"):
            return "/run"
    except OSError:
        return ""


def leaves_process(seconds: str) -> str:
    import subprocess

    subprocess.Popen(["sleep", seconds], start_new_session=True)
    return ""


# What they are tried on.


@dataclass(frozen=True)
class Baits:
    """What the doctor put out; a kernel must reach none of it."""

    secret: str
    port: int
    path: str
    abstract: str
    pid: int
    words: str
    forever: str  # the argument of a sleep that nothing but the kernel's end ends


@contextlib.contextmanager
def put_out() -> Iterator[Baits]:
    """A secret file, servers on each kind of socket, and a process."""
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
        wait_for(lambda: bool(with_words(f"sleep {seconds}")))  # it has a name a moment later
        port = listener.getsockname()[1]
        yield Baits(secret, port, path, abstract, process.pid, f"sleep {seconds}", forever)


def examine() -> list[Finding]:
    """What this machine protects of itself when a submission runs."""
    if sys.platform != "linux":
        return [Finding("confinement", False, True, "-", "kernels are confined on Linux alone")]
    why = ForkServer.shared(()).unconfined()  # its notebooks need nothing that takes time
    with put_out() as baits:
        own = {name: control(baits) for name, control in CONTROLS.items()}
        said = run_probes(probes(baits))
        left = remaining(baits.forever)
    together = execute(cell_of(takes_memory_together, 2 * LIMITS.memory_mb, 4), {}, LIMITS)
    bounded = together.cells[0].metadata.get(ENDED) == OUT_OF_MEMORY
    said["memory together"] = "" if bounded else "twice the limit in four processes"
    said["end"] = left
    for name, reached in own.items():
        if not reached:
            said[name] = "could not be tried: not even the doctor reaches what it put out"
    said["Landlock"] = said["Landlock"] or why
    return [
        Finding(protection, not said[name], name != "Landlock", tried, said[name])
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
    ("number", "processes are bounded", "start twice the limit"),
    ("file", "the size of a file is bounded", "write one of twice the limit"),
    ("disk", "disk and shared memory are bounded", "write twice the limit"),
    ("end", "all that it starts ends with it", "start a process in a session of its own"),
    ("rights", "an unprivileged user", "capabilities, the user outside, a namespace of its own"),
    ("Landlock", "Landlock, a second layer", "write where the mounts alone would allow it"),
)
# What the doctor must reach for a kernel's failure to mean something.
CONTROLS: dict[str, Callable[[Baits], str]] = {
    "files": lambda baits: sees_files([baits.secret]),
    "network": lambda baits: reaches_network(baits.port),
    "sockets": lambda baits: reaches_sockets(baits.path, baits.abstract),
    "processes": lambda baits: " ".join(map(str, with_words(baits.words))),
}


def probes(baits: Baits) -> dict[str, tuple[Callable[..., str], tuple[Any, ...]]]:
    """Each probe with its arguments, by name; the one that leaves a process comes last."""
    mine = [baits.secret, "/etc/shadow", os.path.expanduser("~/.ssh")]
    folders = ["/", "/etc", "/usr", sys.prefix, os.path.dirname(baits.secret)]
    return {
        "files": (sees_files, (mine,)),
        "writing": (writes_outside, (folders,)),
        "processes": (touches_process, (baits.pid, baits.words)),
        "network": (reaches_network, (baits.port,)),
        "sockets": (reaches_sockets, (baits.path, baits.abstract)),
        "memory": (takes_memory, (2 * LIMITS.memory_mb,)),
        "number": (starts_processes, (2 * LIMITS.processes,)),
        "file": (writes_large_file, (2 * LIMITS.file_mb,)),
        "disk": (fills_disk, (2 * LIMITS.disk_mb, LIMITS.file_mb)),
        "rights": (has_rights, ()),
        "Landlock": (writes_beside_landlock, ()),
        "end": (leaves_process, (baits.forever,)),
    }


def cell_of(probe: Callable[..., str], *arguments: Any) -> nbformat.NotebookNode:
    """A notebook of one cell that runs a probe."""
    return notebook_of({"": (probe, arguments)})


def notebook_of(
    what: Mapping[str, tuple[Callable[..., str], tuple[Any, ...]]],
) -> nbformat.NotebookNode:
    """A notebook with a cell for each probe: it prints what the probe says."""
    cells = [
        nbformat.v4.new_code_cell(
            f"{inspect.getsource(probe)}\nimport json\n"
            f"print(json.dumps({probe.__name__}(*{arguments!r})))"
        )
        for probe, arguments in what.values()
    ]
    return nbformat.v4.new_notebook(cells=cells)


def run_probes(what: dict[str, tuple[Callable[..., str], tuple[Any, ...]]]) -> dict[str, str]:
    """What each probe says of a kernel; one that says nothing proves nothing."""
    notebook = execute(notebook_of(what), {}, LIMITS)
    return {name: answer(cell) for name, cell in zip(what, notebook.cells, strict=True)}


def answer(cell: nbformat.NotebookNode) -> str:
    """What a cell printed; how it ended where that was not to be."""
    text = "".join(o.text for o in cell.outputs if o.get("name") == "stdout")
    try:
        said: str = json.loads(text)
    except ValueError:
        errors = [f"{o.ename}: {o.evalue}" for o in cell.outputs if o.output_type == "error"]
        return f"no answer ({', '.join(errors) or cell.metadata.get(ENDED, 'not run')})"
    return said


def remaining(seconds: str) -> str:
    """Whether what a kernel left still runs when it has ended; ends it then."""
    wait_for(lambda: not with_words(f"sleep {seconds}"))
    pids = with_words(f"sleep {seconds}")
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 9)
    return ", ".join(f"process {pid} is left" for pid in pids)


def wait_for(true: Callable[[], bool]) -> None:
    """Wait until it is so, or for long enough."""
    deadline = time.monotonic() + LONG_ENOUGH
    while not true() and time.monotonic() < deadline:
        time.sleep(0.05)


def with_words(words: str) -> list[int]:
    """The processes of this machine with just these words as their command line."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if path.read_text().replace("\0", " ").strip() == words:
                found.append(int(path.parent.name))
    return found


def what_to_do() -> str:
    """One line for whoever is to mend this machine."""
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
    why = ForkServer.shared().unconfined()
    return f"Linux from 5.12 with namespaces is needed; this one says {why or 'nothing'}"


def is_mapped(user: int) -> bool:
    """Whether this number can be a user here."""
    lines = Path("/proc/self/uid_map").read_text().splitlines()
    ranges = [tuple(map(int, line.split())) for line in lines]
    return any(inside <= user < inside + count for inside, _, count in ranges)
