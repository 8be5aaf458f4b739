"""The table of the coursework (slide 50), one for each student.

    coursework_table(student)   the empty table of a student; the slide's own for the empty id
    belongs(student)            that who handed the coursework in is who its tables were made for

A table is drawn from the student's id alone: the same on every machine and in every year. It is
the slide's net with other sizes, filters, strides and widths. As there, every layer fits, and the
last pool alone has an output size that does not come out even.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence

import pandas as pd

__all__ = ["COLUMNS", "ROWS", "belongs", "coursework_table"]

COLUMNS = ["n", "channels_in", "f", "p", "s", "out", "channels_out"]
COLUMNS += ["neurons", "filter_plus_1", "parameters"]
ROWS = ["Conv1", "Pool1", "Conv2", "Pool2", "Conv3", "Conv4", "Conv5", "Pool3"]
ROWS += ["FC1", "FC2", "Softmax", "Total"]

MAPS, DENSE = ROWS[:8], ROWS[8:11]
CHANNELS, CLASSES = 3, 1000  # a colour image; ImageNet's classes
STUDENT = "STUDENT"  # in the environment: who handed in what is graded

# n; (f, p, s) of each layer of maps; filters of each convolution; neurons of FC1 and FC2
Plan = tuple[int, list[tuple[int, int, int]], list[int], int]
SLIDE_50: Plan = (
    227,
    [(11, 0, 4), (3, 0, 2), (6, 2, 1), (4, 0, 2), (5, 2, 1), (4, 1, 1), (3, 1, 1), (4, 0, 3)],
    [48, 128, 192, 192, 128],
    1600,
)


def coursework_table(student: str) -> pd.DataFrame:
    """The empty table of the coursework for `student`: index ROWS, columns COLUMNS.

    Filled in is what slide 50 gives: n and channels_in of Conv1; f, p, s and channels_out of each
    convolution and pool; neurons of the dense layers. All other cells are None. Capitals and
    spaces around the id do not matter; the empty id has the slide's own table.

    Raises ValueError for an id that is no text.
    """
    n, windows, filters, dense = _plan(_id(student))
    conv1, conv2, conv3, conv4, conv5 = filters
    channels = [conv1, conv1, conv2, conv2, conv3, conv4, conv5, conv5]
    table = pd.DataFrame(None, index=ROWS, columns=COLUMNS, dtype=object)
    table.loc[MAPS, ["f", "p", "s"]] = windows
    table.loc[MAPS, "channels_out"] = channels
    table.loc["Conv1", ["n", "channels_in"]] = n, CHANNELS
    table.loc[DENSE, "neurons"] = dense, dense, CLASSES
    return table.astype(object).where(table.notna(), None)


def belongs(student: str) -> None:
    """AssertionError if `student` is not who handed the work in, as the grader says.

    Where nobody says (on a learner's own machine, or in stock nbgrader) anybody's will do.
    """
    __tracebackhide__ = True
    submitter = os.environ.get(STUDENT, "")
    if submitter and _id(submitter) != _id(student):
        raise AssertionError(
            f"This is the coursework of {student!r}, but {submitter!r} handed it in: each student "
            "has a table of their own, so this part earns nothing."
        )


def _id(student: object) -> str:
    """An id as tables are drawn from it."""
    if not isinstance(student, str):
        raise ValueError(f"an id is a text, like 'ada', not {student!r}")
    return student.strip().casefold()


def _plan(student: str) -> Plan:
    """What a table is made of; the first of those drawn from the id that will do."""
    if not student:
        return SLIDE_50
    dice = _Dice(student)
    while True:
        plan = _draw(dice)
        if _will_do(plan):
            return plan


def _draw(dice: _Dice) -> Plan:
    """Any variant of slide 50, whether or not it will do."""
    windows = [
        (dice.one_of((7, 9, 10, 11, 12)), dice.one_of((0, 0, 1, 2)), dice.one_of((3, 4))),
        (dice.one_of((2, 3, 4)), 0, 2),
        (dice.one_of((5, 6, 7)), dice.one_of((1, 2)), 1),
        (dice.one_of((2, 3, 4)), 0, 2),
        (dice.one_of((3, 4, 5)), dice.one_of((1, 2)), 1),
        (dice.one_of((3, 4)), 1, 1),
        (dice.one_of((2, 3)), 1, 1),
        (dice.one_of((3, 4)), 0, dice.one_of((2, 3))),
    ]
    filters = [dice.one_of(range(low, high, 16)) for low, high in (FEW, SOME, MANY, MANY, SOME)]
    return dice.one_of(range(199, 260)), windows, filters, dice.one_of(range(1200, 2001, 100))


FEW, SOME, MANY = (32, 81), (96, 161), (160, 257)  # filters: from, to


def _will_do(plan: Plan) -> bool:
    """Whether each layer fits, the last pool alone has a rest, and its maps are of a fair size."""
    n, windows, *_ = plan
    rests = []
    for f, p, s in windows:
        if n + 2 * p < f:
            return False
        rests.append((n + 2 * p - f) % s)
        n = (n + 2 * p - f) // s + 1
    return not any(rests[:-1]) and rests[-1] > 0 and 3 <= n <= 5


class _Dice:
    """Numbers that follow from a text, on every machine and in every version of Python."""

    def __init__(self, text: str) -> None:
        self._numbers = self._draw(text)

    @staticmethod
    def _draw(text: str) -> Iterator[int]:
        count = 0
        while True:
            yield from hashlib.sha256(f"{text}:{count}".encode()).digest()
            count += 1

    def one_of(self, choices: Sequence[int]) -> int:
        """One of at most 256 choices."""
        return choices[next(self._numbers) * len(choices) // 256]
