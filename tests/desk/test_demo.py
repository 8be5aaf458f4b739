"""The class of the demo."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import nbformat

from autograder.authoring.build import notebook_path
from autograder.desk.demo import COUNTING, LENET, SUBMISSIONS, make_class
from tests.support.paths import ROOT
from tests.support.small_course import Course


def test_the_demo_class_hands_in_32_notebooks_with_three_mishaps(tmp_path: Path) -> None:
    make_class(ROOT, tmp_path)
    handed_in = Counter(path.parent.name for path in tmp_path.glob("submitted/*/*/*.ipynb"))
    assert handed_in == {COUNTING: 24, LENET: 8}
    assert handed_in.total() == SUBMISSIONS
    text = "\n".join(p.read_text() for p in tmp_path.glob(f"submitted/*/{COUNTING}/*.ipynb"))
    for mishap in ("while 2 * p != f - 1", "signal.SIGKILL", "debug"):
        assert mishap in text


def test_the_demo_class_starts_from_the_release_and_differs(tmp_path: Path) -> None:
    make_class(ROOT, tmp_path)
    released = nbformat.read(notebook_path(ROOT / "release", COUNTING), as_version=4)
    locked = {c["id"]: c.source for c in released.cells if not c.metadata.get("editable", True)}
    sources = set()
    for path in tmp_path.glob(f"submitted/*/{COUNTING}/*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        assert locked.items() <= {c["id"]: c.source for c in notebook.cells}.items()
        sources.add("".join(cell.source for cell in notebook.cells))
    assert len(sources) > 15


def test_the_demo_outside_of_the_repository_is_one_line_that_helps(tmp_path: Path) -> None:
    done = Course(tmp_path).run("autograder", "demo")
    assert done.returncode == 2
    assert "no answer bank" in done.stderr.splitlines()[-1]
    assert not (tmp_path / "demo").exists()
