"""Questions on earlier lessons at the head of a lesson: numbers of a learner's own, and the mark.

numbers(name, (5, 9))     whole numbers that depend on the name alone: the same on every machine
mark(replies, expected)   the share of right replies; the reasons for the others are printed
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

__all__ = ["mark", "numbers"]


def numbers(name: str, *ranges: tuple[int, int]) -> list[int]:
    """Return one whole number from each of `ranges` (first, last), drawn by `name`.

    Case and spaces around the name do not matter. Raise ValueError for a name that is no text, or
    an empty one.
    """
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"a name is a text, like 'ada', not {name!r}")
    digest = hashlib.sha256(name.strip().casefold().encode()).digest()
    return [
        first + digest[place % len(digest)] % (last - first + 1)
        for place, (first, last) in enumerate(ranges)
    ]


def mark(replies: object, expected: Mapping[str, tuple[object, str]]) -> float:
    """Return the share of right replies, from 0 to 1, and print what was wrong about the others.

    `expected` maps a question to its answer and to the reason, which the learner reads.
    """
    if not isinstance(replies, Mapping):
        raise AssertionError(f"The replies should be a dictionary, they are {replies!r}.")
    wrong = [key for key, (value, _) in expected.items() if replies.get(key) != value]
    for key in wrong:
        value, reason = expected[key]
        print(f"{key}: {replies.get(key)!r}, {value!r} was expected. {reason}")
    return round(1 - len(wrong) / len(expected), 2)
