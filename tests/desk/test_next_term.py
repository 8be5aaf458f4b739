"""The next term: lessons and settings of this one, and nothing that belongs to a student."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from autograder.desk.next_term import for_next_term
from autograder.grading.course import open_course
from autograder.grading.deadlines import parse_deadlines
from tests.support.term import Term, make_marked_term

DEADLINES = """\
timezone = "UTC"   # ours

[policy]
late_days = 2

[lessons.01_filters]
due = 2026-11-02T12:00:00
policy = { cutoff_days = 2 }

[[extensions]]
student = "ada"
lesson = "01_filters"
days = 3
reason = "illness"
"""


@pytest.fixture
def term(tmp_path: Path) -> Term:
    (tmp_path / "course").mkdir()
    term = make_marked_term(tmp_path / "course")
    for folder in ("submitted", "autograded", "feedback"):
        (term.folder / folder / "ada" / "01_filters").mkdir(parents=True)
        (term.folder / folder / "ada" / "01_filters" / "work.txt").write_text("ada's")
    term.write("deadlines.toml", DEADLINES)
    (term.folder / "answers").mkdir()
    term.write("answers/01_filters.py", "# %% right slide: a loop")
    term.write("immediate-feedback.jsonl", '{"student": "ada"}\n')
    (term.folder / "source" / "01_filters" / "link").symlink_to("/etc/passwd")
    return term


def test_lessons_and_settings_and_nothing_of_a_student(
    term: Term, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = term.run("next-term", "../2027", "--course", "cnn-2027", "--later", "364")
    assert done.exit_code == 0, done.stderr
    new = term.folder.parent / "2027"
    files = {path.relative_to(new).as_posix() for path in new.rglob("*") if not path.is_dir()}
    assert files == {
        "nbgrader_config.py",
        "deadlines.toml",
        "answers/01_filters.py",
        "source/01_filters/01_filters.ipynb",
        "source/02_convolution/02_convolution.ipynb",
    }
    assert not any(b'"ada"' in (new / name).read_bytes() for name in files)
    monkeypatch.chdir(new)
    course = open_course()
    assert course.course_id == "cnn-2027"
    assert course.db_url == f"sqlite:///{new}/gradebook.db"  # not the one that the settings named
    assert "this term's stays as it is" in done.stderr
    assert term.score("ada", "01_filters") == 10


def test_deadlines_are_later_and_extensions_are_gone() -> None:
    deadlines = parse_deadlines(tomllib.loads(for_next_term(DEADLINES, 364)))
    assert deadlines.due["01_filters"].isoformat() == "2027-11-01T12:00:00+00:00"
    assert not deadlines.extensions
    assert deadlines.policy_of("01_filters").cutoff_days == 2


def test_without_a_number_of_days_they_are_comments_to_fill_in() -> None:
    text = for_next_term(DEADLINES, None)
    assert "# due = 2026-11-02T12:00:00" in text
    assert 'timezone = "UTC"   # ours' in text
    assert not parse_deadlines(tomllib.loads(text)).due


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["../2027", "--course", "cnn"], "another name than cnn"),
        (["../2027", "--course", "a/b"], "must be letters"),
        (["../course", "--course", "x"], "is there already"),
        (["nbgrader_config.py/x", "--course", "x"], "cannot be written: Not a directory"),
    ],
)
def test_a_wrong_request_is_one_line_and_writes_nothing(
    term: Term, command: list[str], says: str
) -> None:
    done = term.run("next-term", *command)
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
    assert says in done.stderr
    assert {path.name for path in term.folder.parent.iterdir()} == {"course"}


def test_a_full_disk_leaves_nothing_behind(term: Term, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    done = term.run("next-term", "../2027", "--course", "cnn-2027")
    assert done.exit_code == 2
    assert "No space left on device" in done.stderr
    assert not (term.folder.parent / "2027").exists()
