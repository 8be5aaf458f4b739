"""The processes of this machine."""

from __future__ import annotations

import contextlib
from pathlib import Path


def running(command: str) -> bool:
    """Return whether the command line of a process of this machine contains `command`."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if command in path.read_text().replace("\0", " "):
                return True
    return False
