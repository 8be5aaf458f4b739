"""The processes of this machine."""

from __future__ import annotations

import socket

import psutil


def free_port() -> int:
    """Return a port of this machine at which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def process_with_command(command: str) -> psutil.Process | None:
    """Return the first process whose command line contains `command`."""
    for process in psutil.process_iter(["cmdline"]):
        if command in " ".join(process.info["cmdline"] or ()):
            return process
    return None


def running(command: str) -> bool:
    """Return whether the command line of a process of this machine contains `command`."""
    return process_with_command(command) is not None
