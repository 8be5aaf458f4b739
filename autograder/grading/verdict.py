"""Verdicts: the outcome of each graded cell, and outputs from which nbgrader reads the same marks.

Only "passed" earns marks; a number that ends a passed cell is its partial mark. nbgrader records
marks by its own rule (nbgrader.utils.determine_grade), which reads only the outputs of a cell, so
judge() makes the outputs agree with the outcome.
"""

from __future__ import annotations

import re

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.utils import determine_grade, is_grade

from autograder.errors import CALL
from autograder.execution.cells import (
    CRASHED,
    ENDED,
    ERROR,
    LIMIT,
    OK,
    OUT_OF_MEMORY,
    TIMED_OUT,
    is_test,
)
from autograder.grading.restore import ANSWERED_BELOW

# Key in a graded cell's metadata: {"outcome": ..., "message": ...}, and perhaps "remark", for the
# instructor.
VERDICT = "verdict"
REMARK = "remark"  # key in a cell's metadata before it is judged
PASSED, FAILED, NOT_RUN = "passed", "failed", "not run"
TO_MARK, NO_RESPONSE = "to be marked", "no response"
# Of a test that says nothing about this answer: the message for the learner, and the remark for
# the instructor.
UNTESTED = "This test could not be run on your answer. Your instructor will mark it."
BELOW = "untouched, but the learner wrote in the cells below it: look there"
TO_PERSON = "its test cannot be run on this answer ({}): mark it by hand"

NO_ANSWER = "There is no answer yet."
MESSAGES = {
    TIMED_OUT: "This took longer than the time limit: does a loop never end?",
    CRASHED: "The kernel died while this ran: what came before was run again, this was not.",
    OUT_OF_MEMORY: "This needed more memory than the limit allows.",
    NOT_RUN: "This was not run: the time limit of the notebook was used up before.",
}
# Why a name that a later test needs may be missing.
LOST = {
    TIMED_OUT: "A cell before this one took longer than the time limit and was stopped.",
    CRASHED: "The kernel died in a cell before this one: what that cell defines is missing.",
    OUT_OF_MEMORY: "A cell before this one needed too much memory and was stopped.",
}
NO_MEMORY = re.compile(r"MemoryError|can't allocate memory|Cannot allocate memory")
# The repr of a NumPy scalar: np.float64(0.5)
NUMPY_NUMBER = re.compile(r"np\.\w+\((.+)\)")
MAX_MESSAGE_CHARS = 500
ANSI = re.compile(r"\x1b\[[0-9;]*m")
RAISED_BY = re.compile(rf"^{CALL}(.+)$", re.MULTILINE)


def judge(notebook: NotebookNode) -> None:
    """Write a verdict into each graded cell of an executed notebook, and settle its outputs."""
    lost = ""
    for cell in notebook.cells:
        if is_grade(cell):
            outcome, message = verdict(cell) if is_test(cell) else by_hand(cell)
            if message.startswith("NameError") and lost:
                message = f"{message}. {lost}"
            remark = cell.metadata.pop(REMARK, "")
            if cell.metadata.pop(ANSWERED_BELOW, False):
                remark = BELOW
            if is_test(cell) and outcome == TO_MARK:
                remark = TO_PERSON.format(cell.metadata[LIMIT]["limit"])
            entry = {"outcome": outcome, "message": message}
            cell.metadata[VERDICT] = entry | ({"remark": remark} if remark else {})
        if is_test(cell):
            settle(cell, outcome, message)
        else:
            lost = LOST.get(cell.metadata.get(ENDED), lost)
    for cell in notebook.cells:
        cell.metadata.pop(ENDED, None)
        cell.metadata.pop(LIMIT, None)


def recorded(cell: NotebookNode) -> dict[str, str]:
    """Return the verdict in a graded cell; derive it from the points if stock nbgrader graded."""
    if VERDICT in cell.metadata:
        return dict(cell.metadata[VERDICT])
    points, _ = determine_grade(cell)
    outcome = TO_MARK if points is None else PASSED if points > 0 else FAILED
    return {"outcome": outcome, "message": ""}


