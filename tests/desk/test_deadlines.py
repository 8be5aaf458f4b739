"""Deadlines: what lateness costs, extensions, the better attempt, and marks that are recomputed."""

from __future__ import annotations

import json
from contextlib import chdir
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from nbformat.v4 import new_notebook
from nbgrader.converters import Autograde
from nbgrader.preprocessors import AssignLatePenalties
from traitlets.config import Config

from autograder.errors import UsageError
from autograder.grading.attempts import create_table, keep_attempt, read_attempts
from autograder.grading.course import open_course
from autograder.grading.deadlines import Deadlines, Policy, parse_deadlines, public
from autograder.grading.gradebook import GradebookSession
from autograder.grading.late import duration, note_for
from tests.support.term import Term, make_marked_term, make_term

DUE = datetime(2026, 11, 2, 12, tzinfo=UTC)
TEN_PERCENT = "[policy]\npercent_per_day = 10\n"
LESSON = "[lessons.01_filters]\ndue = 2026-11-02T12:00:00\n"
FULL = {"test-slide": 2.0, "hidden-slide": 3.0, "test-edge": 5.0}
ONE_DAY, TWO_DAYS = timedelta(days=1), timedelta(days=2)


@pytest.fixture
def term(tmp_path: Path) -> Term:
    return make_term(tmp_path)


def late(
    term: Term, student: str, by: timedelta, lesson: str = "01_filters", **points: float
) -> None:
    """Enter a submission that came so much after noon of the second of November."""
    term.mark(student, lesson, points or FULL, submitted=(DUE + by).replace(tzinfo=None))


def applied(term: Term, text: str, *options: str) -> str:
    """Write deadlines.toml and apply it; return what is printed."""
    term.write("deadlines.toml", text)
    done = term.run("deadlines", "apply", *options)
    assert done.exit_code == 0, done.stderr
    return done.stdout + done.stderr


def penalty(policy: Policy, **late: float) -> float:
    """Return what 10 points of 20 lose."""
    deadlines = Deadlines(zone=None, policy=policy, due={"a": DUE})  # type: ignore[arg-type]
    lateness = deadlines.lateness("ada", "a", {"a": DUE + timedelta(**late)})
    return policy.penalty(lateness.charged_days, lateness.is_cut_off, 10, 20)


class TestPolicy:
    def test_each_day_that_has_begun_costs(self) -> None:
        policy = Policy(percent_per_day=10)
        assert penalty(policy, seconds=-1) == penalty(policy, seconds=0) == 0
        assert penalty(policy, seconds=1) == penalty(policy, hours=24) == 1
        assert penalty(policy, hours=24, seconds=1) == 2

    def test_a_period_of_grace_is_on_time_and_shifts_the_days(self) -> None:
        policy = Policy(percent_per_day=10, grace_minutes=15)
        assert penalty(policy, minutes=15) == 0
        assert penalty(policy, minutes=16) == penalty(policy, hours=24, minutes=15) == 1

    def test_the_most_that_is_deducted_and_the_cut_off(self) -> None:
        policy = Policy(percent_per_day=10, max_percent=30, cutoff_days=7)
        assert penalty(policy, days=5) == penalty(policy, days=7) == 3
        assert penalty(policy, days=7, seconds=1) == 10
        assert penalty(Policy(cutoff_days=0), seconds=1) == 10

    def test_of_the_points_possible(self) -> None:
        policy = Policy(percent_per_day=10, percent_of="possible")
        assert penalty(policy, days=2) == 4
        assert penalty(policy, days=9) == 10  # no more than was earned

    def test_free_days_are_used_in_the_order_of_the_deadlines(self) -> None:
        policy = Policy(percent_per_day=10, late_days=4, late_days_per_lesson=3, cutoff_days=9)
        due = {"a": DUE, "b": DUE + 7 * ONE_DAY, "c": DUE + 14 * ONE_DAY}
        deadlines = Deadlines(None, policy, due)  # type: ignore[arg-type]
        times = {"a": due["a"] + 5 * ONE_DAY, "b": due["b"] + TWO_DAYS, "c": due["c"] + ONE_DAY}
        used = {name: deadlines.lateness("ada", name, times) for name in due}
        assert {name: (each.free_days, each.charged_days) for name, each in used.items()} == {
            "a": (3, 2),
            "b": (1, 1),
            "c": (0, 1),
        }
        assert [each.free_days_left for each in used.values()] == [1, 0, 0]
        times["a"] = due["a"] + 30 * ONE_DAY  # after its cut-off: no free day is wasted on it
        assert deadlines.lateness("ada", "b", times).free_days == 2


