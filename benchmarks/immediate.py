"""Immediate feedback: the time from a hand-in until its feedback can be fetched."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autograder.errors import LessonError
from benchmarks.commands import BIN

COURSE = "cnn"
LONGEST = 120  # seconds that one answer may take


def answer_hand_ins(course: Path, lesson: str, count: int) -> list[float]:
    """Return the seconds until `autograder watch` answered each of `count` hand-ins in turn.

    What is handed in are the submissions of the course. The first one, which waits for the start
    of `watch`, is not counted. Raise LessonError where one is not answered.
    """
    submissions = sorted(course.glob(f"submitted/*/{lesson}"))[: count + 1]
    ready = course / "ready"
    shutil.move(course / "submitted", ready)
    exchange = course / "exchange"
    exchange.mkdir(mode=0o777)
    with (course / "nbgrader_config.py").open("a") as settings:
        settings.write(
            f"\nc.CourseDirectory.course_id = {COURSE!r}\nc.Exchange.root = {str(exchange)!r}\n"
        )
    run(course, "nbgrader", "release_assignment", lesson)
    seconds = []
    with watched(course) as log:
        for number, submission in enumerate(submissions):
            student = submission.parent.name
            arriving = exchange / COURSE / f"arriving-{student}"
            shutil.copytree(ready / student / lesson, arriving)
            name = f"{student}+{lesson}+2026-01-01 00:00:0{number % 10} UTC+bench"
            pages = exchange / COURSE / "feedback"
            before, began = count_pages(pages), time.monotonic()
            arriving.rename(exchange / COURSE / "inbound" / name)
            while count_pages(pages) == before:
                if time.monotonic() - began > LONGEST:
                    raise LessonError(f"watch did not answer {student}: {log.read_text()[-500:]}")
                time.sleep(0.01)
            seconds.append(time.monotonic() - began)
    return seconds[1:]


def count_pages(folder: Path) -> int:
    """Return the number of pages of feedback in a folder of the exchange."""
    return len([*folder.glob("*.html")]) if folder.is_dir() else 0


def run(course: Path, *command: str) -> None:
    """Run a command of this environment in a course."""
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    program = [str(BIN / command[0]), *command[1:]]
    subprocess.run(program, cwd=course, env=env, check=True, capture_output=True)


@contextmanager
def watched(course: Path) -> Iterator[Path]:
    """A context in which `autograder watch` runs; the value is its output."""
    log = course / "watch.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(BIN / "autograder"), "watch"], cwd=course, stdout=output, stderr=output
        )
        try:
            yield log
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()
