"""A real PostgreSQL server, in a scratch folder, with a Unix socket."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from typing import Any

import pytest


class Server:
    """A PostgreSQL server that can be stopped for a while without losing data."""

    def __init__(self, folder: str, programs: str) -> None:
        self.folder, self.programs = folder, programs
        self.user = self.who_may_run_it()
        self.run("initdb", "--auth=trust", "--username=course", "--no-sync", f"{folder}/data")

    def url(self, database: str) -> str:
        return f"postgresql+psycopg://course@/{database}?host={self.folder}"

    def who_may_run_it(self) -> str | None:
        """Return the user who runs it and owns its folder: PostgreSQL refuses root."""
        if os.getuid():
            return None
        known = {entry.pw_name for entry in pwd.getpwall()}
        user = "postgres" if "postgres" in known else "nobody"
        shutil.chown(self.folder, user)
        return user

    def run(self, program: str, *options: str) -> None:
        groups: dict[str, Any] = {"extra_groups": []} if self.user else {}
        subprocess.run(
            [f"{self.programs}/{program}", *options],
            user=self.user,
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            check=True,
            **groups,
        )

    def start(self) -> None:
        """Start it, on a socket in its own folder only; return when it listens."""
        settings = f"-k {self.folder} -c listen_addresses='' -c fsync=off"
        log = f"{self.folder}/log"
        self.run("pg_ctl", "start", "-w", "-D", f"{self.folder}/data", "-l", log, "-o", settings)

    def stop(self) -> None:
        """Stop it, and close all connections."""
        self.run("pg_ctl", "stop", "-w", "-D", f"{self.folder}/data", "-m", "fast")

    def is_up(self) -> bool:
        return os.path.exists(f"{self.folder}/data/postmaster.pid")


@contextmanager
def running_server() -> Iterator[Server]:
    """Yield a server that listens; skip the test where PostgreSQL is missing, in CI fail."""
    programs = sorted(glob("/usr/lib/postgresql/*/bin/postgres"))
    if not programs:
        missing = "Debian's package postgresql is missing: apt-get install postgresql"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as folder:
        server = Server(folder, os.path.dirname(programs[-1]))
        server.start()
        yield server
        if server.is_up():
            server.stop()
