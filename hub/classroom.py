"""`make hub`: a class to look at, or your own, on this machine. It runs until Ctrl-C.

lay out (homes, exchange, course) -> release the lessons -> start JupyterHub -> say where
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import accounts
from people import invite

ROOT = Path(__file__).resolve().parent.parent
PROGRAMS = Path(sys.executable).parent
INSTRUCTORS, STUDENTS = ["lea"], ["ada", "alan", "emmy", "yann"]
LOCK_TIMEOUT = 120  # seconds until the hub has to answer


def main() -> None:
    """Set up the classroom, run its hub, and stop it cleanly."""
    options = parse()
    if not options.lay_out and in_use(options.port):
        sys.exit(f"hub: port {options.port} is in use: make hub PORT=... takes another")
    classroom = Path(options.classroom).absolute()
    lay_out(classroom)
    demo = ([], []) if options.lay_out else (INSTRUCTORS, STUDENTS)
    logins = invite(classroom, demo[0], [*demo[1], *options.student])
    with owners(classroom, logins, options) as grader:
        release(classroom, grader)
        if not options.lay_out:
            sys.exit(run(classroom, logins, options))


def parse() -> argparse.Namespace:
    """What was asked for on the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classroom", default="classroom", help="the folder for all of it")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--student", action="append", default=[], help="one more; may be repeated")
    parser.add_argument(
        "--accounts", choices=("one", "system"), default="one", help="whose the servers are"
    )
    parser.add_argument(
        "--daily-limit", type=int, default=0, help="marks at once, so many times a day"
    )
    parser.add_argument("--lay-out", action="store_true", help="make the folders, start no hub")
    return parser.parse_args()


def in_use(port: int) -> bool:
    """Whether something listens at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def lay_out(classroom: Path) -> None:
    """Make the folders of a classroom, with the lessons as they are now; its gradebook stays."""
    course, exchange = classroom / "course", classroom / "exchange"
    for folder in (course, exchange, classroom / "homes", classroom / "hub"):
        folder.mkdir(parents=True, exist_ok=True)
    for stage in ("source", "release"):
        shutil.copytree(ROOT / stage, course / stage, dirs_exist_ok=True)
    settings = (ROOT / "nbgrader_config.py").read_text()
    (course / "nbgrader_config.py").write_text(f"{settings}c.Exchange.root = {str(exchange)!r}\n")
    exchange.chmod(0o1777)  # open to all, as nbgrader asks; what is in it is its owners'


@contextmanager
def owners(
    classroom: Path, logins: Mapping[str, Any], options: argparse.Namespace
) -> Iterator[str | None]:
    """While the hub runs: accounts of the system, where they are asked for; gives the grader's.

    Those that were made here are removed in the end, but not where only the folders are laid out.
    """
    if options.accounts == "one":
        yield None
        return
    if os.geteuid() != 0:
        sys.exit("hub: accounts of the system need root")
    new = accounts.make(logins, classroom)
    try:
        accounts.hand_over(classroom, logins)
        if not reads_python(accounts.GRADER):
            sys.exit(
                f"hub: other users cannot read {sys.executable}: set up the course in a folder that"
                " they can read, with such a Python (make PYTHON=/usr/bin/python3 ...)"
            )
        yield accounts.GRADER
    finally:
        if not options.lay_out:
            accounts.remove(new)


def reads_python(name: str) -> bool:
    """Whether a user of the system can run our Python."""
    try:
        command = [sys.executable, "-c", "import jupyterhub"]
        return subprocess.run(command, user=name, capture_output=True, cwd="/").returncode == 0
    except OSError:
        return False


def release(classroom: Path, grader: str | None) -> None:
    """Put the lessons that are not there yet into the exchange, where students fetch them."""
    course, outbound = classroom / "course", classroom / "exchange" / "cnn" / "outbound"
    for lesson in sorted(path.name for path in (course / "release").iterdir()):
        if not (outbound / lesson).exists():
            command = [PROGRAMS / "nbgrader", "release_assignment", lesson, "--log-level=ERROR"]
            environment = {**os.environ, "HOME": str(course)}
            subprocess.run(command, cwd=course, env=environment, user=grader, check=True)
    if grader:
        accounts.hand_over(classroom, ())


def run(classroom: Path, logins: Mapping[str, Any], options: argparse.Namespace) -> int:
    """The hub, from its start to Ctrl-C; its exit status."""
    address = f"http://127.0.0.1:{options.port}"
    settings = {
        "HUB_ADDRESS": address,
        "HUB_CLASSROOM": str(classroom),
        "HUB_ACCOUNTS": options.accounts,
        "HUB_DAILY_LIMIT": str(options.daily_limit),
    }
    with (classroom / "hub" / "log").open("w") as log:
        hub = subprocess.Popen(
            [PROGRAMS / "jupyterhub", "-f", ROOT / "hub" / "jupyterhub_config.py"],
            env={**os.environ, **settings},
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is ours: the hub is told to end in its own way
        )
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: hub.send_signal(signal.SIGTERM))
        if not answers(hub, f"{address}/hub/health"):
            hub.terminate()
            hub.wait()
            end_proxy(classroom)
            sys.exit(f"hub: it does not start. {log.name} says why")
        print(f"Open {address}")
        for name, who in logins.items():
            role = "instructor" if who["teaches"] else "student"
            print(f"  {role:10}  {name:8}  {who['password']}")
        print(f"Ctrl-C stops it; what is in {classroom} stays.", flush=True)
        return hub.wait()


def end_proxy(classroom: Path) -> None:
    """A hub that fails leaves its proxy running, and the port with it."""
    with suppress(OSError, ValueError):
        os.kill(int((classroom / "hub" / "proxy.pid").read_text()), signal.SIGTERM)


def answers(hub: subprocess.Popen[bytes], url: str) -> bool:
    """Whether the hub answers before it ends, or before patience does."""
    deadline = time.monotonic() + LOCK_TIMEOUT
    while hub.poll() is None and time.monotonic() < deadline:
        try:
            with urlopen(url):
                return True
        except URLError:
            time.sleep(0.1)
    return False


if __name__ == "__main__":
    main()
