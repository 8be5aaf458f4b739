"""`make load`: a class of 20 in the hub at once, and Validate compared with stock nbgrader.

Figures of this machine; that nothing is lost is a test too (tests/hub/test_hub.py).
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from statistics import median
from threading import Event, Thread
from typing import Any

import psutil
import requests
from nbgrader.validator import Validator
from rich.console import Console
from rich.table import Table

from autograder.authoring.build import notebook_path
from autograder.sandbox.fork_client import shared_server
from autograder.service.validate import validate
from tests.support.classroom import Classroom, classroom
from tests.support.paths import ROOT

STUDENTS = 20
LESSON = "03_counting"
MEGABYTE = 1 << 20


class Client:
    """A student without a browser: the requests that JupyterLab sends to the server."""

    def __init__(self, room: Classroom, name: str) -> None:
        self.room, self.name, self.http = room, name, requests.Session()
        self.seconds: dict[str, float] = {}

    def work(self) -> Client:
        """Log in, fetch, validate twice, submit; return the client with its times."""
        for step in (self.enter, self.fetch, self.validate, self.validate_again, self.submit):
            began = time.monotonic()
            step()
            self.seconds[step.__name__] = time.monotonic() - began
        return self

    def enter(self) -> None:
        """Log in, and wait until the student's server responds."""
        address = f"{self.room.address}/hub/login"
        self.http.get(address).raise_for_status()
        form = {"username": self.name, "password": self.room.password(self.name)}
        form["_xsrf"] = self.http.cookies.get("_xsrf", path="/hub/") or ""
        self.http.post(f"{address}?next=/hub/spawn", data=form).raise_for_status()
        while self.http.get(f"{self.room.address}/user/{self.name}/api/status").status_code != 200:
            self.http.get(f"{self.room.address}/user/{self.name}/lab")
            time.sleep(0.5)

    def ask(self, where: str, **body: str) -> Any:
        """Return the response of the student's server."""
        base = f"/user/{self.name}/"
        token = self.http.cookies.get("_xsrf", path=base) or ""
        answer = self.http.post(
            f"{self.room.address}{base}{where}", json=body, headers={"X-XSRFToken": token}
        )
        answer.raise_for_status()
        return answer.json()

    def fetch(self) -> None:
        assert self.ask("assignments/fetch", course_id="cnn", assignment_id=LESSON)["success"]
        # Each submission differs: it contains the student's name.
        path = self.room.home(self.name) / LESSON / f"{LESSON}.ipynb"
        notebook = json.loads(path.read_text())
        notebook["cells"].append(
            {"cell_type": "markdown", "id": "own", "metadata": {}, "source": f"By {self.name}."}
        )
        path.write_text(json.dumps(notebook))

    def validate(self) -> None:
        reply = self.ask("assignments/validate", path=f"{LESSON}/{LESSON}.ipynb")
        assert len(reply["value"]["tests"]) == 9, reply

    def validate_again(self) -> None:
        self.validate()

    def submit(self) -> None:
        assert self.ask("assignments/submit", course_id="cnn", assignment_id=LESSON)["success"]


def run_together(folder: Path, count: int) -> list[Client]:
    """Return so many clients of a new classroom, after all worked at the same time."""
    names = [f"student{number:02}" for number in range(count)]
    options = [option for name in names for option in ("--student", name)]
    with classroom(folder, *options) as room, ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda name: Client(room, name).work(), names))


def intact(folder: Path, clients: list[Client]) -> int:
    """Return how many submissions in the exchange equal the student's own file, to the byte."""
    inbound = folder / "exchange" / "cnn" / "inbound"
    intact_count = 0
    for client in clients:
        at_home = client.room.home(client.name) / LESSON / f"{LESSON}.ipynb"
        handed_in = [path / f"{LESSON}.ipynb" for path in inbound.glob(f"{client.name}+{LESSON}+*")]
        intact_count += len(handed_in) == 1 and digest(handed_in[0]) == digest(at_home)
    return intact_count


def digest(path: Path) -> str:
    return sha256(path.read_bytes()).hexdigest()


def measured(action: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that an action takes, and the peak memory of child processes (MB)."""
    most, done = [0.0], Event()

    def look() -> None:
        while not done.wait(0.1):
            most[0] = max(most[0], children_mb())

    watcher = Thread(target=look)
    watcher.start()
    began = time.monotonic()
    action()
    seconds = time.monotonic() - began
    done.set()
    watcher.join()
    return seconds, most[0]


def children_mb() -> float:
    """Return the memory of all child processes (MB), shared pages counted once."""
    total = 0
    for child in psutil.Process().children(recursive=True):
        try:
            total += child.memory_full_info().pss
        except psutil.Error:
            continue
    return total / MEGABYTE


def validate_table() -> Table:
    """Return the table that compares Validate, first and later, with stock nbgrader's."""
    table = Table("Validate of 03", "seconds", "MB at most", "MB afterwards")
    with tempfile.TemporaryDirectory() as folder:
        notebook = Path(folder) / f"{LESSON}.ipynb"
        notebook.write_bytes(notebook_path(ROOT / "release", LESSON).read_bytes())
        for who, action in (
            ("stock", lambda: Validator().validate(str(notebook))),
            ("ours", lambda: validate(notebook)),
        ):
            for round_ in ("first", "second", "third"):
                seconds, most = measured(action)
                after = f"{children_mb():.0f}"
                table.add_row(f"{who}, {round_}", f"{seconds:.1f}", f"{most:.0f}", after)
    shared_server.shutdown()
    table.add_row("ours, shut down", "", "", f"{children_mb():.0f}")
    return table


def main() -> None:
    """Print both tables; status 1 where a submission is lost."""
    console = Console()
    console.print(validate_table())
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "classroom"
        clients = run_together(folder, STUDENTS)
        whole = intact(folder, clients)
    table = Table(f"{STUDENTS} at once", "median s", "slowest s")
    for step in clients[0].seconds:
        seconds = [client.seconds[step] for client in clients]
        table.add_row(step, f"{median(seconds):.1f}", f"{max(seconds):.1f}")
    console.print(table)
    console.print(f"{whole} of {STUDENTS} submissions intact")
    sys.exit(whole != STUDENTS)


if __name__ == "__main__":
    main()
