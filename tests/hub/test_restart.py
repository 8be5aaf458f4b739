"""A hub that stops and starts again: who works in it goes on; who joins needs no restart."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.support.classroom import Classroom, classroom
from tests.support.paths import ROOT
from tests.support.small_course import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hub")]


class Login:
    """A person who is logged in, without a browser."""

    def __init__(self, room: Classroom, name: str, password: str) -> None:
        self.name, self.session = name, requests.Session()
        self.address = room.address
        page = f"{room.address}/hub/login"
        self.session.get(page)
        form = {"username": name, "password": password, "_xsrf": self.session.cookies["_xsrf"]}
        self.status = self.session.post(page, data=form, allow_redirects=False).status_code

    def open_server(self) -> None:
        """Open JupyterLab, as a link does: the server starts, and one logs in there."""
        url = f"{self.address}/hub/spawn/{self.name}"
        assert wait_until(lambda: "/lab" in self.session.get(url).url, 90)

    def kernels(self) -> list[dict[str, Any]]:
        """Return what the server says of its kernels."""
        reply = self.session.get(f"{self.address}/user/{self.name}/api/kernels")
        reply.raise_for_status()
        return list(reply.json())

    def start_kernel(self) -> str:
        url = f"{self.address}/user/{self.name}/api/kernels"
        token = self.session.cookies.get("_xsrf", path=f"/user/{self.name}/")
        reply = self.session.post(url, json={}, headers={"X-XSRFToken": token})
        reply.raise_for_status()
        return str(reply.json()["id"])


def runs(process: psutil.Process) -> bool:
    """Whether a process has not ended; its parent, a hub before, may not wait for it."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:  # between the two
        return False


def test_a_stopped_hub_takes_its_users_back_and_a_late_joiner_logs_in(tmp_path: Path) -> None:
    folder = tmp_path / "classroom"
    (folder / "exchange" / "cnn" / "outbound").mkdir(parents=True)  # no lesson is to be released
    with classroom(folder, "--keep-servers", lessons=()) as room:
        ada = Login(room, "ada", room.password("ada"))
        ada.open_server()
        kernel = ada.start_kernel()
        assert Login(room, "zoe", "guess").status == 403
        command = [sys.executable, ROOT / "hub" / "classroom.py", "--files-only"]
        subprocess.run([*command, "--classroom", folder, "--student=zoe"], check=True)
        invited = Classroom.invitations(folder)["zoe"]
        assert Login(room, "zoe", invited).status == 302
        servers = psutil.Process(room.process.pid).children(recursive=True)
        before = time.monotonic()
        assert room.stop() == 0
        assert time.monotonic() - before < 25  # some 5 on an idle machine
    try:
        with classroom(folder, lessons=()) as room:
            ada = Login(room, "ada", room.password("ada"))
            ada.open_server()
            assert [each["id"] for each in ada.kernels()] == [kernel]
            servers += psutil.Process(room.process.pid).children(recursive=True)
            servers.append(psutil.Process(int((folder / "hub" / "proxy.pid").read_text())))
            assert runs(servers[-1])
            before = time.monotonic()
            assert room.stop() == 0
            assert time.monotonic() - before < 25  # some 5 on an idle machine
            ended = wait_until(lambda: not any(map(runs, servers)), 30)  # the killed ones, too
            assert ended, [each.as_dict(["ppid", "cmdline"]) for each in filter(runs, servers)]
    finally:
        for process in filter(runs, servers):
            process.kill()
