"""Grade a public nbgrader course by stock nbgrader and by the grader, and compare each cell.

    python -m tests.foreign COURSE [COURSE ...] [--altered 2] [--json FILE]

COURSE is a folder with nbgrader's layout (source/, perhaps submitted/): fetched by hand, never
committed. It is not changed: both grade copies of it in a temporary folder. Submitted are

    solutions      the instructor's own notebooks
    released       what students get: no answer
    altered-K      the solutions, with one answer put back to what was released
    what the course has in submitted/

A cell where the grader gives less than stock is printed with its message; exit status 1 then.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from jupyter_client.kernelspec import KernelSpecManager
from nbgrader.api import Gradebook
from nbgrader.utils import is_solution

BIN = Path(sys.executable).parent
STOCK = ("nbgrader", "autograde", "--create")
STAMP = "2026-01-01 12:00:00 UTC"


@dataclass
class Comparison:
    """One assignment: marks by student, notebook and cell; seconds; what each command said."""

    course: str
    assignment: str
    seconds: dict[str, float] = field(default_factory=dict)
    cells: int = 0
    less: list[dict[str, Any]] = field(default_factory=list)
    more: list[dict[str, Any]] = field(default_factory=list)
    examiner: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)


def run(course: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the environment in a course."""
    program = [str(BIN / command[0]), *command[1:]]
    # nbgrader runs alembic by name.
    env = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(program, cwd=course, env=env, capture_output=True, text=True, check=False)


def assignments(course: Path) -> list[str]:
    """Return the assignments of a course."""
    names = {path.parent.name for path in course.glob("source/*/*.ipynb")}
    return sorted(name for name in names if not name.startswith("."))


def prepare(course: Path, assignment: str, altered: int, into: Path) -> str:
    """Make a course with submissions in `into`; return what is wrong with it, or nothing."""
    shutil.copytree(
        course / "source" / assignment,
        into / "source" / assignment,
        ignore=shutil.ignore_patterns(".ipynb_checkpoints", ".*"),
    )
    for name in ("header.ipynb", "nbgrader_config.py"):
        if (course / "source" / name).exists():
            shutil.copy(course / "source" / name, into / "source")
    (into / "nbgrader_config.py").write_text(
        'c = get_config()\nc.CourseDirectory.course_id = "c"\n'
    )
    for tests in course.glob("autotests.yml"):
        shutil.copy(tests, into)
    run(into, "nbgrader", "update", "source")
    for path in into.glob("source/*/*.ipynb"):
        use_installed_kernel(path)
    made = run(into, "nbgrader", "generate_assignment", assignment, "--create", "--force")
    if made.returncode:
        return made.stderr.strip().splitlines()[-1] if made.stderr.strip() else "not generated"
    release, source = into / "release" / assignment, into / "source" / assignment
    submit(into, assignment, "solutions", source)
    submit(into, assignment, "released", release)
    for count, name, notebook in alterations(source, release, altered):
        folder = submit(into, assignment, f"altered-{count}", source)
        nbformat.write(notebook, folder / name)
    for theirs in course.glob(f"submitted/*/{assignment}"):
        submit(into, assignment, theirs.parent.name, theirs)
    return ""


def use_installed_kernel(path: Path) -> None:
    """Let a notebook that names a Python kernel of another machine name one of this machine."""
    notebook = nbformat.read(path, 4)
    spec = notebook.metadata.get("kernelspec", {})
    language = spec.get("language") or notebook.metadata.get("language_info", {}).get("name")
    if language == "python" and spec.get("name") not in KernelSpecManager().find_kernel_specs():
        spec["name"] = "python3"
        nbformat.write(notebook, path)


def submit(course: Path, assignment: str, student: str, notebooks: Path) -> Path:
    """Copy a folder to submitted/."""
    folder = course / "submitted" / student / assignment
    shutil.copytree(notebooks, folder)
    (folder / "timestamp.txt").write_text(STAMP)
    return folder