class TestApply:
    def test_penalties_are_recomputed_after_a_table_of_who_changes(self, term: Term) -> None:
        late(term, "ada", timedelta(hours=30))
        late(term, "emmy", -ONE_DAY)
        text = applied(term, TEN_PERCENT + LESSON)
        assert (term.score("ada", "01_filters"), term.score("emmy", "01_filters")) == (8, 10)
        (row,) = (line for line in text.splitlines() if "ada" in line)
        assert [cell.strip() for cell in row.split("│")[1:-1]] == [
            "ada", "01_filters", "1 d 6 h", "10", "8", "2 days late",
        ]  # fmt: skip
        assert "1 of 2 submissions changed" in text
        assert "0 of 2 submissions changed" in applied(term, TEN_PERCENT + LESSON)

    def test_a_dry_run_changes_nothing(self, term: Term) -> None:
        late(term, "ada", ONE_DAY)
        assert "1 of 1 submissions would change" in applied(term, TEN_PERCENT + LESSON, "--dry-run")
        assert term.score("ada", "01_filters") == 10

    def test_a_date_that_is_moved_gives_the_points_back(self, term: Term) -> None:
        late(term, "ada", ONE_DAY)
        applied(term, TEN_PERCENT + LESSON)
        assert term.score("ada", "01_filters") == 9
        applied(term, TEN_PERCENT + LESSON.replace("-02T", "-03T"))
        assert term.score("ada", "01_filters") == 10

    def test_an_extension_is_of_one_student_and_known_to_nbgrader(self, term: Term) -> None:
        for student in ("ada", "emmy"):
            late(term, student, TWO_DAYS)
        extension = (
            '[[extensions]]\nstudent = "ada"\nlesson = "01_filters"\ndays = 2\nreason = "ill"\n'
        )
        applied(term, TEN_PERCENT + LESSON + extension)
        assert (term.score("ada", "01_filters"), term.score("emmy", "01_filters")) == (10, 8)
        with term.gradebook() as gradebook:
            submission = gradebook.find_submission("01_filters", "ada")
            assert submission.total_seconds_late == 0
            assert submission.assignment.duedate == DUE.replace(tzinfo=None)
        applied(term, TEN_PERCENT + LESSON)  # it is taken back
        assert term.score("ada", "01_filters") == 8

    def test_points_typed_by_hand_later_are_deducted_from_too(self, term: Term) -> None:
        late(term, "ada", ONE_DAY, "02_convolution", **{"test-loops": 4, "hidden-loops": 6})
        text = TEN_PERCENT + LESSON.replace("01_filters", "02_convolution")
        applied(term, text)
        assert term.penalty("ada", "02_convolution") == 1
        with term.gradebook() as gradebook:
            grade = gradebook.find_grade("essay", "02_convolution", "02_convolution", "ada")
            grade.manual_score = 10
            gradebook.db.commit()
        assert "1 late penalties are out of date" in term.run("export", "csv").stderr
        applied(term, text)
        assert term.penalty("ada", "02_convolution") == 2

    def test_a_lesson_without_a_deadline_keeps_its_penalty(self, tmp_path: Path) -> None:
        term = make_marked_term(tmp_path)
        applied(term, TEN_PERCENT + LESSON.replace("01_filters", "02_convolution"))
        assert term.penalty("emmy", "01_filters") == 1

    def test_feedback_that_was_made_before_is_made_anew(self, term: Term) -> None:
        pages = [term.folder / "feedback" / name / "01_filters" for name in ("ada", "emmy")]
        for page in pages:
            page.mkdir(parents=True)
        late(term, "ada", ONE_DAY)
        late(term, "emmy", -ONE_DAY)
        applied(term, TEN_PERCENT + LESSON)
        assert [page.exists() for page in pages] == [False, True]


