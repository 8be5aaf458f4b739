"""Predictions that a learner writes down before a run, and what came of each; without marks.

keep("edge", None, "positive", "negative")   replace None by one of the choices, or by a number
compare("edge", "negative")                  "you expected ... / it was ..."
table()                                      all predictions of the notebook so far
"""

from __future__ import annotations

import numbers

__all__ = ["compare", "keep", "table"]

_kept: dict[str, object] = {}  # by question: the guess, None where there is none
_outcomes: dict[str, object] = {}


def keep(question: str, guess: object, *choices: str) -> None:
    """Keep a guess: one of `choices`, or a number where there are none. None keeps nothing.

    Raise ValueError for any other guess.
    """
    if guess is not None:
        if choices and guess not in choices:
            raise ValueError(f"{question}: choose one of {', '.join(map(repr, choices))}")
        if not choices and (isinstance(guess, bool) or not isinstance(guess, numbers.Real)):
            raise ValueError(f"{question}: the guess should be a number, not {guess!r}")
    _kept[question] = guess


def compare(question: str, outcome: object) -> None:
    """Print what was expected and what it was."""
    _outcomes[question] = outcome
    print(_line(question))


def table() -> None:
    """Print each prediction beside its outcome, in the order in which they were kept."""
    for question in dict.fromkeys([*_kept, *_outcomes]):
        print(_line(question))


def _line(question: str) -> str:
    guess = _kept.get(question)
    expected = "you kept no prediction" if guess is None else f"you expected {_text(guess)}"
    if question not in _outcomes:
        return f"{question}: {expected}; not run yet"
    return f"{question}: {expected}, it was {_text(_outcomes[question])}"


def _text(value: object) -> str:
    if isinstance(value, numbers.Real) and not isinstance(value, numbers.Integral):
        return f"{float(value):.3g}"
    return f"{value}"
