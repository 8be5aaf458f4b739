"""The wheels, installed where the repository cannot be imported, grade a class.

    copy of the repository -> wheels -> environment of its own -> course in a scratch folder

The packages of that environment are hard links to those of the environment that runs the tests,
which were installed from requirements.lock: 5 s. With WHEEL_TEST=install (`make wheel-test`) pip
installs them, as for a user: minutes.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

from autograder.authoring.answer_bank import answered
from tests.support.paths import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("wheel")]

INSTALL = os.environ.get("WHEEL_TEST") == "install"
PACKAGES = ("autograder", "course")
OF_DISTRIBUTION = ("LICENSE", "README.md", "pyproject.toml")  # beside the modules of the grader
OF_THE_COURSE = ("torch", "torchvision", "matplotlib", "pandas", "skimage")
FRONT = "share/jupyter/labextensions/nbgrader-autograder"
LESSON = "00_doubling"
STUDENTS = {  # their answers, and what these earn
    "ada": ({"double": "double = lambda x: x + x", "greet": "greet = lambda: 'hello'"}, 7),
    "alan": ({"double": "double = lambda x: 4", "greet": "greet = lambda: 'hi'"}, 2.5),
    "emmy": ({}, 0),
}
# Not of the repository as it is published.
LEFT_OUT = (".*", "__pycache__", "*.egg-info", "build", "dist", "demo", "classroom", "node_modules")
RUN_A_CELL = """
from jupyter_client.manager import start_new_kernel
manager, client = start_new_kernel(kernel_name="python3")
client.execute_interactive("print(6 * 7)")
print(type(manager.provisioner).__module__)
manager.shutdown_kernel(now=True)
"""


class Environment:
    """A virtual environment, used from a folder of its own."""

    def __init__(self, prefix: Path, folder: Path) -> None:
        self.bin, self.folder = prefix / "bin", folder
        ours = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        self.variables = {**ours, "PATH": path, "HOME": str(folder), "VIRTUAL_ENV": str(prefix)}

    def run(self, *command: str, status: int = 0, **variables: str) -> str:
        """Return what a command of the environment prints; its exit status must be `status`."""
        done = subprocess.run(
            [str(self.bin / command[0]), *command[1:]],
            cwd=self.folder,
            env=self.variables | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheels of grader and course, built from a copy without what earlier builds left."""
    copy, folder = tmp_path_factory.mktemp("copy") / "repository", tmp_path_factory.mktemp("dist")
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    options = ("--no-build-isolation", "--no-deps", "-w", str(folder))
    pip(sys.executable, "wheel", *options, str(copy / "autograder"), str(copy))
    grader, course = sorted(folder.iterdir(), key=lambda path: path.name.startswith("cnn_course"))
    return {"autograder": grader, "course": course}


@pytest.fixture(scope="module")
def prefix(wheels: dict[str, Path]) -> Iterator[Path]:
    """A new virtual environment with both wheels."""
    with new_environment(wheels["autograder"], wheels["course"]) as prefix:
        yield prefix


@pytest.fixture(scope="module")
def environment(prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """The environment with both wheels, used from a course with a lesson and three submissions."""
    return with_class(Environment(prefix, tmp_path_factory.mktemp("course")))


@contextmanager
def new_environment(*wheels: Path) -> Iterator[Path]:
    """Make a virtual environment with these wheels, and what they need."""
    (ROOT / "build").mkdir(exist_ok=True)  # links lead to the same disk only
    with tempfile.TemporaryDirectory(prefix="wheel-", dir=ROOT / "build") as folder:
        prefix = Path(folder, "venv")  # within: only its owner may read the folder itself
        without_pip = () if INSTALL else ("--without-pip",)  # it is among the linked packages
        subprocess.run([sys.executable, "-m", "venv", *without_pip, prefix], check=True)
        python = f"{prefix}/bin/python"
        if INSTALL:
            lock = str(ROOT / "requirements.lock")
            pip(python, "install", "--constraint", lock, *map(str, wheels))
        else:
            link_packages(prefix)
            pip(
                python, "install", "--no-deps", "--no-index", "--force-reinstall", *map(str, wheels)
            )
        yield prefix


def with_class(environment: Environment) -> Environment:
    """Give the folder of an environment a course with a lesson and three submissions."""
    folder = environment.folder
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    (folder / "lessons").mkdir()
    shutil.copy(ROOT / "benchmarks" / "lessons" / f"{LESSON}.py", folder / "lessons")
    environment.run("autograder", "build")
    released = nbformat.read(folder / "release" / LESSON / f"{LESSON}.ipynb", as_version=4)
    for student, (answers, _) in STUDENTS.items():
        submission = folder / "submitted" / student / LESSON
        submission.mkdir(parents=True)
        nbformat.write(answered(released, answers), submission / f"{LESSON}.ipynb")
    return environment


def pip(python: str, *arguments: str) -> None:
    """Run pip."""
    subprocess.run([python, "-m", "pip", arguments[0], "-qq", *arguments[1:]], check=True)


def link_packages(prefix: Path) -> None:
    """Give an environment the packages of this one, their data files and two of their commands."""
    packages = Path(sysconfig.get_path("purelib"))
    places = {packages: prefix / "lib" / packages.parent.name / "site-packages"}
    places |= {Path(sys.prefix, name): prefix / name for name in ("etc/jupyter", "share/jupyter")}
    for source, target in places.items():
        target.mkdir(parents=True, exist_ok=True)
        links = ["cp", "--archive", "--link", "--force", f"{source}/.", str(target)]
        subprocess.run(links, check=True)
    for name in ("alembic", "nbgrader"):  # nbgrader calls alembic by its name
        script = Path(sys.executable).with_name(name).read_text()
        (prefix / "bin" / name).write_text(script.replace(sys.prefix, str(prefix)))
        (prefix / "bin" / name).chmod(0o755)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_wheel_holds_its_package_whole_and_nothing_else(
    package: str, wheels: dict[str, Path]
) -> None:
    names = {
        name
        for name in zipfile.ZipFile(wheels[package]).namelist()
        if ".dist-info/" not in name and ".data/" not in name
    }
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", package],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert names == set(listed.stdout.splitlines()) - {
        f"autograder/{name}" for name in OF_DISTRIBUTION
    }
    assert f"{package}/py.typed" in names
    if package == "autograder":
        assert "autograder/service/templates/marks/index.html.j2" in names


