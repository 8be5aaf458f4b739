"""The report: one page that stands alone, with figures that are right, and text that stays text."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from autograder.desk.marks import ClassMarks, LessonPoints, Mark, Person
from autograder.desk.outcomes import Outcomes
from autograder.desk.report import page_of, render
from autograder.desk.statistics import (
    discrimination,
    exercise_figures,
    histogram,
    lesson_figures,
    student_figures,
    under_way,
    worries,
)
from autograder.grading.attempts import Attempt
from autograder.grading.verdict import NO_ANSWER
from tests.support.term import Term, make_marked_term, make_term

SCRIPT = "<script>alert('marks')</script>"
NOW = datetime(2026, 12, 1, tzinfo=UTC)


class Page(HTMLParser):
    """What a reader of a page gets: its tags and attributes, its text, its rows of tables."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str | None]] = []
        self.text, self.script = "", ""
        self.rows: list[list[str]] = []
        self.inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += attrs
        self.inside = tag if tag in ("script", "style") else ""
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self.inside = "" if tag in ("script", "style") else self.inside

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            self.script += data
        elif not self.inside:
            self.text += data
            if self.rows and self.rows[-1]:
                self.rows[-1][-1] = " ".join((self.rows[-1][-1] + data).split())

    def row(self, *beginning: str) -> list[str]:
        """Return the one row of a table that begins so."""
        (row,) = (row for row in self.rows if row[: len(beginning)] == [*beginning])
        return row


@pytest.fixture
def term(tmp_path: Path) -> Term:
    """A class with marks, messages of failed tests, an attempt, and trouble."""
    term = make_marked_term(tmp_path)
    autograded(term, "oconnor", ("hidden-slide", "failed", SCRIPT))
    autograded(term, "emmy", ("test-edge", "timed out", "It took too long."))
    (term.folder / "submitted" / "shafi" / "01_filters").mkdir(parents=True)
    return term


