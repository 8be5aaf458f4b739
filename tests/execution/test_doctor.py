"""The doctor tries what a submission could do: here it fails, and where it does not, that shows."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from autograder.execution import doctor
from autograder.sandbox.fork_client import ForkServer, shared_server
from tests.support.small_course import BIN, LESSON, RIGHT, Course, make_course

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="kernels are confined on Linux"),
]

# What only namespaces give; limits on a process hold without them.
BY_NAMESPACES = {
    "files of the machine are not there",
    "other processes are not there",
    "no network",
    "no unix socket",
    "memory of all together is bounded",
    "all that it starts ends with it",
    "an unprivileged user",
}
# Becomes root of a user namespace in which no other can be made, as in many containers.
WITHOUT_NAMESPACES = (
    "unshare", "--user", "--map-root-user", "sh", "-c",
    'echo 0 > /proc/sys/user/max_user_namespaces && exec "$@"', "sh",
)  # fmt: skip


def run(*command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def findings(folder: Path) -> dict[str, dict[str, Any]]:
    protections = json.loads((folder / "found.json").read_text())
    return {finding["protection"]: finding for finding in protections}


def test_this_machine_gives_every_protection(tmp_path: Path) -> None:
    done = run(str(BIN / "autograder"), "doctor", "--json", "found.json", cwd=tmp_path)
    protections = findings(tmp_path)
    assert [f for f in protections.values() if f["required"] and not f["holds"]] == []
    assert done.returncode == 0, done.stderr
    assert len(protections) == len(doctor.TABLE)
    assert set(protections) > BY_NAMESPACES
    assert "Landlock" in done.stdout


@pytest.fixture
def no_confinement() -> Iterator[None]:
    """Kernels of this process are not confined, though this machine could confine them."""
    shared_server.shutdown()
    shared_server.use(ForkServer(confine=False))
    yield
    shared_server.shutdown()


@pytest.mark.usefixtures("no_confinement")
def test_kernels_that_are_not_confined_are_detected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "WAIT_SECONDS", 3)  # what is left is left forever
    monkeypatch.setattr(doctor, "unfair_share", str)  # 9 s, and not what this is about
    protections = {finding.protection: finding for finding in doctor.examine_machine()}
    by_luck = set() if os.getuid() == 0 else {"an unprivileged user"}
    assert {name for name in BY_NAMESPACES if protections[name].holds} <= by_luck
    assert "secret" in protections["files of the machine are not there"].possible
    assert "signals process" in protections["other processes are not there"].possible or (
        "sees process" in protections["other processes are not there"].possible
    )
    assert "of loopback" in protections["no network"].possible
    assert "an abstract socket" in protections["no unix socket"].possible
    assert "is left" in protections["all that it starts ends with it"].possible
    assert protections["memory of a process is bounded"].holds


# The command, which waits less long for what is never gone, and measures no share.
QUICK = """
from autograder.execution import doctor
doctor.WAIT_SECONDS, doctor.unfair_share = 3, str
from autograder.cli import app
app()
"""


def test_a_machine_without_namespaces_is_named_with_what_to_do(tmp_path: Path) -> None:
    command = (str(BIN / "python"), "-c", QUICK, "doctor", "--json", "found.json")
    done = run(*WITHOUT_NAMESPACES, *command, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    missing, advice = done.stderr.splitlines()[-2:]
    assert "no network" in missing
    assert advice == ("autograder: Allow user namespaces: sysctl -w user.max_user_namespaces=10000")
    assert not any(findings(tmp_path)[name]["holds"] for name in BY_NAMESPACES)


def test_grade_refuses_there_in_one_line_unless_an_option_allows_it(tmp_path: Path) -> None:
    course = make_course(tmp_path)
    course.hand_in("ada", RIGHT)
    grade = (*WITHOUT_NAMESPACES, str(BIN / "autograder"), "grade", LESSON, "--json", "out.json")
    done = run(*grade, cwd=tmp_path)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert "submissions cannot be confined on this machine" in done.stderr
    assert not (tmp_path / "autograded").exists()
    done = run(*grade, "--no-confine", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out.json").read_text())[0]["score"] == 7


def test_a_protection_without_its_positive_control_does_not_hold(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(doctor.POSITIVE_CONTROLS, "network", lambda canaries: "")
    for slow in ("over_the_limit", "unfair_share"):  # has no positive control
        monkeypatch.setattr(doctor, slow, lambda *arguments: "")
    network = {finding.protection: finding for finding in doctor.examine_machine()}["no network"]
    assert not network.holds
    assert network.possible.startswith("could not be tried")


# Without root.


def python_for_all() -> str | None:
    """Return a Python of this version that every user may run, unlike one in the home of root."""
    name = f"python{sysconfig.get_python_version()}"
    for folder in ("/usr/bin", "/usr/local/bin"):
        path = shutil.which(name, path=folder)
        if path and not os.path.realpath(path).startswith("/root/"):
            return path
    return None


def readable_by_all(path: Path) -> bool:
    return all(place.stat().st_mode & 0o005 == 0o005 for place in (path, *path.parents))


@pytest.mark.skipif(os.getuid() != 0, reason="the other tests run without root already")
def test_without_root_all_is_the_same() -> None:
    packages, python = Path(sysconfig.get_path("purelib")), python_for_all()
    if python is None or not readable_by_all(packages):
        pytest.skip("there is no Python, or no environment, that another user may read")
    home = Path(tempfile.mkdtemp(prefix="nobody-", dir="/tmp"))
    try:
        course = make_course_of_nobody(home)
        subprocess.run([python, "-m", "venv", "--without-pip", home / "venv"], check=True)
        alembic = home / "venv" / "bin" / "alembic"  # nbgrader calls it by its name
        alembic.write_text(f"#!{home}/venv/bin/python\nfrom alembic.config import main\nmain()\n")
        alembic.chmod(0o755)
        site_packages = home / "venv" / "lib" / packages.parent.name / "site-packages"
        # The packages of this environment in another one: a kernel sees no link that leads out.
        script = f'mount --bind "{packages}" "{site_packages}" && exec setpriv --reuid nobody' \
            ' --regid nogroup --clear-groups env HOME="$PWD" "$@"'  # fmt: skip
        as_nobody = ("unshare", "--mount", "sh", "-c", script, "sh", f"{home}/venv/bin/python")
        program = "import sys; from autograder.cli import app; sys.argv[0] = 'autograder'; app()"
        done = run(*as_nobody, "-c", program, "doctor", "--json", "found.json", cwd=course.folder)
        assert done.returncode == 0, done.stderr + done.stdout
        assert all(f["holds"] for f in findings(course.folder).values() if f["required"])
        grade = ("grade", LESSON, "--json", "out.json")
        done = run(*as_nobody, "-c", program, *grade, cwd=course.folder)
        assert done.returncode == 0, done.stderr
        (result,) = json.loads((course.folder / "out.json").read_text())
        assert (result["status"], result["score"]) == ("graded", 7)
    finally:
        shutil.rmtree(home)


def make_course_of_nobody(home: Path) -> Course:
    """Return a course owned by the user nobody."""
    course = make_course(home / "course")
    course.hand_in("ada", RIGHT)
    for place in (home, *home.rglob("*")):
        shutil.chown(place, "nobody", "nogroup")
    home.chmod(0o755)
    return course
