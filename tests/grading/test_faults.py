"""Faults of the machine: whatever is killed, full, locked or away, grading is completed in the end.

After each of them the same command gives the marks, comments and outcomes of an undisturbed run.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psutil
import pytest
from nbgrader.api import Gradebook

from tests.support.processes import process_with_command, running
from tests.support.small_course import (
    FULL_MARKS,
    LESSON,
    RIGHT,
    Course,
    activated,
    make_course,
    outcomes,
    points,
    wait_until,
    with_double,
    with_greeting,
)

pytestmark = pytest.mark.slow

SEED, MOMENTS = 20, 10
CLASS = {
    "answers": RIGHT,
    "answers-nothing": {},
    "adds-two": with_double("def double(x):\n    return x + 2"),
    "kills-the-kernel": with_greeting("import os\ndef greet():\n    os.kill(os.getpid(), 9)"),
    "warns": with_double(
        "import sys\ndef double(x):\n    print('?', file=sys.stderr)\n    return 2*x"
    ),
}
GRADE = ("autograder", "grade", LESSON, "--json", "out.json")
WAITS = "the gradebook cannot be used yet"


def new_class(folder: Path, answers: dict[str, dict[str, str]] = CLASS) -> Course:
    folder.mkdir(exist_ok=True)
    course = make_course(folder)
    (folder / "gradebook.db").unlink()  # to be made while the engine is killed, too
    for student, work in answers.items():
        course.hand_in(student, work)
    return course


def results_of(course: Course) -> dict[str, dict[str, Any]]:
    """Return the result of each student, without the time it took and whether it is new."""
    results = json.loads((course.folder / "out.json").read_text())
    return {r["student"]: {**r, "seconds": 0, "status": r["status"][:6]} for r in results}


def in_gradebook(course: Course) -> dict[str, dict[str, Any]]:
    """Return the scores and comments in the gradebook, by student."""
    if not (course.folder / "gradebook.db").exists():
        return {}
    with tempfile.TemporaryDirectory() as folder:
        for path in course.folder.glob("gradebook.db*"):  # to open it may repair it
            shutil.copy(path, folder)
        with (
            patch.dict(os.environ, activated()),  # nbgrader calls alembic by its name
            Gradebook(f"sqlite:///{folder}/gradebook.db", "cnn") as gradebook,
        ):
            return {
                entry.student.id: marks_and_comments(entry)
                for assignment in gradebook.assignments
                for entry in assignment.submissions
            }


def marks_and_comments(entry: Any) -> dict[str, Any]:
    """Return the score of each cell and whether it needs a manual grade, and each comment."""
    grades = {g.name: (g.score, g.needs_manual_grade) for nb in entry.notebooks for g in nb.grades}
    comments = {f"{c.name}: comment": c.comment for nb in entry.notebooks for c in nb.comments}
    return grades | comments


def outlived(engine: subprocess.Popen[str]) -> list[int]:
    """Return the other processes of the session of an engine: server, kernels, what they run."""
    pids = []
    for pid in psutil.pids():
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getsid(pid) == engine.pid != pid:
                pids.append(pid)
    return pids


# An earlier process of the same number, killed together with its server, may have left one.
LEFT_BEFORE = set(Path("/tmp").glob("k-*"))


def scratch(engine: subprocess.Popen[str]) -> list[Path]:
    """Return the scratch folders of an engine."""
    return [path for path in Path("/tmp").glob(f"k-{engine.pid}-*") if path not in LEFT_BEFORE]


def has_left_nothing(engine: subprocess.Popen[str]) -> bool:
    return not outlived(engine) and not scratch(engine)


def sleeper(seconds: str) -> str:
    """Return a first line for an answer that waits there, where the test finds its process."""
    return f"import subprocess\nsubprocess.run(['sleep', '{seconds}'])\n"


# The engine is killed.


shares_undisturbed = pytest.mark.xdist_group("undisturbed")  # one worker of the tests prepares it


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any, float]:
    """The results of the class, its gradebook, and the seconds that grading takes."""
    course = new_class(tmp_path_factory.mktemp("undisturbed"))
    began = time.monotonic()
    done = course.run(*GRADE)
    assert done.returncode == 0, done.stderr
    return results_of(course), in_gradebook(course), time.monotonic() - began


@shares_undisturbed
@pytest.mark.parametrize("part", range(MOMENTS))
def test_an_engine_that_is_killed_at_any_moment_loses_nothing(
    part: int, undisturbed: tuple[Any, Any, float], tmp_path: Path
) -> None:
    """Kill it once in each tenth of the time that it takes."""
    results, gradebook, seconds = undisturbed
    moment = seconds * (part + random.Random(SEED + part).random()) / MOMENTS
    course = new_class(tmp_path / "course")
    engine = course.start(*GRADE, "--jobs", "2", start_new_session=True)
    with contextlib.suppress(subprocess.TimeoutExpired):
        engine.wait(moment)
    engine.kill()
    engine.communicate()
    when = f"killed after {moment:.3f} s of {seconds:.1f}, seed {SEED}"
    nothing_left = wait_until(partial(has_left_nothing, engine), 60)
    assert nothing_left, f"{when}: left {outlived(engine)}, {scratch(engine)}"
    done_before = published(course)
    for student, marks in in_gradebook(course).items():
        assert marks == gradebook[student], f"{student} is half graded: {when}"
    assert set(in_gradebook(course)) >= done_before
    again = course.run(*GRADE)
    what = f"{when}: {again.stderr}"
    assert again.returncode == 0, what
    assert results_of(course) == with_kept(results, done_before), what
    assert in_gradebook(course) == gradebook, what
    assert not list(course.folder.glob("autograded/*/.*")), what
    print(f"{when}: {len(done_before)} were kept")


def published(course: Course) -> set[str]:
    """Return the students who have a graded notebook, each of which can be read."""
    paths = list(course.folder.glob(f"autograded/*/{LESSON}/{LESSON}.ipynb"))
    assert all(json.loads(path.read_text())["cells"] for path in paths)
    return {path.parts[-3] for path in paths}


def with_kept(results: dict[str, Any], kept: set[str]) -> dict[str, Any]:
    return {s: {**r, "status": "kept" if s in kept else "graded"} for s, r in results.items()}


# A kernel, or their server, is killed.


@contextmanager
def grading(course: Course, *options: str) -> Iterator[subprocess.Popen[str]]:
    """A run in progress, which must succeed."""
    with (course.folder / "log").open("w") as log:
        engine = course.start(*GRADE, *options, stderr=log)
        try:
            yield engine
            engine.communicate(timeout=200)
        finally:
            engine.kill()
            engine.communicate()
    what = (course.folder / "log").read_text()
    assert engine.returncode == 0, what
    assert "Traceback" not in what


def test_a_kernel_that_is_killed_costs_its_cell_and_nothing_else(tmp_path: Path) -> None:
    waits = {"double": sleeper("86411") + RIGHT["double"], "greet": RIGHT["greet"]}
    course = new_class(tmp_path / "course", {"unlucky": waits, "lucky": RIGHT})
    with grading(course):
        assert wait_until(lambda: running("sleep 86411"), 60)
        inside = process_with_command("sleep 86411")
        assert inside
        os.kill(inside.ppid(), signal.SIGKILL)
    results = results_of(course)
    assert points(results["lucky"]) == FULL_MARKS
    assert points(results["unlucky"]) == FULL_MARKS | {"test-double": 0, "hidden-double": 0}
    assert "The kernel died" in results["unlucky"]["cells"][0]["message"]
    assert outcomes(results["unlucky"])["test-greet"] == "passed"


# Each looks for a sleep of its own, since both may run at a time.
@pytest.mark.parametrize(("victim", "seconds"), [("server", "3.0625"), ("its keeper", "3.03125")])
def test_a_server_of_kernels_that_is_killed_costs_nothing(
    tmp_path: Path, victim: str, seconds: str
) -> None:
    waits = {"double": sleeper(seconds) + RIGHT["double"], "greet": RIGHT["greet"]}
    course = new_class(tmp_path / "course", {"one": waits, "two": waits, "three": RIGHT})
    with grading(course) as engine:
        assert wait_until(lambda: running(f"sleep {seconds}"), 60)
        (keeper,) = psutil.Process(engine.pid).children()
        assert "autograder.sandbox.fork_server" in keeper.cmdline()
        (server,) = keeper.children()
        (keeper if victim == "its keeper" else server).kill()
    assert {student: points(r) for student, r in results_of(course).items()} == dict.fromkeys(
        ("one", "two", "three"), FULL_MARKS
    )


# The gradebook is locked.


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Another program writes to a database, for longer than SQLite would wait."""
    with contextlib.closing(sqlite3.connect(path, timeout=60)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.rollback()


def test_a_gradebook_that_is_locked_when_a_run_begins_is_waited_for(tmp_path: Path) -> None:
    course = new_class(tmp_path / "course")
    assert course.run(*GRADE, "--student", "answers").returncode == 0
    with grading(course), locked(course.folder / "gradebook.db"):
        assert wait_until(lambda: WAITS in (course.folder / "log").read_text(), 60)
    assert {s: r["score"] for s, r in results_of(course).items()} == SCORES


def test_a_gradebook_that_is_locked_meanwhile_is_waited_for(tmp_path: Path) -> None:
    course = new_class(tmp_path / "course")
    with grading(course, "--jobs", "1"):
        assert wait_until(lambda: bool(published(course)), 60)
        with locked(course.folder / "gradebook.db"):
            assert wait_until(lambda: WAITS in (course.folder / "log").read_text(), 60)
    assert {s: r["score"] for s, r in results_of(course).items()} == SCORES


SCORES = {
    "answers": 7,
    "answers-nothing": 0,
    "adds-two": 5,
    "kills-the-kernel": 3,
    "warns": 7,
}


# The disk is full.


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A separate file system of `size` at `folder`."""
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "small", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", folder], check=True)


@shares_undisturbed
@pytest.mark.skipif(os.getuid() != 0, reason="only root can mount a small file system")
def test_a_full_disk_is_named_and_the_next_run_finishes(
    undisturbed: tuple[Any, Any, float], tmp_path: Path
) -> None:
    course = new_class(tmp_path / "course")
    folder = course.folder / "autograded"
    with small_disk(folder, "28k"):
        done = course.run(*GRADE)
        assert done.returncode == 1
        fitted = published(course)
        assert 0 < len(fitted) < len(CLASS)
        summary, *lines = done.stderr.splitlines()[-1 - len(CLASS) + len(fitted) :]
        assert summary.startswith(f"{LESSON}: {len(fitted)} graded")
        for line in lines:
            assert "not graded: No space left on device" in line
        subprocess.run(["mount", "-o", "remount,size=10m", folder], check=True)
        again = course.run(*GRADE)
        assert again.returncode == 0, again.stderr
        assert results_of(course) == with_kept(undisturbed[0], fitted)
        assert in_gradebook(course) == undisturbed[1]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="Linux has a device that is full")
def test_results_that_cannot_be_written_are_one_line(tmp_path: Path) -> None:
    course = new_class(tmp_path / "course", {"ada": RIGHT})
    done = course.run("autograder", "grade", LESSON, "--json", "/dev/full")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].endswith(
        "/dev/full cannot be written: No space left on device"
    )


# What a killed engine leaves.


def test_an_engine_that_is_killed_leaves_no_folder(tmp_path: Path) -> None:
    waits = {"double": sleeper("86412") + RIGHT["double"]}
    course = new_class(tmp_path / "course", {"ada": waits})
    engine = course.start(*GRADE, start_new_session=True)
    assert wait_until(lambda: running("sleep 86412"), 60)
    assert scratch(engine)
    assert outlived(engine)
    engine.kill()
    engine.communicate()
    assert wait_until(lambda: has_left_nothing(engine))
    assert wait_until(lambda: not running("sleep 86412"))


def test_an_engine_that_is_killed_with_messages_unread_leaves_no_folder(tmp_path: Path) -> None:
    waits = {"double": sleeper("86413") + RIGHT["double"]}
    course = new_class(tmp_path / "course", {"ada": waits})
    engine = course.start(*GRADE)
    assert wait_until(lambda: running("sleep 86413"), 60)
    inside = process_with_command("sleep 86413")
    assert inside
    engine.send_signal(signal.SIGSTOP)
    os.kill(inside.ppid(), signal.SIGKILL)  # the server reports it, and nothing reads the report
    assert wait_until(lambda: not running("sleep 86413"))
    engine.kill()  # a pipe that is closed with data unread is reset, not at its end
    engine.communicate()
    assert wait_until(lambda: not scratch(engine))
