"""Who may have worked too closely: pairs whose answers share what is rare in the class.

    read_answers (autograded/) -> shapes_of -> rarity in the class -> pairs, summed -> similar.html

What the release gave everyone does not count, what many have counts little. The sum over exercises
is of square roots: ten exercises that are alike in part count more than one that is equal.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

from nbgrader.api import Assignment, Gradebook, Notebook, SourceCell
from nbgrader.coursedir import CourseDirectory
from sqlalchemy import select

from autograder.authoring.answer_bank import exercise_named, read_answers
from autograder.desk.bank import earned_all, nbgrader_of, source_of
from autograder.desk.fingerprints import shapes_of, unusual_numbers
from autograder.desk.folders import stage_folder, students_in
from autograder.desk.marks import exercise, read_lessons
from autograder.desk.outcomes import notebooks_in
from autograder.errors import UsageError

MOST_SHARERS = 10  # a shape that more students have is no evidence: they answer alike by nature
WRONG = 2.0  # an error that both make counts so much more
NAMED = 10.0  # the login of another student in an answer, as in a coursework that was copied
MAX_PAIRS = 50  # on the page
Exercise = tuple[str, str]  # lesson, exercise


@dataclass(frozen=True)
class Work:
    """The answer of a student to an exercise, and the tests that it fails."""

    student: str
    source: str
    released: str = ""
    lost: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Alike:
    """What two answers to an exercise share that is rare in the class."""

    exercise: Exercise
    works: tuple[Work, Work]
    weight: float
    shapes: int
    numbers: tuple[str, ...] = ()
    same_wrong: bool = False
    same_text: bool = False


@dataclass
class Pair:
    """Two students, and the exercises in which their answers are alike, the most first."""

    students: tuple[str, str]
    alike: list[Alike] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def weight(self) -> float:
        """What the order of the pairs follows; its value means nothing by itself."""
        return sum(each.weight for each in self.alike) + NAMED * len(self.remarks)


def read_works(
    course: CourseDirectory, gradebook: Gradebook, lessons: Sequence[str]
) -> dict[Exercise, list[Work]]:
    """Return the answers of a class by exercise, from graded work. Raise UsageError without any."""
    names = list(read_lessons(gradebook, lessons))
    released = released_texts(gradebook)
    works: dict[Exercise, list[Work]] = defaultdict(list)
    for student in sorted(students_in(stage_folder(course, "autograded"))):
        for lesson in names:
            folder = stage_folder(course, "autograded", student) / lesson
            for stem, notebook in notebooks_in(folder):
                for name, work in works_in(notebook, student, released, (lesson, stem)):
                    works[lesson, exercise(lesson, stem, name)].append(work)
    if len({work.student for of_class in works.values() for work in of_class}) < 2:
        raise UsageError("fewer than two students have graded work: nothing can be compared")
    return dict(works)


def released_texts(gradebook: Gradebook) -> dict[tuple[str, str, str], str]:
    """Return the released text of each cell: by lesson, notebook and name."""
    rows = gradebook.db.execute(
        select(Assignment.name, Notebook.name, SourceCell.name, SourceCell.source)
        .select_from(SourceCell)
        .join(Notebook, SourceCell.notebook_id == Notebook.id)
        .join(Assignment, Notebook.assignment_id == Assignment.id)
    )
    return {(lesson, notebook, cell): source or "" for lesson, notebook, cell, source in rows}


def works_in(
    notebook: Mapping[str, Any],
    student: str,
    released: Mapping[tuple[str, str, str], str],
    where: tuple[str, str],
) -> Iterator[tuple[str, Work]]:
    """Yield the answers of a graded notebook that differ from the release, by exercise."""
    cells = [cell for cell in notebook["cells"] if isinstance(cell, dict) and nbgrader_of(cell)]
    lost: dict[str, set[str]] = defaultdict(set)
    for cell in cells:
        names = nbgrader_of(cell)
        if names.get("grade") and not names.get("solution") and not earned_all(cell):
            lost[exercise_named(str(names.get("grade_id")))].add(str(names.get("grade_id")))
    for cell in cells:
        name = str(nbgrader_of(cell).get("grade_id"))
        if cell.get("cell_type") != "code" or not nbgrader_of(cell).get("solution"):
            continue
        source, stub = source_of(cell), released.get((*where, name), "").strip()
        if source and source != stub:
            yield name, Work(student, source, stub, frozenset(lost[exercise_named(name)]))


def bank_works(folder: Path, lessons: Iterable[str]) -> dict[Exercise, list[str]]:
    """Return the right answers of the bank by exercise: honest work that is alike by nature."""
    answers: dict[Exercise, list[str]] = defaultdict(list)
    for lesson in sorted(set(lessons)):
        if (path := folder / f"{lesson}.py").is_file():
            for answer in read_answers(path):
                if answer.right:
                    answers[lesson, answer.exercise].append(answer.source)
    return dict(answers)


def pairs_of(
    works: Mapping[Exercise, list[Work]], bank: Mapping[Exercise, list[str]] | None = None
) -> list[Pair]:
    """Return the pairs of a class whose answers share something rare, the most first."""
    students = {work.student for of_class in works.values() for work in of_class}
    pairs: dict[tuple[str, str], Pair] = {}
    for name, of_class in sorted(works.items()):
        for alike in alike_in(name, of_class, (bank or {}).get(name, ())):
            first, second = (work.student for work in alike.works)
            key = (min(first, second), max(first, second))
            pairs.setdefault(key, Pair(key)).alike.append(alike)
        for student, other in sorted(named_in(of_class, students)):
            key = (min(student, other), max(student, other))
            remark = f"{student}'s answer to {name[1]} has the login {other}"
            pairs.setdefault(key, Pair(key)).remarks.append(remark)
    for pair in pairs.values():
        pair.alike.sort(key=lambda each: -each.weight)
    return sorted(
        pairs.values(), key=lambda pair: (-len(pair.remarks), -pair.weight, pair.students)
    )


def named_in(of_class: Sequence[Work], students: set[str]) -> Iterator[tuple[str, str]]:
    """Yield who has the login of whom as a whole text in an answer, as in a coursework.

    A login that several have there, or that was released, is a word of the exercise, such as "max".
    """
    holders: dict[str, set[str]] = defaultdict(set)
    for work in of_class:
        for login in students & (quoted(work.source) - quoted(work.released)):
            holders[login].add(work.student)
    for login, who in holders.items():
        others = who - {login}
        if len(others) == 1:
            yield others.pop(), login


def quoted(source: str) -> set[str]:
    """Return the texts in quotes in a source."""
    return {text for quote in "'\"" for text in source.split(quote)[1::2]}


def alike_in(name: Exercise, of_class: Sequence[Work], bank: Sequence[str]) -> Iterator[Alike]:
    """Yield the pairs of answers to one exercise that share something rare."""
    shapes = [shapes_of(work.source, work.released) for work in of_class]
    numbers = [unusual_numbers(work.source, work.released) for work in of_class]
    sharers: dict[str, list[int]] = defaultdict(list)
    for place, each in enumerate(shapes):
        for shape in each:
            sharers[shape].append(place)
    known = Counted(bank)
    weights: dict[tuple[int, int], float] = defaultdict(float)
    counts: dict[tuple[int, int], int] = defaultdict(int)
    total = len(of_class) + len(bank) + 1
    for shape, places in sharers.items():
        if 2 <= len(places) <= MOST_SHARERS:
            rarity = math.log(total / (len(places) + known.count(shape)))
            for pair in combinations(places, 2):
                weights[pair] += rarity
                counts[pair] += 1
    for (first, second), weight in weights.items():
        works = (of_class[first], of_class[second])
        common = numbers[first] & numbers[second]
        both = tuple(sorted(n for n in common if sum(n in each for each in numbers) == 2))
        same_text = shapes[first] == shapes[second]
        same_wrong = bool(works[0].lost) and works[0].lost == works[1].lost and same_text
        factor = WRONG if same_wrong else 1.0
        yield Alike(
            name,
            works,
            factor * math.sqrt(weight),
            counts[first, second],
            both,
            same_wrong,
            same_text,
        )


class Counted:
    """How many answers of the bank have a shape."""

    def __init__(self, sources: Iterable[str]) -> None:
        self.counts: dict[str, int] = defaultdict(int)
        for source in sources:
            for shape in shapes_of(source):
                self.counts[shape] += 1

    def count(self, shape: str) -> int:
        """Return the number of answers."""
        return self.counts.get(shape, 0)