def test_the_grader_s_wheel_holds_the_students_front(wheels: dict[str, Path]) -> None:
    wheel = zipfile.ZipFile(wheels["autograder"])
    folder = f"{wheels['autograder'].name.split('-py3')[0]}.data/data/{FRONT}"
    assert f"{folder}/package.json" in wheel.namelist(), "the front is not built: make system"
    load = json.loads(wheel.read(f"{folder}/package.json"))["jupyterlab"]["_build"]["load"]
    assert f"{folder}/{load}" in wheel.namelist()
    assert not [name for name in zipfile.ZipFile(wheels["course"]).namelist() if ".data/" in name]


@pytest.mark.parametrize(
    ("package", "expected"),
    [
        ("autograder", {"LICENSE"}),
        ("course", {"LICENSE", "LICENSE-lessons", "ATTRIBUTION.md"}),
    ],
)
def test_a_wheel_holds_its_licences(
    package: str, expected: set[str], wheels: dict[str, Path]
) -> None:
    names = zipfile.ZipFile(wheels[package]).namelist()
    assert {Path(name).name for name in names if ".dist-info/licenses/" in name} == expected


def test_the_grader_alone_grades_a_class_without_torch(
    wheels: dict[str, Path], tmp_path: Path
) -> None:
    with new_environment(wheels["autograder"]) as prefix:
        if not INSTALL:  # the packages are those of this environment
            for name in (*OF_THE_COURSE, "__editable__", "cnn_course"):
                for path in prefix.glob(f"lib/*/site-packages/{name}*"):
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        grader = Environment(prefix, tmp_path)
        for name in (*OF_THE_COURSE, "course"):
            grader.run("python", "-c", f"import {name}", status=1)
        with_class(grader).run("autograder", "grade", LESSON, "--json", "marks.json")
        results = json.loads((tmp_path / "marks.json").read_text())
        assert {result["student"]: result["score"] for result in results} == {
            student: score for student, (_, score) in STUDENTS.items()
        }


def test_the_repository_is_not_what_is_imported(environment: Environment, prefix: Path) -> None:
    for package in PACKAGES:
        where = environment.run("python", "-c", f"import {package}; print({package}.__file__)")
        assert where.startswith(f"{prefix}/lib/")
    environment.run("python", "-c", "import benchmarks", status=1)


def test_the_command_names_its_version(environment: Environment) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert environment.run("autograder", "--version") == f"autograder {project['version']}\n"


def test_submissions_are_confined(environment: Environment) -> None:
    environment.run("autograder", "doctor", "--json", "doctor.json")
    findings = json.loads((environment.folder / "doctor.json").read_text())
    assert findings
    assert all(finding["holds"] for finding in findings if finding["required"])


def test_a_class_is_graded_and_gets_our_feedback(environment: Environment) -> None:
    environment.run("autograder", "grade", LESSON, "--json", "marks.json")
    results = json.loads((environment.folder / "marks.json").read_text())
    assert {result["student"]: result["score"] for result in results} == {
        student: score for student, (_, score) in STUDENTS.items()
    }
    environment.run("nbgrader", "generate_feedback", LESSON)
    for student, (_, score) in STUDENTS.items():
        page = environment.folder / "feedback" / student / LESSON / f"{LESSON}.html"
        text = page.read_text()
        assert f"<strong>{score:g}</strong> of 10 points" in text  # of templates/marks
        assert "Content-Security-Policy" in text
        assert "found = double(3)" not in text  # a line of the hidden test


def test_jupyter_client_finds_the_provisioner(environment: Environment) -> None:
    variable = {"JUPYTER_DEFAULT_PROVISIONER_NAME": "forked"}
    printed = environment.run("python", "-c", RUN_A_CELL, **variable)
    assert printed.split() == ["42", "autograder.sandbox.provisioner"]
