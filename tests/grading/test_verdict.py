"""Verdicts on executed cells, and the marks that nbgrader reads from what they leave."""

from __future__ import annotations

from typing import Any

import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from nbgrader.utils import compute_checksum, determine_grade

from autograder.execution.cells import (
    CRASHED,
    ENDED,
    ERROR,
    LIMIT,
    OK,
    OUT_OF_MEMORY,
    TIMED_OUT,
)
from autograder.grading.restore import ANSWERED_BELOW
from autograder.grading.verdict import (
    BELOW,
    FAILED,
    LOST,
    MAX_MESSAGE_CHARS,
    MESSAGES,
    NO_ANSWER,
    NO_RESPONSE,
    NOT_RUN,
    PASSED,
    TO_MARK,
    UNTESTED,
    VERDICT,
    judge,
    recorded,
)

POINTS = 3
FULL = (float(POINTS), POINTS)
NONE = (0, POINTS)


def graded(ended: str | None, *outputs: NotebookNode, **nbgrader: Any) -> NotebookNode:
    """Return an executed test cell that is worth 3 points."""
    flags = {"grade": True, "solution": False, "locked": True, "points": POINTS}
    metadata: dict[str, Any] = {"nbgrader": flags | {"grade_id": "test", **nbgrader}}
    if ended:
        metadata[ENDED] = ended
    return new_code_cell("f(3)", metadata=metadata, outputs=[*outputs])


def result(text: str) -> NotebookNode:
    return new_output("execute_result", {"text/plain": text})


def error(ename: str, evalue: str = "") -> NotebookNode:
    return new_output("error", ename=ename, evalue=evalue, traceback=["a line", "another"])


def printed(text: str, name: str = "stdout") -> NotebookNode:
    return new_output("stream", name=name, text=text)


def judged(cell: NotebookNode, *before: NotebookNode) -> tuple[str, str]:
    """Return outcome and message of a cell of a judged notebook."""
    judge(new_notebook(cells=[*before, cell]))
    return cell.metadata[VERDICT]["outcome"], cell.metadata[VERDICT]["message"]


@pytest.mark.parametrize(
    ("cell", "outcome", "marks"),
    [
        (graded(OK), PASSED, FULL),
        (graded(OK, printed("a warning", "stderr")), PASSED, FULL),
        (graded(OK, result("'a text'")), PASSED, FULL),
        (graded(OK, new_output("execute_result", {"text/html": "2"})), PASSED, FULL),
        (graded(OK, result("3")), PASSED, FULL),
        (graded(OK, result("2")), PASSED, (2, POINTS)),
        (graded(OK, result("np.float64(0.5)")), PASSED, (0.5, POINTS)),
        (graded(OK, result("0")), PASSED, NONE),
        (graded(OK, result("-0.5")), FAILED, NONE),
        (graded(OK, result("3.5")), FAILED, NONE),
        (graded(OK, result("nan")), FAILED, NONE),
        (graded(OK, result("1"), result("2")), PASSED, (2, POINTS)),
        (graded(OK, new_output("display_data", {"text/plain": "2"})), PASSED, FULL),
        (graded(OK, error("ValueError")), FAILED, NONE),  # whatever the kernel's reply says
        (graded(OK, result("2"), error("ValueError")), FAILED, NONE),
        (graded(ERROR, error("ValueError")), FAILED, NONE),
        (graded(ERROR), FAILED, NONE),
        (graded(ERROR, printed("x")), FAILED, NONE),
        (graded(ERROR, error("MemoryError")), OUT_OF_MEMORY, NONE),
        (graded(ERROR, error("RuntimeError", "can't allocate memory")), OUT_OF_MEMORY, NONE),
        (graded(TIMED_OUT), TIMED_OUT, NONE),
        (graded(TIMED_OUT, error("KeyboardInterrupt")), TIMED_OUT, NONE),
        (graded(CRASHED), CRASHED, NONE),
        (graded(CRASHED, result("3")), CRASHED, NONE),
        (graded(OUT_OF_MEMORY), OUT_OF_MEMORY, NONE),
        (graded(None), NOT_RUN, NONE),
        (graded(None, result("3")), NOT_RUN, NONE),
    ],
)
def test_only_a_passed_cell_earns_marks(
    cell: NotebookNode, outcome: str, marks: tuple[float, float]
) -> None:
    assert judged(cell)[0] == outcome
    assert determine_grade(cell) == marks


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (graded(OK), ""),
        (graded(OK, result("3")), ""),
        (graded(OK, printed("colour: 1 of 2\n"), result("2")), "2 of 3 points. colour: 1 of 2"),
        (
            graded(OK, printed("told", "stderr"), printed("seen"), result("2")),
            "2 of 3 points. seen",
        ),
        (
            graded(OK, result("4")),
            "The test gave 4 as the mark; one from 0 to 3 was expected.",
        ),
        (graded(ERROR, error("ValueError", "no")), "ValueError: no"),
        (graded(ERROR, error("ValueError")), "ValueError"),
        (graded(ERROR, error("AssertionError", "it is 5")), "it is 5"),
        (graded(ERROR, error("AssertionError")), "AssertionError"),
        (graded(ERROR, error("NotImplementedError")), NO_ANSWER),
        (graded(ERROR, error("NotImplementedError", " ")), NO_ANSWER),
        (graded(ERROR, error("NotImplementedError", "later")), "NotImplementedError: later"),
        (graded(ERROR, error("E", "a\x1b[31m red\x1b[0m\n\n line")), "E: a red line"),
        (graded(ERROR, printed("x"), error("E", "1"), error("E", "2")), "E: 1"),
        (graded(ERROR, error("MemoryError", "x")), MESSAGES[OUT_OF_MEMORY]),
        (graded(TIMED_OUT, error("KeyboardInterrupt", "x")), MESSAGES[TIMED_OUT]),
        (graded(None), MESSAGES[NOT_RUN]),
    ],
)
def test_a_verdict_says_why(cell: NotebookNode, message: str) -> None:
    assert judged(cell)[1] == message


