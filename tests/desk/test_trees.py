"""Folders of students are read and written as what they are at that moment: no link is followed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from autograder.desk import trees
from autograder.desk.trees import read_course_folder, read_hand_in, write_missing
from autograder.grading import collect
from autograder.grading.collect import opened

SECRET = "the gradebook of the class"


@pytest.fixture
def hand_in(tmp_path: Path) -> Path:
    """A hand-in of two files; beside it the course, with a secret."""
    for name in ("hand-in/a.txt", "hand-in/data/gradebook.db"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("own")
    (tmp_path / "course").mkdir()
    (tmp_path / "course" / "gradebook.db").write_text(SECRET)
    return tmp_path / "hand-in"


def swap(hand_in: Path) -> None:
    """Put a link to the course in the place of a folder."""
    os.rename(hand_in / "data", hand_in / "data.before")
    (hand_in / "data").symlink_to(hand_in.parent / "course")


def test_a_folder_that_becomes_a_link_while_it_is_read_leads_nowhere(
    hand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swapping(name: str, folder: int | None, flags: int = os.O_DIRECTORY) -> object:
        if name == "data":  # between the look at it and its opening
            swap(hand_in)
        return opened(name, folder, flags)

    assert dict(read_hand_in(hand_in)) == {"a.txt": b"own", "data/gradebook.db": b"own"}
    monkeypatch.setattr(trees, "opened", swapping)
    files = dict(read_hand_in(hand_in))
    assert files == {"a.txt": b"own", "data": None}
    assert (hand_in / "data" / "gradebook.db").read_text() == SECRET, "the link is there"


def a_link(hand_in: Path) -> None:
    (hand_in / "x").symlink_to(hand_in.parent / "course" / "gradebook.db")


def a_hard_link(hand_in: Path) -> None:
    os.link(hand_in.parent / "course" / "gradebook.db", hand_in / "x")


def a_pipe(hand_in: Path) -> None:
    os.mkfifo(hand_in / "x")


def a_sparse_file(hand_in: Path) -> None:
    with (hand_in / "x").open("wb") as file:
        file.truncate(200 << 30)


@pytest.mark.parametrize("make", [a_link, a_hard_link, a_pipe, a_sparse_file])
def test_what_is_no_file_of_the_student_is_not_read(
    hand_in: Path, make: Callable[[Path], None]
) -> None:
    make(hand_in)
    assert dict(read_hand_in(hand_in))["x"] is None
    assert dict(read_hand_in(hand_in))["a.txt"] == b"own"


def test_a_hand_in_of_too_many_files_is_read_in_part(
    hand_in: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "MAX_FILES", 1)
    assert dict(read_hand_in(hand_in)) == {"a.txt": b"own", ".": None}
    assert len(dict(read_course_folder(hand_in))) == 2, (
        "the course's own folders have no such bound"
    )


@pytest.mark.parametrize("name", ["data/new.txt", "a.txt", "data.before/x/new.txt"])
def test_nothing_is_written_through_a_link_or_over_a_file(hand_in: Path, name: str) -> None:
    swap(hand_in)
    before = {path: path.read_text() for path in hand_in.parent.rglob("*") if path.is_file()}
    write_missing(hand_in, name, b"restored")
    after = {path: path.read_text() for path in hand_in.parent.rglob("*") if path.is_file()}
    new = {hand_in / name: "restored"} if name.startswith("data.before") else {}
    assert after == before | new
