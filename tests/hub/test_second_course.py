"""A second course on the same hub: its own folder, members, formgrader and part of the exchange."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from traitlets.config import PyFileConfigLoader

from tests.support.paths import ROOT
from tests.support.small_course import activated


def start(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "hub" / "classroom.py", "--files-only"]
    command += ["--classroom", folder, *options]
    return subprocess.run(command, env=activated(), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A classroom with a member of the first course, and a second course with two."""
    folder = tmp_path_factory.mktemp("classroom")
    (folder / "exchange" / "cnn" / "outbound").mkdir(parents=True)  # nothing is to be released
    assert start(folder, "--student", "ada").returncode == 0
    done = start(folder, "--course", "stats", "--instructor", "max", "--student", "zoe")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def settings(classroom: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the hub reads of its configuration."""
    monkeypatch.setenv("HUB_CLASSROOM", str(classroom))
    monkeypatch.setenv("HUB_DAILY_LIMIT", "2")
    monkeypatch.syspath_prepend(ROOT / "hub")
    return PyFileConfigLoader("jupyterhub_config.py", path=str(ROOT / "hub")).load_config()


def test_each_course_has_its_members_and_its_formgrader(settings: Any, classroom: Path) -> None:
    groups = {name: each["users"] for name, each in settings.JupyterHub.load_groups.items()}
    assert groups == {
        "formgrade-cnn": [],
        "nbgrader-cnn": ["ada"],
        "formgrade-stats": ["max"],
        "nbgrader-stats": ["zoe"],
    }
    services = {each["name"]: each for each in settings.JupyterHub.services}
    assert services["stats"]["cwd"] == str(classroom / "courses" / "stats")
    assert services["stats"]["environment"]["COURSE_ID"] == "stats"
    assert services["cnn"]["environment"]["COURSE_ID"] == "cnn"
    assert services["immediate-feedback-stats"]["cwd"] == services["stats"]["cwd"]
    (role,) = (each for each in settings.JupyterHub.load_roles if each["name"] == "formgrade-stats")
    assert role["scopes"] == ["access:services!service=stats", "read:services!service=stats"]


def test_each_server_is_of_its_members_course(settings: Any) -> None:
    class Spawner:
        def __init__(self, name: str) -> None:
            self.user = type("User", (), {"name": name})

    environment = settings.Spawner.environment
    values = {
        name: [environment[key](Spawner(name)) for key in ("COURSE_ID", "COURSE_GRADING")]
        for name in ("ada", "zoe", "max")
    }
    assert values == {
        "ada": ["cnn", ""],
        "zoe": ["stats", ""],
        "max": ["stats", "/services/stats/class"],
    }


def test_its_settings_name_it_and_the_same_exchange(
    classroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    course = classroom / "courses" / "stats"
    config = PyFileConfigLoader("nbgrader_config.py", path=str(course)).load_config()
    assert config.CourseDirectory.course_id == "stats"
    assert Path(config.Exchange.root).resolve() == (classroom / "exchange").resolve()
    (course / "nbgrader_config.py").write_text("# mine\n")
    assert start(classroom, "--course", "stats", "--student", "yan").returncode == 0
    assert (course / "nbgrader_config.py").read_text() == "# mine\n"
    assert json.loads((classroom / "logins.json").read_text())["yan"]["course"] == "stats"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--course", "cnn"], "--course 'cnn' must be"),
        (["--course", "../x"], "--course '../x' must be"),
        (["--course", "new", "--from-term", "."], "is not the folder of a course new"),
    ],
)
def test_a_wrong_request_is_one_line(classroom: Path, options: list[str], says: str) -> None:
    done = start(classroom, *options)
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
