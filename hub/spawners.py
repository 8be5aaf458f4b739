"""Spawners of servers on this machine: with limits, under one account or under separate ones.

JupyterHub's local spawners have settings for memory and processors, but do not enforce them.
"""

from __future__ import annotations

import os
import resource
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyterhub.spawner import LocalProcessSpawner, SimpleLocalProcessSpawner
from jupyterhub.utils import random_port


class LimitedSpawner(LocalProcessSpawner):
    """Limits the memory of each process of a server, and the processors of all of them."""

    def make_preexec_fn(self, name: str) -> Callable[[], Any]:
        """Return a function that runs in the new process before the server. Called by start()."""
        inner, memory = super().make_preexec_fn(name), int(self.mem_limit or 0)
        cores = cores_of(self.user.name, round(self.cpu_limit or 0))

        def set_limits() -> None:
            if memory:
                resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
            os.sched_setaffinity(0, cores)
            inner()

        return set_limits


def hub_port(classroom: Path) -> int:
    """Return the port at which servers reach the hub: the same at each start of a classroom."""
    kept = classroom / "hub" / "port"
    if not kept.exists():
        kept.write_text(f"{random_port()}\n")
    return int(kept.read_text())


def cores_of(user: str, count: int) -> list[int]:
    """Return `count` of this machine's processors for a user, spread over all of them; 0: all."""
    cores = sorted(os.sched_getaffinity(0))
    first = zlib.crc32(user.encode()) % len(cores)
    return [*cores[first:], *cores[:first]][: count or None]


class OneAccount(LimitedSpawner, SimpleLocalProcessSpawner):
    """Runs all servers as the user who runs the hub, each with a separate home."""


class SystemAccounts(LimitedSpawner):
    """Runs each server as the system account of its user; the hub must run as root."""
