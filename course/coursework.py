"""The table of the coursework (slide 50), one for each student.

    coursework_table(student)   the empty table of a student; the slide's own for the empty id
    belongs(student)            an assertion: the tables were made for the student who submitted

A table depends on the student's id alone: it is the same on every machine and in every year. It is
the slide's network with other sizes, filters, strides and widths. As there, every layer fits, and
only the last pool has an output size that is not a whole number before rounding.
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
STUDENT = "STUDENT"  # environment variable: the id of the student whose submission is graded

# n; (f, p, s) of each layer of maps; filters of each convolution; neurons of FC1 and FC2
Plan = tuple[int, list[tuple[int, int, int]], list[int], int]
SLIDE_50: Plan = (
    227,
    [(11, 0, 4), (3, 0, 2), (6, 2, 1), (4, 0, 2), (5, 2, 1), (4, 1, 1), (3, 1, 1), (4, 0, 3)],
    [48, 128, 192, 192, 128],
    1600,
)


def coursework_table(student: str) -> pd.DataFrame:
    """Return the empty table of the coursework for `student`: index ROWS, columns COLUMNS.

    It holds what slide 50 gives: n and channels_in of Conv1; f, p, s and channels_out of each
    convolution and pool; neurons of the dense layers. All other cells are None. Case and spaces
    around the id do not matter; the empty id gives the slide's own table.

    Raises ValueError for an id that is not a string.
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
    """Raise AssertionError if the grader names another student than `student` as the submitter.

    Where it names none (on a learner's own machine, or in stock nbgrader) any id passes.
    """
    __tracebackhide__ = True
    submitter = os.environ.get(STUDENT, "")
    if submitter and _id(submitter) != _id(student):
        raise AssertionError(
            f"This is the coursework of {student!r}, but {submitter!r} handed it in: each student "
            "has a table of their own, so this part earns nothing."
        )


def _id(student: object) -> str:
    """The normalised form of an id."""
    if not isinstance(student, str):
        raise ValueError(f"an id is a text, like 'ada', not {student!r}")
    return student.strip().casefold()


def _plan(student: str) -> Plan:
    """The numbers of a table: the first valid variant that is drawn for the id."""
    if not student:
        return SLIDE_50
    rng = _Generator(student)
    while True:
        plan = _draw(rng)
        if _is_valid(plan):
            return plan


def _draw(rng: _Generator) -> Plan:
    """A random variant of slide 50, valid or not."""
    windows = [
        (rng.one_of((7, 9, 10, 11, 12)), rng.one_of((0, 0, 1, 2)), rng.one_of((3, 4))),
        (rng.one_of((2, 3, 4)), 0, 2),
        (rng.one_of((5, 6, 7)), rng.one_of((1, 2)), 1),
        (rng.one_of((2, 3, 4)), 0, 2),
        (rng.one_of((3, 4, 5)), rng.one_of((1, 2)), 1),
        (rng.one_of((3, 4)), 1, 1),
        (rng.one_of((2, 3)), 1, 1),
        (rng.one_of((3, 4)), 0, rng.one_of((2, 3))),
    ]
    filters = [rng.one_of(range(low, high, 16)) for low, high in (FEW, SOME, MANY, MANY, SOME)]
    return rng.one_of(range(199, 260)), windows, filters, rng.one_of(range(1200, 2001, 100))


FEW, SOME, MANY = (32, 81), (96, 161), (160, 257)  # filters: from, to


def _is_valid(plan: Plan) -> bool:
    """Whether each layer fits, only the last pool has a remainder, and its maps are 3 to 5 wide."""
    n, windows, *_ = plan
    remainders = []
    for f, p, s in windows:
        if n + 2 * p < f:
            return False
        remainders.append((n + 2 * p - f) % s)
        n = (n + 2 * p - f) // s + 1
    return not any(remainders[:-1]) and remainders[-1] > 0 and 3 <= n <= 5


class _Generator:
    """Random numbers from a string, the same on every machine and in every version of Python."""

    def __init__(self, seed: str) -> None:
        self._numbers = self._draw(seed)

    @staticmethod
    def _draw(seed: str) -> Iterator[int]:
        count = 0
        while True:
            yield from hashlib.sha256(f"{seed}:{count}".encode()).digest()
            count += 1

    def one_of(self, choices: Sequence[int]) -> int:
        """Return one of at most 256 choices."""
        return choices[next(self._numbers) * len(choices) // 256]
