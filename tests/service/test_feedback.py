"""Feedback: marks and the messages of tests, and no line of a hidden test."""

from __future__ import annotations

import re

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.api import Gradebook

from autograder.authoring.build import notebook_path
from autograder.execution.cells import is_test
from autograder.execution.execute import DEMONSTRATION
from autograder.grading.pipeline import FROM_ONE
from autograder.grading.verdict import FAILED, VERDICT
from autograder.service.feedback import (
    HIDDEN,
    NOT_PASSED,
    OMITTED,
    FeedbackExporter,
    HideTests,
    mathml,
)
from autograder.service.lessons import PENALTY
from tests.support.any_course import graded_cell
from tests.support.pages import active_parts, visible_text
from tests.support.small_course import LESSON, RIGHT, Course, make_course, with_double

pytestmark = pytest.mark.slow

REVEALS = """def double(x):
    import inspect, traceback
    if x == 3:
        print("three was asked for")
    raise ValueError("".join(map(str, inspect.stack()[1].code_context or [])) + LINE)"""
SCRIPT = "def greet():\n    return 'hello'\n\nfrom IPython.display import HTML, display\n"
SCRIPT += "display(HTML('<script>gotcha</script><img src=x onerror=gotcha>'))"


KEEPS = with_double("kept = []\ndef double(x):\n    kept.append(x)\n    return 2 * x") | {
    "greet": "print('called with', kept)\ndef greet():\n    return 'hello'"
}


BANK = """\
# %% wrong double: squares loses=["hidden-double"]
def double(x):
    return x * x

# %% [markdown] says=["9"]
# **It looks as if** you multiply the number by itself. *Compare:* twice 5 is 5 + 5, not $5^2$.
"""


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A class whose feedback was made by nbgrader's own command."""
    course = make_course(tmp_path_factory.mktemp("course"))
    line = max(hidden_lines(course), key=len)
    (course.folder / "answers").mkdir()
    (course.folder / "answers" / f"{LESSON}.py").write_text(BANK)
    course.hand_in("right", RIGHT)
    course.hand_in("wrong", with_double("def double(x):\n    return x * x"))
    course.hand_in("reveals", with_double(f"LINE = {line!r}\n\n{REVEALS}"))
    course.hand_in("prints", with_double(f"print({line!r})\n{RIGHT['double']}"))
    course.hand_in("scripts", RIGHT | {"greet": SCRIPT})
    course.hand_in("keeps", KEEPS)
    course.hand_in("late", RIGHT)
    stamp = course.folder / "submitted" / "late" / LESSON / "timestamp.txt"
    stamp.write_text("2026-11-03 18:00:00 UTC")
    deadlines = f"[policy]\npercent_per_day = 10\n[lessons.{LESSON}]\ndue = 2026-11-02T12:00:00\n"
    (course.folder / "deadlines.toml").write_text(deadlines)
    course.grade()
    with Gradebook(
        f"sqlite:///{course.folder / 'gradebook.db'}"
    ) as gradebook:  # as the formgrader does
        gradebook.find_grade("test-greet", LESSON, LESSON, "keeps").manual_score = 3
        gradebook.db.commit()
    done = course.run("nbgrader", "generate_feedback", LESSON)
    assert done.returncode == 0, done.stderr
    return course


def page(course: Course, student: str) -> str:
    return (course.folder / "feedback" / student / LESSON / f"{LESSON}.html").read_text()


def autograded(course: Course, student: str) -> str:
    return (course.folder / "autograded" / student / LESSON / f"{LESSON}.ipynb").read_text()


def hidden_lines(course: Course) -> set[str]:
    """Return the lines that source/ has and release/ does not, without those of solutions."""
    notebooks = [
        nbformat.read(notebook_path(course.folder / stage, LESSON), as_version=4)
        for stage in ("source", "release")
    ]
    source, release = (
        {line.strip() for cell in notebook.cells if is_test(cell)
         for line in cell.source.splitlines()}
        for notebook in notebooks
    )  # fmt: skip
    return {line for line in source - release if len(line) >= 8 and "###" not in line}


def test_learners_see_the_points_the_outcome_and_the_message_of_each_graded_cell(
    course: Course,
) -> None:
    seen = visible_text(page(course, "wrong"))
    assert "5 of 10 points" in seen
    assert re.search(r"hidden-double\s+0 / 2\s+failed\s+\S", seen)
    assert re.search(r"test-greet\s+4 / 4\s+passed", seen)
    assert "def double(x):" in seen


def test_a_cell_that_a_person_has_marked_says_so(course: Course) -> None:
    assert re.search(r"test-greet\s+3 / 4\s+marked by hand", visible_text(page(course, "keeps")))
    assert page(course, "keeps").count("marked by hand</span>") == 2


def test_a_mistake_of_the_answer_bank_is_named_with_what_the_author_says_of_it(
    course: Course,
) -> None:
    html = page(course, "wrong")
    seen = visible_text(html)
    assert re.search(
        r"What this looks like\s*It looks as if you multiply the number by itself", seen
    )
    assert "<math" in html
    assert html.count('id="looks-hidden-double"') == html.count('href="#looks-hidden-double"') == 1
    assert "What this looks like" not in visible_text(page(course, "right"))
    assert "What this looks like" not in visible_text(page(course, "reveals"))  # fails otherwise