def autograded(term: Term, student: str, *verdicts: tuple[str, str, str]) -> None:
    """Write a graded notebook with the outcomes and messages of some cells."""
    cells = [
        {
            "metadata": {
                "nbgrader": {"grade_id": cell},
                "verdict": {"outcome": outcome, "message": message},
            }
        }
        for cell, outcome, message in verdicts
    ]
    folder = term.folder / "autograded" / student / "01_filters"
    folder.mkdir(parents=True)
    (folder / "01_filters.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}}))


def report(term: Term, *options: str) -> Page:
    done = term.run("report", *options)
    assert done.exit_code == 0, done.stderr
    return Page((term.folder / "report.html").read_text())


class TestPage:
    def test_it_stands_alone(self, term: Term) -> None:
        page = report(term)
        addresses = [v or "" for name, v in page.attributes if name in ("src", "href", "action")]
        assert addresses
        assert all(address.startswith("#") for address in addresses)
        assert "url(" not in (term.folder / "report.html").read_text()

    def test_its_one_script_is_that_of_its_policy(self, term: Term) -> None:
        page = report(term)
        assert page.tags["script"] == 1
        digest = base64.b64encode(hashlib.sha256(page.script.encode()).digest()).decode()
        (policy,) = (v or "" for _, v in page.attributes if v and v.startswith("default-src"))
        assert f"script-src 'sha256-{digest}'" in policy
        assert policy.startswith("default-src 'none';")

    def test_the_text_of_a_student_stays_text(self, term: Term) -> None:
        with term.gradebook() as gradebook:
            gradebook.update_or_create_student("ada", last_name=SCRIPT)
        page = report(term)
        assert page.tags["script"] == 1
        assert page.row(f"{SCRIPT}, Ada", "ada")
        assert f"1: {SCRIPT}" in page.row("01_filters", "slide")[-1]

    def test_students_lessons_exercises_and_trouble_are_in_it(self, term: Term) -> None:
        page = report(term)
        assert page.row("01_filters", "10")[1:7] == ["10", "3", "1", "1", "0", "70 %"]
        assert page.row("Noether, Emmy", "emmy")[2:] == [
            "34 %", "10.25", "1", "", "6.25 (late)", "4 (to mark)",
        ]  # fmt: skip
        assert page.row("01_filters", "edge")[2:4] == ["5", "82 %"]
        assert page.row("emmy", "01_filters")[2] == "test-edge: timed out"
        assert page.row("shafi", "01_filters")[2] == "collected, not graded"
        assert page.row("Goldwasser, Shafi", "0 %")[2].startswith("did not hand in 01_filters")

    def test_missing_answers_are_counted_apart_from_messages(self, term: Term) -> None:
        autograded(term, "ada", ("test-edge", "failed", NO_ANSWER))
        term.mark("ada", "01_filters", {"test-slide": 2, "hidden-slide": 3, "test-edge": 0})
        seen = report(term).row("01_filters", "edge")[-1]
        assert seen == "1 without an answer1: It took too long."
        autograded(term, "shafi", ("hidden-slide", "failed", NO_ANSWER))
        (term.folder / "autograded" / "oconnor" / "01_filters" / "01_filters.ipynb").unlink()
        term.mark("shafi", "01_filters", {"test-slide": 0, "hidden-slide": 0, "test-edge": 0})
        assert report(term).row("01_filters", "slide")[-1] == "1 without an answer"

    def test_one_lesson(self, term: Term) -> None:
        page = report(term, "01_filters")
        assert "02_convolution" not in page.text

    def test_tables_have_headers_and_regions_names(self, term: Term) -> None:
        text = (report(term), (term.folder / "report.html").read_text())[1]
        heads = re.findall(r"<th[ >][^>]*", text)
        assert heads
        assert all("scope=" in head for head in heads)
        assert len(re.findall(r"<caption>", text)) == len(re.findall("<table", text))
        assert len(re.findall(r'<svg[^>]*role="img" aria-label="[^"]+"', text)) == text.count(
            "<svg"
        )

    def test_it_is_written_over_an_earlier_report_alone(self, term: Term) -> None:
        report(term)
        report(term)
        term.write("mine.html", "<p>mine</p>")
        done = term.run("report", "--to", "mine.html")
        assert done.exit_code == 2
        assert "mine.html is not a report" in done.stderr
        assert term.lines("mine.html") == ["<p>mine</p>"]

    @pytest.mark.parametrize(
        ("command", "why"),
        [
            (("report", "03_counting"), "no lesson '03_counting'; available: 01_filters"),
            (("report", "--to", "none/report.html"), "none/report.html cannot be written: No such"),
        ],
    )
    def test_what_cannot_be_is_one_line(
        self, term: Term, command: tuple[str, ...], why: str
    ) -> None:
        done = term.run(*command)
        assert done.exit_code == 2
        assert why in done.stderr
        assert len(done.stderr.splitlines()) == 1

    def test_nothing_is_graded(self, tmp_path: Path) -> None:
        done = make_term(tmp_path).run("report")
        assert done.exit_code == 2
        assert "nothing is graded yet" in done.stderr

    def test_one_student(self, tmp_path: Path) -> None:
        term = make_term(tmp_path, students={"ada": ("Ada", "Lovelace", "", "")})
        term.mark("ada", "01_filters", {"test-slide": 2, "hidden-slide": 0, "test-edge": 5})
        assert report(term).row("01_filters", "10")[6] == "70 %"

    def test_a_graded_notebook_that_cannot_be_read_is_skipped(self, term: Term) -> None:
        path = term.folder / "autograded" / "emmy" / "01_filters" / "01_filters.ipynb"
        path.write_text('{"cells": 3')
        assert "timed out" not in report(term).text


def class_of(count: int, lessons: int = 10) -> ClassMarks:
    """Return a class with random marks."""
    rng = random.Random(count)
    people = [Person(f"s{n}", "Ada", f"Lovelace {n}") for n in range(count)]
    points = {f"exercise_{n}": 3.0 for n in range(9)}
    taken = [LessonPoints(f"{n:02}", None, points) for n in range(lessons)]
    marks = {}
    for person in people:
        for lesson in taken:
            scores = {name: rng.choice([0.0, most]) for name, most in points.items()}
            marks[person.id, lesson.name] = Mark(sum(scores.values()), 0.0, exercises=scores)
    return ClassMarks(people, taken, marks)


def test_a_thousand_students_in_ten_lessons_take_seconds_and_a_megabyte() -> None:
    began = time.process_time()
    text = render(page_of(class_of(1000), {}, {"00": Outcomes()}, [], "A large class"))
    assert time.process_time() - began < 20
    assert len(text) < 5_000_000


class TestFigures:
    def test_discrimination_is_the_correlation_with_the_rest_of_the_lesson(self) -> None:
        marks = class_of(30, 1)
        (lesson,) = marks.lessons
        for figures in exercise_figures(marks, lesson, {}):
            points = [mark.exercises[figures.name] for mark in marks.marks.values()]
            rest = [mark.earned - mark.exercises[figures.name] for mark in marks.marks.values()]
            assert figures.discrimination == pytest.approx(np.corrcoef(points, rest)[0, 1])
            assert figures.facility == pytest.approx(np.mean(points) / 3)

    def test_a_negative_one_is_flagged(self) -> None:
        marks = class_of(20, 1)
        for n, mark in enumerate(marks.marks.values()):
            mark.exercises = {"good": float(n > 9), "bad": float(n < 10), "long": float(n)}
            mark.earned = sum(mark.exercises.values())
        marks.lessons[0].exercises = {"good": 1, "bad": 1, "long": 20}
        text = render(page_of(marks, {}, {}, [], "Title"))
        assert re.search('<span class="bad">\N{MINUS SIGN}0.8', text)

    def test_it_says_nothing_of_few_students_or_equal_points(self) -> None:
        assert discrimination([1.0] * 9, [*range(9)]) is None
        assert discrimination([1.0] * 10, [*range(10)]) is None

    def test_first_and_last_attempt(self) -> None:
        marks = class_of(12, 1)
        marks.marks["s0", "00"].exercises["exercise_0"] = 3.0
        tried = Attempt(NOW, {"00": {"test-exercise_0": 0.75, "hidden-exercise_0": 0.75}})
        figures = exercise_figures(marks, marks.lessons[0], {("s0", "00"): [tried]})
        assert (figures[0].first, figures[0].last) == (0.5, 1.0)
        assert (figures[1].first, figures[1].last) == (
            0.0,
            marks.marks["s0", "00"].exercises["exercise_1"] / 3,
        )

    def test_quartiles_are_numpy_s(self) -> None:
        marks = class_of(25, 1)
        shares = [mark.score / 27 for mark in marks.marks.values()]
        quartiles = lesson_figures(marks, marks.lessons[0]).quartiles
        assert quartiles == pytest.approx(np.percentile(shares, [25, 50, 75]))

    def test_full_marks_are_in_the_last_tenth(self) -> None:
        assert histogram([0, 0.05, 0.1, 0.999, 1, 1.2]) == [2, 1, 0, 0, 0, 0, 0, 0, 0, 3]

    def test_lessons_that_are_not_due_or_not_graded_do_not_count_yet(self) -> None:
        marks = class_of(3, 4)
        naive = NOW.replace(tzinfo=None)
        marks.lessons[2].due = naive + timedelta(days=1)
        marks.lessons[0].due = naive - timedelta(days=1)
        marks.marks = {key: mark for key, mark in marks.marks.items() if key[1] != "03"}
        assert [lesson.name for lesson in under_way(marks, NOW)] == ["00", "01"]

    def test_a_student_who_never_handed_in_counts_with_nothing(self) -> None:
        marks = class_of(3, 2)
        marks.marks = {key: mark for key, mark in marks.marks.items() if key[0] != "s1"}
        figures = student_figures(marks, marks.lessons, {})[1]
        assert (figures.share, figures.missing) == (0, ["00", "01"])

    @pytest.mark.parametrize(
        ("shares", "missing", "why"),
        [
            ([0.9, 0.9, 0.8, 0.9], [], []),
            ([0.9, 0.9, 0.9, 0.0], ["d"], ["from 90 % to 60 %"]),
            (
                [0.9, 0.9, 0.0, 0.0],
                ["c", "d"],
                ["did not hand in c, d", "from 90 % to 30 %", "45 % on average"],
            ),
            ([0.4, 0.4, 0.4, 0.4], [], ["40 % on average"]),
            ([], [], []),
        ],
    )
    def test_who_falls_behind_and_why(
        self, shares: list[float], missing: list[str], why: list[str]
    ) -> None:
        assert worries(shares, missing, ["a", "b", "c", "d"][: len(shares)]) == why
