"""What the first start of a classroom writes, and what a later one leaves alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from tests.support.paths import ROOT
from tests.support.small_course import activated

sys.path.insert(0, str(ROOT / "hub"))
from classroom import end_all


def start(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Write the files of a classroom, as each start of the hub does."""
    command = [sys.executable, ROOT / "hub" / "classroom.py", "--files-only"]
    command += ["--classroom", folder, *options]
    return subprocess.run(command, env=activated(), capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("classroom")
    done = start(folder, "--student=ada")
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"New: ada. Passwords: {folder / 'invitations.json'}\n"
    return folder


def released(classroom: Path) -> list[str]:
    return sorted(path.name for path in (classroom / "exchange" / "cnn" / "outbound").iterdir())


def test_a_new_class_starts_with_two_lessons(classroom: Path) -> None:
    assert released(classroom) == ["01_filters", "02_convolution"]


def test_who_joins_is_in_the_gradebook_before_anything_is_handed_in(classroom: Path) -> None:
    with Gradebook(f"sqlite:///{classroom / 'course' / 'gradebook.db'}") as gradebook:
        assert [student.id for student in gradebook.students] == ["ada"]
    gradebook.engine.dispose()


def test_a_later_start_keeps_what_the_instructor_changed_and_names_it(classroom: Path) -> None:
    course = classroom / "course"
    settings = course / "nbgrader_config.py"
    settings.write_text(settings.read_text() + "c.ExportApp.plugin_class = 'mine'\n")
    hidden = course / "source" / "03_counting" / "03_counting.ipynb"
    hidden.write_text(hidden.read_text() + "\n")
    edited = settings.read_bytes(), hidden.read_bytes()
    missing = course / "release" / "04_lenet" / "04_lenet.ipynb"
    missing.unlink()
    done = start(classroom)
    assert (settings.read_bytes(), hidden.read_bytes()) == edited
    assert missing.exists()
    for name in ("nbgrader_config.py", "source/03_counting/03_counting.ipynb"):
        assert f"  {name}\n" in done.stdout
    assert done.stdout.count("\n  ") == 2


def test_a_lesson_is_released_when_it_is_named_and_an_unknown_one_is_one_line(
    classroom: Path,
) -> None:
    assert start(classroom, "--release=05_training").returncode == 0
    assert released(classroom) == ["01_filters", "02_convolution", "05_training"]
    done = start(classroom, "--release=12_nothing")
    assert done.returncode == 1
    assert done.stderr.startswith("hub: no lesson '12_nothing'; available: 01_filters")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("keep_servers", [True, False])
def test_the_last_resort_ends_the_servers_that_an_earlier_hub_kept(
    keep_servers: bool, tmp_path: Path
) -> None:
    environment = {"JUPYTERHUB_USER": "ada", "HOME": str(tmp_path / "homes" / "ada")}
    with (
        subprocess.Popen(["sleep", "86431"]) as hub,
        subprocess.Popen(["sleep", "86432"], env=activated() | environment) as server,
        subprocess.Popen(["sleep", "86433"], env=activated() | {"HOME": "/homes/ada"}) as other,
    ):
        end_all(hub.pid, tmp_path, keep_servers)
        hub.wait(5)
        ended = [process.poll() is not None for process in (server, other)]
        for process in (server, other):
            process.kill()
    assert ended == [not keep_servers, False]