def alterations(source: Path, release: Path, count: int) -> Iterator[tuple[int, str, Any]]:
    """Yield `count` notebooks of the source with one answer put back to what was released."""
    places = []
    for path in sorted(source.glob("*.ipynb")):
        if not (release / path.name).exists():
            continue
        released = {
            cell.metadata.nbgrader["grade_id"]: cell.source
            for cell in nbformat.read(release / path.name, 4).cells
            if is_solution(cell) and cell.cell_type == "code"
        }
        places += [(path, grade_id, text) for grade_id, text in released.items()]
    step = max(1, len(places) // max(1, count))
    for number, (path, grade_id, text) in enumerate(places[::step][:count]):
        notebook = nbformat.read(path, 4)
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == grade_id:
                cell.source = text
        yield number, path.name, notebook


def marks(course: Path, assignment: str) -> dict[tuple[str, str, str], float | None]:
    """Return the marks of each cell in a gradebook; None where a person is to mark it."""
    with Gradebook(f"sqlite:///{course}/gradebook.db") as gradebook:
        return {
            (submission.student.id, notebook.name, grade.name): (
                None if grade.auto_score is None else float(grade.auto_score)
            )
            for submission in gradebook.assignment_submissions(assignment)
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def compare(course: Path, assignment: str, altered: int) -> Comparison:
    """Grade an assignment by both."""
    comparison = Comparison(course.name, assignment)
    with tempfile.TemporaryDirectory(prefix="course-") as scratch:
        ours, stock = Path(scratch, "ours"), Path(scratch, "stock")
        if problem := prepare(course, assignment, altered, ours):
            comparison.said["generate_assignment"] = problem
            return comparison
        shutil.copytree(ours, stock)
        results = Path(scratch, "results.json")
        for name, folder, command in (
            ("stock", stock, (*STOCK, assignment)),
            ("ours", ours, ("autograder", "grade", assignment, "--json", str(results))),
        ):
            began = time.monotonic()
            done = run(folder, *command)
            comparison.seconds[name] = round(time.monotonic() - began, 1)
            if done.returncode or name == "ours":
                comparison.said[name] = f"exit status {done.returncode}: {done.stderr[-2000:]}"
        messages = {}
        for result in json.loads(results.read_text()) if results.exists() else ():
            comparison.examiner[result["notebook"]] = result["kernels"]
            for cell in result["cells"]:
                key = result["student"], result["notebook"], cell["grade_id"]
                messages[key] = f"{cell['outcome']}: {cell['message']}"
        wanted, given = marks(stock, assignment), marks(ours, assignment)
        comparison.cells = len(wanted)
        for key, points in wanted.items():
            mine = given.get(key)
            if mine == points:
                continue
            entry = {
                "cell": key, "stock": points, "ours": mine, "message": messages.get(key, "")
            }  # fmt: skip
            is_less = points is not None and (mine is None or mine < points)
            (comparison.less if is_less else comparison.more).append(entry)
    return comparison


def main() -> None:
    """Compare, and print what differs."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("courses", nargs="+", type=Path)
    parser.add_argument("--only", action="append", help="an assignment; may be given again")
    parser.add_argument("--altered", type=int, default=2)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found = []
    for course in arguments.courses:
        for assignment in arguments.only or assignments(course):
            comparison = compare(course.resolve(), assignment, arguments.altered)
            found.append(comparison)
            show(comparison)
            if arguments.json:
                arguments.json.write_text(json.dumps([asdict(one) for one in found], indent=1))
    raise SystemExit(any(one.less for one in found))


def show(one: Comparison) -> None:
    """Print one comparison."""
    print(
        f"{one.course}/{one.assignment}: {one.cells} cells, {len(one.less)} less, "
        f"{len(one.more)} more; seconds {one.seconds}; {one.examiner}",
        flush=True,
    )
    for name, text in one.said.items():
        print(f"  {name}: {text.strip()[-600:]}")
    for word, entries in (("LESS", one.less), ("more", one.more)):
        for entry in entries[:20]:
            print(f"  {word} {' '.join(entry['cell'])}: {entry['stock']} -> {entry['ours']}")
            print(f"       {entry['message'][:200]}")


if __name__ == "__main__":
    main()