def by_hand(cell: NotebookNode) -> tuple[str, str]:
    """Return outcome and message of a cell that a person marks."""
    if determine_grade(cell)[0] == 0 and ANSWERED_BELOW not in cell.metadata:
        return NO_RESPONSE, ""
    return TO_MARK, ""


def verdict(cell: NotebookNode) -> tuple[str, str]:
    """Return the outcome of an executed test cell, and a message for the learner."""
    ended = cell.metadata.get(ENDED, NOT_RUN)
    error = next((o for o in cell.outputs if o.output_type == "error"), None)
    if ended == ERROR and "limit" in cell.metadata.get(LIMIT, {}):
        return TO_MARK, UNTESTED
    if ended == OK and error is None:
        return verdict_on_passed(cell)
    if ended in (OK, ERROR):
        message = error_text(error)
        if NO_MEMORY.search(message):
            return OUT_OF_MEMORY, MESSAGES[OUT_OF_MEMORY]
        return FAILED, message
    return ended, MESSAGES[ended]


def error_text(error: NotebookNode | None) -> str:
    """Return an error output as one line; of an assertion with a message, only the message."""
    if error is None:
        return "The cell failed without an error message."
    ename, evalue = error.get("ename", ""), error.get("evalue", "").strip()
    if ename == "NotImplementedError" and not evalue:
        return NO_ANSWER
    text = evalue if ename == "AssertionError" and evalue else f"{ename}: {evalue}"
    trace = ANSI.sub("", "\n".join(map(str, error.get("traceback", ()))))
    call = RAISED_BY.search(trace)
    where = f" ({CALL.lower()}{call[1]})" if call else ""
    return shortened(text.removesuffix(": ") + where)


def printed(cell: NotebookNode) -> str:
    """Return what an executed cell printed."""
    return "".join(str(o.get("text", "")) for o in cell.outputs if o.get("name") == "stdout")


def shortened(text: str) -> str:
    """Return a text as one line, without ANSI codes, cut to MAX_MESSAGE_CHARS."""
    text = re.sub(r"\s+", " ", ANSI.sub("", text)).strip()
    return text if len(text) <= MAX_MESSAGE_CHARS else text[:MAX_MESSAGE_CHARS] + "..."


def verdict_on_passed(cell: NotebookNode) -> tuple[str, str]:
    """Return "passed", or "failed" where the cell ends in a number that is not a possible mark.

    The message of a partial mark includes what the test printed: why the rest was lost.
    """
    number = last_number(cell)
    points = float(cell.metadata.nbgrader["points"])
    if number is None or number == points:
        return PASSED, ""
    if 0 <= number < points:
        return PASSED, shortened(f"{number:g} of {points:g} points. {printed(cell)}")
    return FAILED, f"The test gave {number:g} as the mark; one from 0 to {points:g} was expected."


def last_number(cell: NotebookNode) -> float | None:
    """Return the number that ends the cell, None where it ends otherwise."""
    results = [o for o in cell.outputs if o.output_type == "execute_result"]
    try:
        return float(NUMPY_NUMBER.sub(r"\1", results[-1].data["text/plain"])) if results else None
    except (KeyError, ValueError):
        return None


def settle(cell: NotebookNode, outcome: str, message: str) -> None:
    """Make the outputs agree with the outcome: nbgrader takes the first error or number.

    Text on stderr is kept as stdout: a warning is not a failure. A last value is kept only where
    it is a number: nbgrader gives full marks for any other, as it does for no value at all.
    """
    number = last_number(cell)
    kept = [o for o in cell.outputs if o.output_type != "execute_result"]
    for output in kept:
        if output.get("name") == "stderr":
            output["name"] = "stdout"
    if outcome == PASSED and number is not None:
        kept.append(new_output("execute_result", {"text/plain": repr(number)}))
    if outcome == TO_MARK:  # what failed is the examiner: no news for the learner
        kept = [o for o in kept if o.output_type != "error"]
    if outcome != PASSED and not any(o.output_type == "error" for o in kept):
        kept.append(new_output("error", ename=outcome, evalue=message, traceback=[message]))
    cell.outputs = kept
