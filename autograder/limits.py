"""Limits on the execution of one notebook, with the defaults of the grader."""

from __future__ import annotations

import resource
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any

from autograder.errors import UsageError

MEGABYTE = 1024 * 1024
MESSAGE_BYTES = 10 * MEGABYTE  # the largest message of a kernel; larger outputs are cut
OUTPUT_BYTES = 5 * MESSAGE_BYTES  # all outputs of one notebook
MAX_WRITTEN_FILES = 1_000  # that are kept of what answers wrote
MAX_OPEN_FILES = 1024  # of each process
SENT_BYTES = 4 * OUTPUT_BYTES  # all that one kernel sends; one that sends more is ended


@dataclass(frozen=True)
class Limits:
    """Bounds on the execution of one notebook.

    cell_seconds      wall time of one cell
    notebook_seconds  wall time of the whole notebook, restarted kernels included
    memory_mb         private memory of each process, and of all together, beyond that of a fresh
                      kernel; the same again for the test kernel
    file_mb           size of each file that it writes
    disk_mb           size of all its files, shared memory included
    processes         number of processes and threads
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
        """Return the limits that hold inside the kernel; autograder.sandbox.kernel sets them."""
        inside = ("memory_mb", "file_mb", "disk_mb", "processes", "output_chars")
        return {name: getattr(self, name) for name in inside}


NAMES = tuple(known.name for known in fields(Limits) if known.name != "confined")


def limits_of(lesson: str, metadata: Mapping[str, Any], by_user: Mapping[str, Any]) -> Limits:
    """Return the limits of a notebook: those set `by_user`, then by its lesson, then the defaults.

    A lesson sets them in the metadata of its notebook: {"limits": {"cell_seconds": 120}}.
    Raise UsageError for an unknown name, or a value that is not positive.
    """
    by_lesson = metadata.get("limits", {})
    if not isinstance(by_lesson, Mapping):
        raise UsageError(f"{lesson}: limits: {by_lesson!r} is no table of names and numbers")
    for name, value in by_lesson.items():
        check_limit(f"{lesson}: limits: {name}: {value}", name, value)
    return Limits(**{**by_lesson, **by_user})


def parse_limits(texts: Iterable[str]) -> dict[str, float]:
    """Return limits by name, from texts such as cell_seconds=120; else raise UsageError."""
    limits = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            limits[name] = int(value) if value.isdigit() else float(value)
        except ValueError:
            limits[name] = 0
        check_limit(f"--limit {text}", name, limits[name])
    return limits


def check_limit(where: str, name: str, value: Any) -> None:
    """Raise UsageError unless the limit is known and its value is valid."""
    whole = isinstance(value, int) or name.endswith("_seconds")
    if name not in NAMES or not isinstance(value, int | float) or not whole or not value > 0:
        known = ", ".join(NAMES)
        raise UsageError(f"{where}: invalid limit: use {known}, each with a positive number")


def set_process_limits(memory_mb: int, file_mb: int, processes: int | None) -> None:
    """Limit this process and all that it starts. Called in a kernel before it runs a first cell.

    `processes` is None where the limit would count all processes of the user.
    """
    _lower(resource.RLIMIT_DATA, memory_in_use() + memory_mb * MEGABYTE)
    _lower(resource.RLIMIT_FSIZE, file_mb * MEGABYTE)
    if processes is not None:
        _lower(resource.RLIMIT_NPROC, processes)
    _lower(resource.RLIMIT_NOFILE, MAX_OPEN_FILES)
    _lower(resource.RLIMIT_CORE, 0)


def _lower(what: int, value: int) -> None:
    hard = resource.getrlimit(what)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(what, (value, value))


def memory_in_use() -> int:
    """Return the private writable memory of this process in bytes, as RLIMIT_DATA counts it.

    Return 0 where it is unknown.
    """
    try:
        with open("/proc/self/status") as status:
            for line in status:
                if line.startswith("VmData:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass  # not Linux: the limit then counts all memory, which is still a limit
    return 0