def test_a_verdict_names_the_call_that_raised_the_learners_exception() -> None:
    cell = graded(ERROR, error("ZeroDivisionError", "division by zero"))
    cell.outputs[0].traceback = [
        "File ...",
        "\x1b[31mZeroDivisionError\x1b[0m: division by zero\nIn the call f(3, s=0)",
    ]
    assert judged(cell)[1] == "ZeroDivisionError: division by zero (in the call f(3, s=0))"


def test_a_cell_that_fails_without_an_error_says_something() -> None:
    cell = graded(ERROR)
    message = judged(cell)[1]
    assert message
    assert [(o.ename, o.evalue) for o in cell.outputs] == [(FAILED, message)]


def test_a_message_has_a_longest_length() -> None:
    assert MAX_MESSAGE_CHARS < 1000, "it stands in one cell of a table"
    room = MAX_MESSAGE_CHARS - len("E: ")
    assert judged(graded(ERROR, error("E", "x" * room)))[1] == "E: " + "x" * room
    cut = judged(graded(ERROR, error("E", "x" * (room + 1))))[1]
    assert cut == "E: " + "x" * room + "..."


def test_outputs_say_the_outcome_and_keep_what_was_printed() -> None:
    cell = graded(OK, printed("told", "stderr"), result("np.float64(2.0)"))
    judged(cell)
    assert cell.outputs == [printed("told"), result("2.0")]
    cell = graded(OK, printed("seen"), result("'a text'"))
    judged(cell)
    assert cell.outputs == [printed("seen")]
    cell = graded(ERROR, result("3"), error("ValueError", "no"))
    judged(cell)
    assert cell.outputs == [error("ValueError", "no")]
    cell = graded(TIMED_OUT, printed("seen"))
    judged(cell)
    message = MESSAGES[TIMED_OUT]
    added = new_output("error", ename=TIMED_OUT, evalue=message, traceback=[message])
    assert cell.outputs == [printed("seen"), added]