class TestBetterAttempt:
    def on_time_then_late(self, term: Term, first: float, second: float) -> None:
        late(term, "ada", -ONE_DAY, **{**FULL, "test-edge": first})
        with term.gradebook() as gradebook:
            create_table(gradebook)
            keep_attempt(gradebook, "ada", "01_filters", DUE + TWO_DAYS)
            gradebook.db.commit()
        late(term, "ada", TWO_DAYS, **{**FULL, "test-edge": second})

    @pytest.mark.parametrize(
        ("first", "second", "counts"),
        [
            (4, 5, 9),  # 10 less 20 % are 8: the 9 of the hand-in on time count
            (0, 5, 8),  # the late one is better all the same
            (4, 1, 9),  # the late one lost points: those on time count
        ],
    )
    def test_the_last_hand_in_on_time_counts_where_it_is_better(
        self, term: Term, first: float, second: float, counts: float
    ) -> None:
        self.on_time_then_late(term, first, second)
        applied(term, TEN_PERCENT + LESSON)
        assert term.score("ada", "01_filters") == counts

    def test_it_can_be_switched_off(self, term: Term) -> None:
        self.on_time_then_late(term, 4, 5)
        applied(term, TEN_PERCENT + "better_counts = false\n" + LESSON)
        assert term.score("ada", "01_filters") == 8


def record(term: Term, student: str, when: datetime) -> None:
    """Record an empty hand-in as `autograder grade` does."""
    with chdir(term.folder), term.gradebook():  # whose warnings are nbgrader's
        course = open_course()
        session = GradebookSession(course, Autograde(coursedir=course, config=course.config))
        session.record(student, "01_filters", when, {}, ["01_filters"])
        session.close()
        session.gradebook.engine.dispose()


class TestGrade:
    def test_a_late_hand_in_is_settled_when_it_is_recorded(self, term: Term) -> None:
        term.write("deadlines.toml", TEN_PERCENT + LESSON)
        record(term, "ada", DUE + ONE_DAY)
        with term.gradebook() as gradebook:
            submission = gradebook.find_submission("01_filters", "ada")
            assert submission.total_seconds_late == 86_400

    def test_marks_that_a_later_hand_in_replaces_are_kept_and_count(self, term: Term) -> None:
        late(term, "ada", -ONE_DAY)
        term.write("deadlines.toml", TEN_PERCENT + LESSON)
        record(term, "ada", DUE + ONE_DAY)
        assert term.score("ada", "01_filters") == 10
        with term.gradebook() as gradebook:
            ((attempt,),) = read_attempts(gradebook).values()
        assert (attempt.score, attempt.submitted) == (10, DUE - ONE_DAY)
        assert attempt.points == {"01_filters": FULL}
        record(term, "ada", DUE + ONE_DAY)  # graded again: nothing new
        with term.gradebook() as gradebook:
            assert len(read_attempts(gradebook)["ada", "01_filters"]) == 1

    def test_a_file_that_is_wrong_stops_it_before_anything_is_recorded(self, term: Term) -> None:
        term.write("deadlines.toml", "[policy]\ngrace = 3\n")
        with pytest.raises(UsageError, match="no setting 'grace'"):
            record(term, "ada", DUE)


def stock_penalty(term: Term, student: str, lesson: str = "01_filters") -> float:
    """Run nbgrader's own step for late penalties, as its autograder does; return the penalty."""
    config = Config()
    config.CourseDirectory.root = str(term.folder)
    config.AssignLatePenalties.plugin_class = "autograder.grading.late.DeadlinePenalty"
    step = AssignLatePenalties(config=config)
    names = {"student": student, "assignment": lesson, "notebook": lesson, "db_url": term.url}
    with term.gradebook():  # whose warnings are nbgrader's
        step.preprocess(new_notebook(), {"nbgrader": names})
        step.gradebook.engine.dispose()
    return term.penalty(student, lesson)


