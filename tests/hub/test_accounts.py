"""Who can read what in a classroom where each student has a Unix account."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

sys.path.insert(0, str(ROOT / "hub"))
import accounts

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can make accounts"),
    pytest.mark.xdist_group("accounts"),  # the grader's account has one name on a machine
]

LESSON = "03_counting"


class Class:
    """Two students with accounts, and a classroom in which both submitted."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        mark = secrets.token_hex(3)
        self.ada, self.alan = f"ada-{mark}", f"alan-{mark}"
        self.new = accounts.make(
            {name: {"password": secrets.token_hex(8)} for name in (self.ada, self.alan)},
            folder,
        )

    def write_files(self) -> None:
        """Write the files of a classroom as nbgrader does, and give them to their owners."""
        for path in ("course/gradebook.db", f"course/source/{LESSON}.ipynb", "hub/cookie_secret"):
            self.write(path)
        for name in (self.ada, self.alan):
            self.write(f"homes/{name}/{LESSON}.ipynb")
        self.write(f"exchange/cnn/outbound/{LESSON}/{LESSON}.ipynb")
        (self.folder / "exchange/cnn/inbound").mkdir()
        accounts.give(self.folder / "exchange/cnn", accounts.GRADER)
        accounts.hand_over(self.folder, (self.ada, self.alan))

    def write(self, path: str) -> None:
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text("private\n")

    def as_user(self, name: str, *command: str) -> bool:
        """Return whether a command succeeds for a user."""
        done = subprocess.run(command, user=name, cwd="/", capture_output=True, check=False)
        return done.returncode == 0

    def reads(self, name: str, path: str) -> bool:
        return self.as_user(name, "cat", str(self.folder / path))


@pytest.fixture(scope="module")
def people() -> Iterator[Class]:
    folder = Path(tempfile.mkdtemp(prefix="class-", dir="/tmp"))
    folder.chmod(0o755)
    people = Class(folder)
    try:
        people.write_files()
        yield people
    finally:
        accounts.remove(people.new)
        shutil.rmtree(folder)
        assert not any(map(accounts.exists, people.new))


def test_students_read_their_own_home_and_what_is_released(people: Class) -> None:
    assert people.reads(people.ada, f"homes/{people.ada}/{LESSON}.ipynb")
    assert people.reads(people.ada, f"exchange/cnn/outbound/{LESSON}/{LESSON}.ipynb")


def test_students_read_nothing_of_others_and_of_the_course(people: Class) -> None:
    for path in (
        f"homes/{people.alan}/{LESSON}.ipynb",
        "course/gradebook.db",
        f"course/source/{LESSON}.ipynb",
        "hub/cookie_secret",
    ):
        assert (people.folder / path).exists()
        assert not people.reads(people.ada, path), path


def test_the_grader_reads_the_course(people: Class) -> None:
    assert people.reads(accounts.GRADER, "course/gradebook.db")


def test_students_hand_in_and_can_neither_list_nor_remove_what_others_did(people: Class) -> None:
    inbound = people.folder / "exchange/cnn/inbound"
    handed_in = inbound / f"{people.alan}+{LESSON}+2026-11-25 10:00:00 UTC+x7"
    assert people.as_user(people.alan, "mkdir", "--mode=777", str(handed_in))
    assert not people.as_user(people.ada, "ls", str(inbound))
    assert not people.as_user(people.ada, "mv", str(handed_in), f"{handed_in}-moved")
    assert not people.as_user(people.ada, "rmdir", str(handed_in))
    assert people.as_user(accounts.GRADER, "ls", str(inbound))
    assert handed_in.exists()
    assert people.as_user(people.alan, "rmdir", str(handed_in))


def test_students_cannot_take_the_exchange_away(people: Class) -> None:
    exchange = people.folder / "exchange"
    assert not people.as_user(people.ada, "mv", str(exchange / "cnn"), str(exchange / "mine"))
    new = exchange / "cnn/outbound/new"
    assert not people.as_user(people.ada, "touch", str(new))
    assert people.as_user(accounts.GRADER, "touch", str(new))
