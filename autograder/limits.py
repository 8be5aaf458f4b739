"""What one notebook may use. The defaults of the whole engine stand here."""

from __future__ import annotations

import resource
from dataclasses import dataclass

MEGABYTE = 1024 * 1024


@dataclass(frozen=True)
class Limits:
    """Bounds on the execution of one notebook.

    cell_seconds      wall time of one cell
    notebook_seconds  wall time of the whole notebook, kernels started again included
    memory_mb         private memory of each process, over what a fresh kernel has
    file_mb           size of any file it writes
    output_chars      text that one cell may print; the rest is cut
    """

    cell_seconds: float = 60
    notebook_seconds: float = 600
    memory_mb: int = 4096
    file_mb: int = 100
    output_chars: int = 200_000

    def of_process(self) -> dict[str, int]:
        """Those that hold inside the kernel: the keyword arguments of kernel.become_kernel."""
        return {
            "memory_mb": self.memory_mb,
            "file_mb": self.file_mb,
            "output_chars": self.output_chars,
        }


def set_process_limits(memory_mb: int, file_mb: int) -> None:
    """Bound this process and all it starts. Called in a kernel before it runs a first cell."""
    _lower(resource.RLIMIT_DATA, memory_in_use() + memory_mb * MEGABYTE)
    _lower(resource.RLIMIT_FSIZE, file_mb * MEGABYTE)
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
