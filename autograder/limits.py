"""What one notebook may use. The defaults of the whole engine stand here."""

from __future__ import annotations

import resource
from dataclasses import dataclass

MEGABYTE = 1024 * 1024
MESSAGE_BYTES = 10 * MEGABYTE  # the largest output that a kernel sends; larger ones are cut
OUTPUT_BYTES = 5 * MESSAGE_BYTES  # all that one notebook puts out


@dataclass(frozen=True)
class Limits:
    """Bounds on the execution of one notebook.

    cell_seconds      wall time of one cell
    notebook_seconds  wall time of the whole notebook, kernels started again included
    memory_mb         private memory of each process, and of all together, over a fresh kernel's
    file_mb           size of any file it writes
    disk_mb           size of all its files, shared memory included
    processes         processes and threads
    output_chars      text that one cell may print; the rest is cut
    """

    cell_seconds: float = 60
    notebook_seconds: float = 600
    memory_mb: int = 4096
    file_mb: int = 100
    disk_mb: int = 500
    processes: int = 256
    output_chars: int = 200_000

    def of_process(self) -> dict[str, int]:
        """Those that hold inside the kernel; autograder.serve sets them."""
        return {
            "memory_mb": self.memory_mb,
            "file_mb": self.file_mb,
            "disk_mb": self.disk_mb,
            "processes": self.processes,
            "output_chars": self.output_chars,
        }


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
