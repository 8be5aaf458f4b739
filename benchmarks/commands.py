"""The commands that grade a class, the engine's and stock nbgrader's, run and measured."""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
from nbgrader.api import Gradebook

from autograder.authoring.build import notebook_path
from autograder.errors import LessonError
from benchmarks.plan import CORES, GRADER, PARALLEL, RUN_ALL, SERIAL, Marks, Run

BIN = Path(sys.executable).parent


def grade(system: str, folder: Path, lessons: Sequence[str], *options: str) -> Run:
    """Return the run of a system that grades lessons of the course in `folder`.

    Raise LessonError if it did not grade all students; under xargs stock may lose some.
    """
    run = run_command(command(system, lessons, options), folder)
    marks: Marks = {}
    for lesson in lessons:
        of_lesson = marks_in(folder, lesson)
        missing = {path.parent.name for path in folder.glob(f"submitted/*/{lesson}")}
        missing -= of_lesson.keys()
        if missing and system != PARALLEL:
            ending = run.log.strip()[-500:]
            raise LessonError(f"{lesson}: {system} did not grade {min(missing)}: {ending}")
        marks |= {f"{student}: {lesson}": each for student, each in of_lesson.items()}
    return replace(run, marks=marks)


def command(system: str, lessons: Sequence[str], options: Sequence[str] = ()) -> list[str]:
    """Return what a user would type, with the programs of this environment."""
    if system in (GRADER, RUN_ALL):
        how = ["--run-all"] if system == RUN_ALL else []
        return [str(BIN / "autograder"), "grade", *lessons, *how, *options]
    autograde = [sys.executable, "-m", "nbgrader", "autograde"]
    if system == SERIAL:
        script = f'for each; do {shlex.join(autograde)} "$each"; done'
        return ["sh", "-c", script, "sh", *lessons]
    each = ["env", "OMP_NUM_THREADS=1", "xargs", "-P", str(CORES), "-I{}"]
    each += [*autograde, "--student", "{}"]
    script = f'for each; do ls submitted | {shlex.join(each)} "$each"; done'
    return ["sh", "-c", script, "sh", *lessons]


def marks_in(folder: Path, lesson: str) -> Marks:
    """Return the points of each graded cell from the gradebook, of each student who was graded."""
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        return {
            entry.student.id: {g.cell.name: g.score for n in entry.notebooks for g in n.grades}
            for entry in gradebook.assignment_submissions(lesson)
            if notebook_path(folder / "autograded" / entry.student.id, lesson).exists()
        }


def run_command(argv: Sequence[str], folder: Path) -> Run:
    """Return the times, memory and output of a command that runs in `folder`."""
    # This setting would give stock the kernels of the engine.
    env = {k: v for k, v in os.environ.items() if k != "JUPYTER_DEFAULT_PROVISIONER_NAME"}
    env["PATH"] = os.pathsep.join([str(BIN), os.environ["PATH"]])
    peak = cpu = 0.0
    with tempfile.TemporaryFile("w+") as output:
        began = time.monotonic()
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        ended = os.pidfd_open(process.pid)
        try:
            while not select.select([ended], [], [], 0.1)[0]:
                peak = max(peak, memory_mb(process.pid, "status", "VmHWM"))
                with suppress(psutil.Error):  # it may have ended
                    times = psutil.Process(process.pid).cpu_times()
                    cpu = max(cpu, times.user + times.system)
            seconds = time.monotonic() - began
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
        finally:
            os.close(ended)
            process.wait()
        output.seek(0)
        return Run(seconds, peak, log=output.read(), cpu_s=cpu)


def memory_mb(pid: int, file: str, *fields: str) -> float:
    """Return the sum of `fields` in /proc/`pid`/`file` in MB; 0 if they cannot be read."""
    with suppress(OSError):
        lines = [line.split() for line in Path(f"/proc/{pid}/{file}").read_text().splitlines()]
        return sum(int(line[1]) for line in lines if line[0].rstrip(":") in fields) / 1024
    return 0.0


def descendants(pid: int) -> set[int]:
    """Return the processes that `pid` started, and those that they started."""
    return {child.pid for child in psutil.Process(pid).children(recursive=True)}
