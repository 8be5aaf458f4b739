"""What lies in the folder of a graded submission: its files, and what its answers wrote."""

from __future__ import annotations

import time

import pytest

from autograder.execution.session import valid_files
from autograder.grading.coordinator import with_written
from autograder.grading.submissions import beside
from autograder.limits import MAX_WRITTEN_FILES, MESSAGE_BYTES


def test_no_file_has_the_name_of_a_folder() -> None:
    ours = {"data/t.csv": b"", "notes": b""}
    assert beside({"data": b"x", "notes/a": b"x", "data/u.csv": b"x"}, ours) == {"data/u.csv": b"x"}
    assert beside({"a/b": b"x", "a": b"y", "c/d/e": b"x", "c/d": b"y"}, {}) == {
        "a": b"y",
        "c/d": b"y",
    }


def test_an_answer_writes_no_file_of_nbgrader() -> None:
    files = {"timestamp.txt": b"2026-11-01", "t.csv": b"old"}
    written = {"timestamp.txt": b"x", "submission_secret.txt": b"x", "t.csv": b"new", "u.csv": b"1"}
    expected = {"timestamp.txt": b"2026-11-01", "t.csv": b"new", "u.csv": b"1"}
    assert with_written(files, written) == expected


def test_thousands_of_files_take_a_moment() -> None:
    files = {f"d{number}/{number}.txt": b"" for number in range(2_000)}
    written = {f"w{number}/a/b/c/{number}.txt": b"" for number in range(MAX_WRITTEN_FILES)}
    began = time.process_time()
    assert len(with_written(files, written)) == len(files) + len(written)
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    "name",
    ["", "..", "../a", "/a", "a//b", ".a", "a/.b", "a.ipynb", "a\\b", "a\0", "\x1b[31m", "\udcff",
     "é" * 101, "a/" * 10 + "a"],
)  # fmt: skip
def test_an_invalid_name_is_not_kept(name: str) -> None:
    assert valid_files([name, "figure é.png"], [b"x", b"y"]) == {"figure é.png": b"y"}


def test_as_much_is_kept_as_a_kernel_sends() -> None:
    names = [str(number) for number in range(MAX_WRITTEN_FILES + 5)]
    assert len(valid_files(names, [b""] * len(names))) == MAX_WRITTEN_FILES
    large = bytes(MESSAGE_BYTES - 1)
    assert valid_files(["a", "b", "c"], [large, b"1", b"2"]).keys() == {"a", "b"}
