"""The page of `autograder similar`: pairs in order, their answers side by side. No verdicts."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from autograder.desk.fingerprints import lines_alike
from autograder.desk.folders import replace_file
from autograder.desk.similar import MAX_PAIRS, Alike, Pair
from autograder.errors import UsageError, printable

GENERATOR = '<meta name="generator" content="autograder similar">'
MOST_EXERCISES = 12  # of a pair, side by side
MAX_LINES = 150  # of an answer


@dataclass(frozen=True)
class Side:
    """An answer on the page: its lines, each with whether it is like one of the other answer."""

    student: str
    lines: list[tuple[str, bool]]
    lost: str


def write_page(path: Path, title: str, pairs: Sequence[Pair], people: dict[str, str]) -> None:
    """Write the page; `people` are names by login. Raise UsageError where it cannot be written."""
    environment = Environment(
        loader=PackageLoader("autograder.desk"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    text = environment.get_template("similar.html.j2").render(
        title=title,
        written=f"{datetime.now(UTC):%d %b %Y, %H:%M} UTC",
        generator=Markup(GENERATOR),
        pairs=pairs[:MAX_PAIRS],
        more=max(0, len(pairs) - MAX_PAIRS),
        most=MOST_EXERCISES,
        name_of=lambda login: printable(str(people.get(login, login))),
        sides_of=sides_of,
        evidence_of=evidence_of,
        remark_of=remark_of,
        printable=printable,
    )
    text = re.sub(r"\n\s*\n+", "\n", text) + "\n"
    try:
        if path.exists() and GENERATOR not in path.read_text(errors="replace")[:2000]:
            raise UsageError(f"{path} is another page: choose another name with --to")
        replace_file(path, text.encode("utf-8", "replace"), 0o600)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None


def sides_of(alike: Alike) -> list[Side]:
    """Return both answers as the page has them."""
    first, second = alike.works
    sides = []
    for work, other in ((first, second), (second, first)):
        like = lines_alike(work.source, other.source)
        like -= lines_alike(work.source, work.released) if work.released else frozenset()
        lines = work.source.splitlines()
        visible_lines = [
            (visible(line), number in like) for number, line in enumerate(lines[:MAX_LINES])
        ]
        if len(lines) > MAX_LINES:
            visible_lines.append((f"... and {len(lines) - MAX_LINES} more lines", False))
        sides.append(Side(work.student, visible_lines, ", ".join(sorted(work.lost))))
    return sides


def visible(line: str) -> str:
    """Return a line of an answer, in which no character hides or turns what is written."""
    return printable(line.replace("\t", "    "))


def remark_of(alike: Alike) -> str:
    """Return what two answers to an exercise share, in words."""
    words = [f"{alike.shapes} expressions that few others have"]
    if alike.same_text:
        words = ["the same but for names and comments"]
    if alike.same_wrong:
        lost = ", ".join(sorted(alike.works[0].lost))
        words.append(f"both fail {lost} in the same way")
    if alike.numbers:
        words.append(f"numbers that no other has: {', '.join(alike.numbers[:5])}")
    return printable("; ".join(words))


def evidence_of(pair: Pair) -> str:
    """Return what a pair shares over all exercises, in words."""
    alike = pair.alike
    counts = (
        (sum(each.same_text for each in alike), "the same but for names and comments"),
        (sum(each.same_wrong for each in alike), "with the same error"),
        (sum(bool(each.numbers) for each in alike), "with numbers that no other has"),
    )
    words = [f"{len(alike)} exercises share what is rare"]
    words += [f"{count} {text}" for count, text in counts if count]
    return printable("; ".join([*pair.remarks, *words]))