class TestStockNbgrader:
    def test_it_gives_the_same_penalty_as_apply(self, term: Term) -> None:
        policy = TEN_PERCENT + "grace_minutes = 30\nlate_days = 1\n"
        extension = '[[extensions]]\nstudent = "shafi"\nlesson = "01_filters"\ndays = 1\n'
        for student, hours in (("ada", 30), ("emmy", 0.4), ("oconnor", 80), ("shafi", 60)):
            late(term, student, timedelta(hours=hours))
        applied(term, policy + LESSON + extension)
        expected = {name: term.penalty(name, "01_filters") for name in ("ada", "emmy", "oconnor")}
        assert expected == {"ada": 1, "emmy": 0, "oconnor": 3}
        for student, hours in (("ada", 30), ("emmy", 0.4), ("oconnor", 80), ("shafi", 60)):
            late(term, student, timedelta(hours=hours))  # without a penalty
        assert {name: stock_penalty(term, name) for name in expected} == expected
        assert stock_penalty(term, "shafi") == 1

    def test_without_deadlines_its_own_method_holds(self, term: Term) -> None:
        late(term, "ada", ONE_DAY)
        with term.gradebook() as gradebook:
            gradebook.update_or_create_assignment("01_filters", duedate=DUE.replace(tzinfo=None))
        assert stock_penalty(term, "ada") == 0


class TestFile:
    def test_the_example_is_right_as_it_is_and_is_never_written_over(self, term: Term) -> None:
        assert term.run("deadlines", "init").exit_code == 0
        text = (term.folder / "deadlines.toml").read_text()
        assert "# [lessons.01_filters]" in text
        again = term.run("deadlines", "init")
        assert again.exit_code == 2
        assert "is there already" in again.stderr
        assert "has no deadline yet" in term.run("deadlines", "apply").stderr
        late(term, "ada", ONE_DAY)
        lines = [
            line.removeprefix("# ") if line.startswith(("# [lesson", "# due =")) else line
            for line in text.splitlines()
        ]
        assert "0 of 1 submissions changed" in applied(term, "\n".join(lines))

    def test_times_are_in_the_zone_of_the_file(self) -> None:
        data = {
            "timezone": "Europe/Berlin",
            "lessons": {
                "a": {"due": datetime(2026, 7, 1, 23, 59)},
                "b": {"due": datetime(2026, 12, 1, 23, 59)},
                "c": {"due": "2026-12-01"},
                "d": {"due": "2026-12-01T12:00:00+00:00"},
            },
        }
        hours = [f"{due:%d %H:%M:%S}" for due in parse_deadlines(data).due.values()]
        assert hours == ["01 21:59:00", "01 22:59:00", "01 22:59:59", "01 12:00:00"]

    def test_a_lesson_s_policy_changes_only_what_it_says(self) -> None:
        lesson = {"due": DUE, "policy": {"cutoff_days": 2}}
        data = {"policy": {"percent_per_day": 5}, "lessons": {"a": lesson}}
        assert parse_deadlines(data).policy_of("a") == Policy(percent_per_day=5, cutoff_days=2)

    @pytest.mark.parametrize(
        ("text", "why"),
        [
            ("[lessons.01_filters]\ndue = tomorrow\n", "Invalid value (at line 2"),
            ('[lessons.01_filters]\ndue = "tomorrow"\n', "lessons.01_filters.due: 'tomorrow'"),
            ("[lessons.01_filters]\ndue = 2026-02-30\n", "line 2"),
            ("[lessons.01_filters]\n", "lessons.01_filters.due must be a date"),
            ("[lessons.03_counting]\ndue = 2026-11-02\n", "no lesson '03_counting'; available: 01"),
            ('timezone = "Berlin"\n', "no time zone 'Berlin'"),
            ("[policy]\npercent_a_day = 3\n", "no setting 'percent_a_day' in policy; available"),
            ("[policy]\ngrace_minutes = -1\n", "policy.grace_minutes must be a number, at least 0"),
            ("[policy]\nlate_days = 1.5\n", "policy.late_days is a whole number"),
            ('[policy]\npercent_of = "all"\n', 'policy.percent_of is "earned" or "possible"'),
            ('lessons = "all"\n', "lessons must be a table"),
            (
                LESSON + '[[extensions]]\nstudent = "bob"\nlesson = "01_filters"\ndays = 1\n',
                "no student 'bob'; available: ada",
            ),
            (
                LESSON + '[[extensions]]\nstudent = "ada"\nlesson = "x"\ndays = 1\n',
                "the extension of ada in x: no deadline of such a lesson",
            ),
            (
                LESSON + '[[extensions]]\nstudent = "ada"\nlesson = "01_filters"\n',
                "needs either due or days",
            ),
            (
                LESSON
                + '[[extensions]]\nstudent = "ada"\nlesson = "01_filters"\ndue = 2026-11-01\n',
                "ends before the deadline",
            ),
            (
                'timezone = "Europe/Berlin"\n[lessons.01_filters]\ndue = 2026-03-29T02:30:00\n',
                "the clocks skip 2026-03-29 02:30:00",
            ),
        ],
    )
    def test_what_is_wrong_in_it_is_one_line(self, term: Term, text: str, why: str) -> None:
        late(term, "ada", ONE_DAY)
        term.write("deadlines.toml", text)
        done = term.run("deadlines", "apply")
        assert done.exit_code == 2
        assert why in done.stderr
        assert len(done.stderr.splitlines()) == 1
        assert term.score("ada", "01_filters") == 10

    def test_it_is_missing(self, term: Term) -> None:
        done = term.run("deadlines", "apply")
        assert done.exit_code == 2
        assert done.stderr == (
            "autograder: there is no deadlines.toml here: `autograder deadlines init` writes one\n"
        )


