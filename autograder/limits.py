"""What one notebook may use. The defaults of the whole engine stand here."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from autograder.errors import UsageError

MEGABYTE = 1024 * 1024
MESSAGE_BYTES = 10 * MEGABYTE  # the largest output that a kernel sends; larger ones are cut
OUTPUT_BYTES = 5 * MESSAGE_BYTES  # all that one notebook puts out


@dataclass(frozen=True)
class Limits:
    """Bounds on the execution of one notebook.

    cell_seconds      wall time of one cell
    notebook_seconds  wall time of the whole notebook, kernels started again included
    memory_mb         private memory of each process, and of all together, over a fresh kernel's;
                      its examiner's kernel has as much for itself
    file_mb           size of any file it writes
    disk_mb           size of all its files, shared memory included
    processes         processes and threads
    output_chars      text that one cell may print; the rest is cut
    confined          refuse to run it where the machine cannot confine it
    """

    cell_seconds: float = 60
    notebook_seconds: float = 600
    memory_mb: int = 4096
    file_mb: int = 100
    disk_mb: int = 500
    processes: int = 256
    output_chars: int = 200_000
    confined: bool = True

    def of_process(self) -> dict[str, int]:
        """Those that hold inside the kernel; autograder.sandbox.fork_server sets them."""
        inside = ("memory_mb", "file_mb", "disk_mb", "processes", "output_chars")
        return {name: getattr(self, name) for name in inside}


NAMES = tuple(known.name for known in fields(Limits) if known.name != "confined")


def limits_of(lesson: str, metadata: Mapping[str, Any], given: Mapping[str, Any]) -> Limits:
    """The limits of a notebook: those `given` by the user, then its lesson's, then the defaults.

    A lesson sets them in the metadata of its notebook: {"limits": {"cell_seconds": 120}}.
    Raises UsageError for a name that is none, or a value that is not positive.
    """
    own = metadata.get("limits", {})
    for name, value in own.items():
        check_limit(f"{lesson}: limits: {name}: {value}", name, value)
    return Limits(**{**own, **given})


def parse_limits(texts: Iterable[str]) -> dict[str, float]:
    """Limits by name, from texts such as cell_seconds=120; UsageError for anything else."""
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            found[name] = int(value) if value.isdigit() else float(value)
        except ValueError:
            found[name] = 0
        check_limit(f"--limit {text}", name, found[name])
    return found


def check_limit(where: str, name: str, value: Any) -> None:
    """UsageError unless there is such a limit and it can have such a value."""
    whole = isinstance(value, int) or name.endswith("_seconds")
    if name not in NAMES or not isinstance(value, int | float) or not whole or not value > 0:
        known = ", ".join(NAMES)
        raise UsageError(f"{where}: no such limit: there are {known}, all positive numbers")


def set_process_limits(memory_mb: int, file_mb: int, processes: int | None) -> None:
    """Bound this process and all it starts. Called in a kernel before it runs a first cell.

    `processes` is None where the number is that of all processes of the user.
    """
    _lower(resource.RLIMIT_DATA, memory_in_use() + memory_mb * MEGABYTE)
    _lower(resource.RLIMIT_FSIZE, file_mb * MEGABYTE)
    if processes is not None:
        _lower(resource.RLIMIT_NPROC, processes)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (value, value))


def memory_in_use() -> int:
    """Private writable memory of this process in bytes, as RLIMIT_DATA counts it (0: unknown)."""
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmData:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass  # not Linux: the limit is then over everything, which is still a limit
    return 0
