"""How the hub starts a server on this machine: bounded, under one account or each under its own.

JupyterHub's own local spawners know limits of memory and processors, and leave them to others.
"""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from typing import Any

from jupyterhub.spawner import LocalProcessSpawner, SimpleLocalProcessSpawner


class Bounded(LocalProcessSpawner):
    """Bounds the memory of each process of a server, and the processors of all of them."""

    def make_preexec_fn(self, name: str) -> Callable[[], Any]:
        """Called by start(); what it returns runs in the new process, before the server."""
        inner, memory = super().make_preexec_fn(name), int(self.mem_limit or 0)
        cores = sorted(os.sched_getaffinity(0))[: round(self.cpu_limit or 0) or None]

        def bound() -> None:
            if memory:
                resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
            os.sched_setaffinity(0, cores)
            inner()

        return bound


class OneAccount(Bounded, SimpleLocalProcessSpawner):
    """All servers run as the user who runs the hub, each in a home of its own."""


class OwnAccounts(Bounded):
    """Each server runs as the system's user of that name: the hub is root."""