def test_late_learners_see_when_it_was_due_how_late_they_were_and_what_it_cost(
    course: Course,
) -> None:
    seen = visible_text(page(course, "late"))
    assert "5.6 of 10 points, 1.4 deducted for late submission" in seen
    assert "Due Mon 02 Nov 2026, 12:00 (UTC). Handed in 1 d 6 h late: 1.4 points" in seen
    penalty = re.search(PENALTY, page(course, "late"))  # as My course reads it
    assert penalty
    assert penalty[1] == "1.4"
    assert "Due" not in visible_text(page(course, "right"))  # whose time is not known


@pytest.mark.parametrize("student", ["right", "wrong", "reveals", "prints", "scripts"])
def test_no_line_of_a_hidden_test_is_in_feedback(course: Course, student: str) -> None:
    secret = hidden_lines(course)
    assert secret
    seen = visible_text(page(course, student))
    notebook = course.folder / "submitted" / student / LESSON / f"{LESSON}.ipynb"
    submitted = "\n".join(c.source for c in nbformat.read(notebook, as_version=4).cells)
    assert [line for line in secret if line in seen and line not in submitted] == []


def test_a_hidden_line_that_an_answer_prints_is_removed(course: Course) -> None:
    assert HIDDEN in visible_text(page(course, "prints"))
    assert HIDDEN in visible_text(page(course, "reveals"))


def test_what_answers_print_while_a_test_calls_them_is_not_shown(course: Course) -> None:
    assert "three was asked for" in autograded(course, "reveals")
    assert "three was asked for\n" not in visible_text(page(course, "reveals"))


def test_what_a_hidden_test_passed_to_an_answer_is_not_shown(course: Course) -> None:
    assert "called with [2, 21, 3]" in autograded(course, "keeps")
    seen = visible_text(page(course, "keeps"))
    assert "called with" not in seen.replace(KEEPS["greet"].splitlines()[0], "")
    assert OMITTED.strip() in seen


def test_a_demonstration_says_that_it_was_not_run(course: Course) -> None:
    assert DEMONSTRATION.strip() in visible_text(page(course, "right"))


def test_a_demonstration_says_so_after_a_hidden_test_too() -> None:
    test = graded_cell("### BEGIN HIDDEN TESTS\nassert f(2) == 4\n### END HIDDEN TESTS")
    shows, claims = new_code_cell("print(1)"), new_code_cell("print(2)")
    for each in (shows, claims):
        each.metadata["left_out"] = True
    claims.outputs = [new_output("stream", text="what the test passed")]  # by stock nbgrader
    notebook, _ = HideTests().preprocess(new_notebook(cells=[test, shows, claims]), {})
    assert [[o.text for o in c.outputs] for c in notebook.cells[1:]] == 2 * [[DEMONSTRATION]]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("### BEGIN HIDDEN TESTS\nassert f(2) == 4\n### END HIDDEN TESTS", NOT_PASSED),
        ("assert f(2) == 4", "what the answer read"),
    ],
)
def test_a_hidden_test_that_ran_beside_the_answer_says_nothing(source: str, message: str) -> None:
    test = graded_cell(source)
    entry = {"outcome": FAILED, "message": "what the answer read", "remark": f"{FROM_ONE}..."}
    test.metadata[VERDICT] = entry
    notebook, _ = HideTests().preprocess(new_notebook(cells=[test]), {})
    assert notebook.cells[0].metadata[VERDICT]["message"] == message


def test_no_script_runs_for_the_reader(course: Course) -> None:
    seen = page(course, "scripts")
    assert active_parts(seen) == []
    assert "<script" not in seen
    assert "default-src 'none'" in seen


def test_instructors_keep_the_full_view(course: Course) -> None:
    notebook = nbformat.reads(autograded(course, "wrong"), as_version=4)
    assert hidden_lines(course) <= {
        line.strip() for cell in notebook.cells for line in cell.source.splitlines()
    }


def test_formulas_need_no_script() -> None:
    assert mathml(r"\frac{1}{2}", "inline").startswith("<math")


@pytest.mark.parametrize(
    "text", ["</math><div/style='position:fixed'>x</div>", "<script>x</script>", "&lt;meta/x&gt;"]
)
def test_the_text_of_a_formula_is_no_markup(text: str) -> None:
    formula = mathml(rf"a < b \text{{{text}}}", "inline")
    assert formula.startswith("<math")
    assert formula.count("</math>") == 1
    assert not re.search("<(div|script|meta)", formula)
    assert "a</mi>" in formula
    assert "&lt;" in formula


def test_a_formula_that_cannot_be_read_is_shown_as_it_was_written() -> None:
    assert mathml(r"\left( <b>", "inline") == r"<code>\left( &lt;b&gt;</code>"


@pytest.mark.parametrize("language", ["bash", "python", "no-such-language"])
def test_a_block_of_code_in_the_instructors_text_is_shown(language: str) -> None:
    text = f"Type:\n\n```{language}\nls data\n```\n"
    locked = {"grade_id": "intro", "locked": True, "grade": False, "solution": False}
    metadata = {"nbgrader": {"schema_version": 3, "task": False, **locked}}
    notebook = new_notebook(cells=[new_markdown_cell(text, metadata=metadata)])
    resources = {"nbgrader": {"score": 0, "max_score": 0, "notebook": "ps1", "late_penalty": 0}}
    page, _ = FeedbackExporter().from_notebook_node(notebook, resources)
    assert "data" in page.partition("<body")[2]
