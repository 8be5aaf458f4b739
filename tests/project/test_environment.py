"""The lock, pyproject.toml, environment.yml and the Makefile say the same."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version

import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.paths import ROOT

PROJECT, GRADER = (
    tomllib.loads((ROOT / folder / "pyproject.toml").read_text())["project"]
    for folder in (".", "autograder")
)
MAKEFILE = (ROOT / "Makefile").read_text()
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
COMPAT = (ROOT / "autograder" / "compat").glob("*.py")
CHECKED = {path.stem for path in COMPAT} - {"__init__", "check"}  # libraries, each with its module
DATED = {"distributed"}  # its versions are dates, which promise nothing


def locked() -> dict[str, Requirement]:
    """The lock's requirements that hold on this machine, by name."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    entries = [Requirement(line) for line in lines if re.match(r"[a-z0-9]", line)]
    return {
        canonicalize_name(entry.name): entry
        for entry in entries
        if entry.marker is None or entry.marker.evaluate()
    }


def wanted() -> list[Requirement]:
    """What course and grader ask for, extras included, but for each other."""
    projects = PROJECT, GRADER
    groups = [
        group
        for project in projects
        for group in (project["dependencies"], *project["optional-dependencies"].values())
    ]
    requirements = [Requirement(text) for group in groups for text in group]
    ours = {project["name"] for project in projects}
    return [entry for entry in requirements if entry.name not in ours]


def test_the_course_takes_the_grader_of_its_own_version() -> None:
    assert GRADER["version"] == PROJECT["version"]
    for extra in ("instructor", "cluster", "hub", "postgresql"):
        (text,) = PROJECT["optional-dependencies"][extra]
        assert Requirement(text).name == GRADER["name"]
        assert str(Requirement(text).specifier) == f"=={GRADER['version']}"


def test_the_grader_needs_no_library_of_the_course() -> None:
    for name in ("torch", "torchvision", "matplotlib", "pandas"):
        assert name not in {Requirement(text).name for text in GRADER["dependencies"]}


def test_all_rooms_of_the_grader_are_packed() -> None:
    pyproject = tomllib.loads((ROOT / "autograder" / "pyproject.toml").read_text())
    rooms = {path.parent.name for path in (ROOT / "autograder").glob("*/__init__.py")}
    packed = pyproject["tool"]["setuptools"]["packages"]
    assert set(packed) == {"autograder", *(f"autograder.{room}" for room in rooms)}


def test_the_lock_pins_each_package_to_one_version() -> None:
    for entry in locked().values():
        assert re.fullmatch(r"==[^*,]+", str(entry.specifier)), entry


def test_the_lock_holds_all_that_the_project_asks_for() -> None:
    pins = locked()
    for entry in wanted():
        pinned = str(pins[canonicalize_name(entry.name)].specifier).removeprefix("==")
        assert entry.specifier.contains(pinned, prereleases=True), f"run `make lock`: {entry}"


def test_what_users_install_is_bounded() -> None:
    tools = {Requirement(text).name for text in PROJECT["optional-dependencies"]["dev"]}
    for entry in wanted():
        if entry.name not in {*tools, *DATED}:
            assert [bound.operator for bound in entry.specifier] == ["~="], entry


def test_libraries_of_which_private_members_are_used_may_only_be_patched() -> None:
    patched = {
        entry.name.replace("-", "_").lower()
        for entry in wanted()
        if re.fullmatch(r"~=\d+\.\d+\.\d+", str(entry.specifier))
    }
    assert CHECKED
    assert patched >= CHECKED


def test_what_is_installed_is_what_is_locked() -> None:
    for name, entry in locked().items():
        assert entry.specifier.contains(version(name), prereleases=True), f"{entry}"


def test_the_lock_names_no_address() -> None:
    assert "://" not in (ROOT / "requirements.lock").read_text()


def test_conda_and_make_install_the_lock_and_the_course() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    conda = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    assert [re.split(r"[<>=]", entry)[0] for entry in conda] == ["python", "nodejs", "pip"]
    assert environment["dependencies"][-1]["pip"] == [
        "--requirement requirements.lock",
        "--editable ./autograder",
        "--editable .",
    ]
    assert "-r requirements.lock" in MAKEFILE
    assert "-e ./autograder -e ." in MAKEFILE


def test_the_python_that_all_name_is_the_project_s() -> None:
    minimum = PROJECT["requires-python"].removeprefix(">=")
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    assert f"python={minimum}" in environment["dependencies"]
    assert f"--python-version {minimum}" in MAKEFILE
    assert f"sys.version_info < ({minimum.replace('.', ', ')})" in MAKEFILE


def test_ci_runs_what_the_readme_says() -> None:
    """Other steps may prepare a machine; what proves the project is `make test` alone."""
    ci_run = (ROOT / ".ci" / "run").read_text().splitlines()
    commands = [line for line in ci_run if line and not line.startswith(("#", "set "))]
    assert commands == ["make test"]
    for name, job in WORKFLOW["jobs"].items():
        steps = [step["run"] for step in job["steps"] if "run" in step]
        proof = "make wheel-test" if name == "wheel" else "make test"
        as_root = 'sudo --preserve-env env "PATH=$PATH" ' if name == "root" else ""
        assert f"{as_root}{proof}" in steps
        assert not any(re.search(r"\b(pytest|ruff|mypy)\b", step) for step in steps)
    assert "make test" in (ROOT / "README.md").read_text()


def test_ci_runs_on_each_python_that_the_project_names() -> None:
    prefix = "Programming Language :: Python :: "
    named = [name.removeprefix(prefix) for name in PROJECT["classifiers"] if prefix in name]
    assert WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"] == named


def test_make_test_sees_to_what_its_tests_need_besides_python() -> None:
    assert re.search(r"^test: \$\(INSTALLED\) system$", MAKEFILE, re.MULTILINE)
    assert "postgresql" in MAKEFILE