class TestWhatStudentsSee:
    def test_all_may_read_dates_and_policy_and_no_extension(self, term: Term) -> None:
        exchange = term.folder / "exchange" / "cnn"
        (exchange / "outbound").mkdir(parents=True)
        with (term.folder / "nbgrader_config.py").open("a") as config:
            config.write(f"c.Exchange.root = {str(exchange.parent)!r}\n")
        extension = '[[extensions]]\nstudent = "ada"\nlesson = "01_filters"\ndays = 1\n'
        applied(term, TEN_PERCENT + LESSON + extension)
        assert json.loads((exchange / "deadlines.json").read_text()) == {
            "01_filters": {
                "due": "2026-11-02T12:00:00+00:00",
                "policy": "Each day late, or part of one, costs 10 % of the points earned.",
            }
        }

    def test_without_an_exchange_one_line_says_so(self, term: Term) -> None:
        with (term.folder / "nbgrader_config.py").open("a") as config:
            config.write(f"c.Exchange.root = {str(term.folder / 'none')!r}\n")
        assert "cannot read the deadlines in My course" in applied(term, LESSON)

    @pytest.mark.parametrize(
        ("policy", "by", "text"),
        [
            ("", -ONE_DAY, "Handed in on time."),
            ("", ONE_DAY, "Handed in 1 d late: 1 points are deducted."),
            ("late_days = 3\n", TWO_DAYS, "nothing is deducted, 2 late days are used, 1 left."),
            ("cutoff_days = 1\n", TWO_DAYS, "Handed in 2 d late: too late to earn points."),
        ],
    )
    def test_feedback_says_due_how_late_and_what_it_cost(
        self, term: Term, policy: str, by: timedelta, text: str
    ) -> None:
        late(term, "ada", by)
        applied(term, TEN_PERCENT + policy + LESSON)
        note = note_for(term.folder, term.url, "ada", "01_filters")
        assert note.startswith("Due Mon 02 Nov 2026, 12:00 (UTC). ")
        assert note.endswith(text)

    def test_a_policy_is_a_sentence(self) -> None:
        policy = Policy(10, 5, "possible", 50, 7, 3, 2)
        assert policy.sentence == (
            "Each day late, or part of one, costs 5 % of all points; at most 50 %; 10 minutes late"
            " are on time; 3 days in the term are free, at most 2 per lesson; later than 7 days"
            " earns nothing."
        )
        deadlines = Deadlines(None, Policy(), {"a": DUE})  # type: ignore[arg-type]
        assert public(deadlines)["a"]["policy"] == "Late work costs nothing."
        assert public(replace(deadlines, policies={"a": policy}))["a"]["policy"] != ""

    def test_time_spans_have_two_units(self) -> None:
        spans = [duration(seconds) for seconds in (1, 3700, 90_000, 200_000)]
        assert spans == ["1 min", "1 h 1 min", "1 d 1 h", "2 d 7 h"]
