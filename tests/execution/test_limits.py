"""Limits: defaults in one place, which a lesson and the instructor may change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest

from autograder.authoring.build import notebook_path
from autograder.errors import UsageError
from autograder.limits import NAMES, Limits, limits_of, parse_limits
from tests.support.small_course import LESSON, Course, make_course, outcomes

HEAD = """# ---
# jupyter:
#   limits:
#     cell_seconds: 2
# ---

"""
SLOW = {"double": "import time\ndef double(x):\n    time.sleep(3)\n    return 2 * x"}


@pytest.fixture(scope="module")
def hurried(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course whose lesson allows its cells two seconds, and a submission that needs three."""
    course = make_course(tmp_path_factory.mktemp("course"))
    lesson = course.folder / "lessons" / f"{LESSON}.py"
    lesson.write_text(HEAD + lesson.read_text())
    assert course.run("autograder", "build").returncode == 0
    course.hand_in("ada", SLOW)
    return course


@pytest.mark.xdist_group("limits")
@pytest.mark.parametrize(
    ("options", "outcome"), [((), "timed out"), (("--limit", "cell_seconds=30"), "passed")]
)
def test_a_lesson_sets_its_limits_and_the_instructor_overrides_them(
    hurried: Course, options: tuple[str, ...], outcome: str
) -> None:
    assert outcomes(hurried.grade("--force", *options)["ada"])["test-double"] == outcome


def test_the_release_does_not_name_the_limits(hurried: Course) -> None:
    release = nbformat.read(notebook_path(hurried.folder / "release", LESSON), as_version=4)
    assert "limits" not in release.metadata


def test_options_override_the_lesson_and_the_lesson_the_defaults() -> None:
    metadata = {"limits": {"cell_seconds": 5, "memory_mb": 100}}
    limits = limits_of("01", metadata, {"memory_mb": 200})
    assert limits == Limits(cell_seconds=5, memory_mb=200)


@pytest.mark.parametrize(
    ("name", "value"), [("cell_second", 5), ("cell_seconds", 0), ("cell_seconds", "5")]
)
def test_a_limit_that_a_lesson_sets_wrongly_is_named(name: str, value: Any) -> None:
    with pytest.raises(UsageError, match=f"01: limits: {name}: {value}"):
        limits_of("01", {"limits": {name: value}}, {})


@pytest.mark.parametrize("text", ["seconds=5", "cell_seconds", "cell_seconds=-1", "memory_mb=x"])
def test_an_invalid_limit_is_refused_with_those_that_exist(text: str) -> None:
    with pytest.raises(UsageError, match="notebook_seconds") as refused:
        parse_limits([text])
    assert len(str(refused.value).splitlines()) == 1


def test_an_invalid_limit_is_one_line_that_helps(tmp_path: Path) -> None:
    done = Course(tmp_path).run("autograder", "grade", LESSON, "--limit", "seconds=5")
    assert done.returncode == 2
    assert "cell_seconds" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_every_limit_can_be_set() -> None:
    assert parse_limits(f"{name}=7" for name in NAMES) == dict.fromkeys(NAMES, 7)