@pytest.mark.parametrize("ended", [TIMED_OUT, CRASHED, OUT_OF_MEMORY])
def test_a_missing_name_is_explained_by_the_cell_that_lost_it(ended: str) -> None:
    lost = new_code_cell("x = 1", metadata={ENDED: ended})
    fine = new_code_cell("y = 1", metadata={ENDED: OK})
    words = "NameError: name 'x' is not defined"
    missing = graded(ERROR, error(*words.split(": ")))
    assert judged(missing, lost, fine)[1] == f"{words}. {LOST[ended]}"
    other = graded(ERROR, error("ValueError", "no"))
    assert judged(other, lost)[1] == "ValueError: no"
    alone = graded(ERROR, error(*words.split(": ")))
    assert judged(alone, fine)[1] == words
    # A test that was stopped loses no name: what it makes is not for the answers.
    after = graded(ERROR, error(*words.split(": ")))
    assert judged(after, graded(ended))[1] == words


def test_what_is_not_graded_is_left_as_it_is_but_for_how_it_ended() -> None:
    cell = new_code_cell("x", metadata={ENDED: OK}, outputs=[printed("x", "stderr"), result("2")])
    before = [dict(output) for output in cell.outputs]
    text = new_markdown_cell("words")
    test = graded(OK)
    judge(new_notebook(cells=[cell, text, test]))
    assert cell.outputs == before
    assert VERDICT not in cell.metadata
    assert text == new_markdown_cell("words") | {"id": text.id}
    assert all(ENDED not in each.metadata for each in (cell, text, test))


def essay(answered: bool) -> NotebookNode:
    """Return a cell that a person marks."""
    flags = {"grade": True, "solution": True, "locked": False, "points": POINTS}
    cell = new_markdown_cell("", metadata={"nbgrader": flags | {"grade_id": "essay"}})
    cell.metadata.nbgrader.checksum = compute_checksum(cell)
    cell.source = "my words" if answered else ""
    return cell


def test_what_a_person_marks_was_answered_or_not() -> None:
    assert judged(essay(answered=True)) == (TO_MARK, "")
    assert judged(essay(answered=False)) == (NO_RESPONSE, "")


def test_a_test_that_cannot_judge_an_answer_leaves_it_to_a_person() -> None:
    cell = graded(ERROR, printed("so far"), error("ProxyTypeError", "about kernels"))
    cell.metadata[LIMIT] = {"limit": "a generator cannot be sent"}
    assert judged(cell) == (TO_MARK, UNTESTED)
    assert "a generator cannot be sent" in cell.metadata[VERDICT]["remark"]
    kinds = [(output.output_type, output.get("ename")) for output in cell.outputs]
    assert kinds == [("stream", None), ("error", TO_MARK)]
    assert LIMIT not in cell.metadata


def test_a_test_that_perhaps_met_a_limit_is_judged() -> None:
    cell = graded(ERROR, error("AssertionError", "it is 5"))
    cell.metadata[LIMIT] = {"touched": "the text of a Box"}
    assert judged(cell) == (FAILED, "it is 5")
    assert "remark" not in cell.metadata[VERDICT]


def test_an_answer_below_an_untouched_cell_is_pointed_out() -> None:
    cell = essay(answered=False)
    cell.metadata[ANSWERED_BELOW] = True
    assert judged(cell) == (TO_MARK, "")
    assert cell.metadata[VERDICT]["remark"] == BELOW
    assert ANSWERED_BELOW not in cell.metadata


@pytest.mark.parametrize(
    ("cell", "outcome"),
    [
        (graded(None), PASSED),
        (graded(None, result("0.5")), PASSED),
        (graded(None, result("0")), FAILED),
        (graded(None, error("ValueError")), FAILED),
        (essay(answered=True), TO_MARK),
        (essay(answered=False), FAILED),
    ],
)
def test_where_stock_nbgrader_graded_its_points_are_the_verdict(
    cell: NotebookNode, outcome: str
) -> None:
    assert recorded(cell) == {"outcome": outcome, "message": ""}


def test_a_recorded_verdict_is_what_was_judged() -> None:
    cell = graded(ERROR, error("ValueError", "no"))
    outcome, message = judged(cell)
    assert recorded(cell) == {"outcome": outcome, "message": message}
    assert recorded(cell) is not cell.metadata[VERDICT]
