"""Answers that are alike: planted copies come first, in any disguise; honest work is no copy."""

from __future__ import annotations

import json
import random
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from autograder.authoring.answer_bank import Answer, read_answers
from autograder.desk.fingerprints import lines_alike, shapes_of, unusual_numbers
from autograder.desk.similar import Exercise, Work, pairs_of
from tests.support.copies import DISGUISES, honest_class, plant
from tests.support.paths import ROOT
from tests.support.term import Term, make_term

LESSON = "01_filters"


@pytest.fixture(scope="module")
def bank() -> dict[Exercise, list[Answer]]:
    """The answers of the bank to one lesson."""
    answers: dict[Exercise, list[Answer]] = {}
    for answer in read_answers(ROOT / "answers" / "03_counting.py"):
        answers.setdefault(("03_counting", answer.exercise), []).append(answer)
    return answers


def test_all_planted_copies_are_above_all_honest_pairs(bank: Any) -> None:
    works = honest_class(bank, 14, random.Random(1998))
    for number, disguise in enumerate(DISGUISES):
        plant(works, f"student{3 * number + 1:02}", disguise, share=0)
    first = [set(pair.students) for pair in pairs_of(works)[: len(DISGUISES)]]
    for number, disguise in enumerate(DISGUISES):
        source = f"student{3 * number + 1:02}"
        assert {source, f"{disguise}-{source}"} in first


def test_no_pair_of_different_answers_of_the_bank_is_above_a_copy(bank: Any) -> None:
    right = {name: [each for each in answers if each.right] for name, answers in bank.items()}
    works = {
        name: [Work(f"student{place:02}", each.source) for place, each in enumerate(answers)]
        for name, answers in right.items()
    }
    for disguise in DISGUISES:
        plant(works, "student01", disguise, share=0)
    pairs = pairs_of(works)
    copies = {f"{disguise}-student01" for disguise in DISGUISES} | {"student01"}
    number = len(list(combinations(copies, 2)))
    assert all(set(pair.students) <= copies for pair in pairs[:number])


class TestShapes:
    LOOP = "def f(xs):\n    ys = []\n    for x in sorted(xs):\n        ys.append(x * 2 + 1)\n"
    COMPREHENSION = "def f(values):\n    return [value * 2 + 1 for value in sorted(values)]"

    def test_names_comments_and_layout_do_not_count(self) -> None:
        other = self.LOOP.replace("xs", "data").replace("x *", "(x) *").replace("ys", "result")
        assert shapes_of(self.LOOP) == shapes_of(f"# mine\n\n{other}  # really")

    def test_a_loop_and_its_comprehension_share_what_they_do(self) -> None:
        shared = shapes_of(self.LOOP) & shapes_of(self.COMPREHENSION)
        assert any("Mult 2" in shape for shape in shared)
        assert any(shape.startswith("iterate") for shape in shared)

    def test_what_was_released_does_not_count(self) -> None:
        assert shapes_of(self.LOOP, self.LOOP) == frozenset()

    def test_functions_of_libraries_and_numbers_tell_answers_apart(self) -> None:
        assert shapes_of("y = np.sum(a, axis=1)") != shapes_of("y = np.max(a, axis=1)")
        assert unusual_numbers("a = [0.8137, 28, 0.10, 1000]", "28") == {"0.8137"}

    @pytest.mark.parametrize(
        "source", ["def f(:", "(" * 5000, "-" * 20_000 + "1", "x = " + "1+" * 9000 + "1", "\0", "'"]
    )
    def test_hostile_text_is_compared_as_it_is(self, source: str) -> None:
        assert isinstance(shapes_of(source), frozenset)
        assert lines_alike(source, source) is not None

    def test_lines_that_are_alike_are_marked(self) -> None:
        assert lines_alike(self.LOOP, self.COMPREHENSION) >= {3}
        assert not lines_alike("y = g(1)", self.LOOP)


def cell(source: str, grade_id: str, outcome: str = "", **flags: Any) -> dict[str, Any]:
    verdict = {"verdict": {"outcome": outcome, "message": ""}} if outcome else {}
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {"nbgrader": {"grade_id": grade_id, **flags}, **verdict},
    }


def graded(term: Term, student: str, source: str, outcome: str = "passed") -> None:
    folder = term.folder / "autograded" / student / LESSON
    folder.mkdir(parents=True)
    cells = [
        cell(source, "slide", solution=True),
        cell("assert", "test-slide", outcome, grade=True),
    ]
    (folder / f"{LESSON}.ipynb").write_text(json.dumps({"cells": cells}))


HOSTILE = "x = '</pre><script>alert(1)</script>\u202e'\ny = [x * 7 + k for k in range(41)]\n"


@pytest.fixture
def term(tmp_path: Path) -> Term:
    term = make_term(tmp_path)
    graded(term, "ada", HOSTILE, "failed")
    graded(term, "emmy", HOSTILE.replace("k", "j"), "failed")
    graded(term, "shafi", "y = list(map(str, range(41)))")
    graded(term, "oconnor", "name = 'shafi'\nvalue = 0.8137")
    return term


def test_the_page_shows_both_sides_and_runs_nothing(term: Term) -> None:
    done = term.run("similar")
    assert done.exit_code == 0, done.stderr
    assert "4 students, 1 exercises" in done.stderr
    page = (term.folder / "similar.html").read_text()
    assert "<script" not in page
    assert "&lt;/pre&gt;&lt;script&gt;" in page
    assert "\u202e" not in page
    assert "Lovelace, Ada and Noether, Emmy" in page
    assert "both fail test-slide in the same way" in page
    assert "oconnor&#39;s answer to slide has the login shafi" in page
    assert "%" not in page.partition("<body>")[2]
    assert (term.folder / "similar.html").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (["03_counting"], "no lesson '03_counting'"),
        (["02_convolution"], "fewer than two students have graded work"),
        (["--to", "none/page.html"], "cannot be written: No such file"),
        (["--to", "nbgrader_config.py"], "is another page"),
    ],
)
def test_a_wrong_request_is_one_line(term: Term, command: list[str], says: str) -> None:
    done = term.run("similar", *command)
    assert done.exit_code == 2
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_one_student_alone_is_one_line(tmp_path: Path) -> None:
    term = make_term(tmp_path)
    graded(term, "ada", "x = 1")
    done = term.run("similar")
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1)
