"""Readers of grades as Canvas and Moodle read them, written from their importers' rules.

Each raises ImportRefused where the platform would; they share no code with what writes the files.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass


class ImportRefused(Exception):
    """The platform takes nothing of the file."""


@dataclass
class CanvasImport:
    """What Canvas would do: scores by title (or id) and student, points of new assignments."""

    scores: dict[str, dict[str, float | str | None]]
    points: dict[str, float]
    missing: list[str]


DROPPED = re.compile(
    "Current Score|Current Points|Current Grade|Final Score|Final Points|Final Grade|Override"
)


def import_to_canvas(
    data: bytes, users: dict[str, tuple[str, str]], known: dict[str, str] | None = None
) -> CanvasImport:
    """Return what Canvas reads.

    `users` are Canvas' own, id and sortable name by login; `known` its assignments, id by title.
    """
    text = data.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(text), delimiter=delimiter_of(text)))
    rows = [[period(value) for value in row] for row in rows if any(v.strip() for v in row)]
    header, *body = rows
    section = section_of(header)
    titles = [title for title in header[section + 1 :] if not DROPPED.search(title)]
    places = {title: header.index(title) for title in titles}  # twice: the first, for both
    names = {title: name_of(title, known or {}) for title in titles}
    scores: dict[str, dict[str, float | str | None]] = {names[title]: {} for title in titles}
    points, missing = {}, []
    for row in body:
        if "Points Possible" in row[0]:
            points = {names[t]: float(row[places[t]]) for t in titles if row[places[t]]}
            continue
        if all(not v.strip() or v.strip() in ("Muted", "Manual Posting") for v in row):
            continue
        user = user_of(header, row, users)
        if user is None:
            missing.append(row[0])
            continue
        for title in titles:
            scores[names[title]][user] = grade_of(row[places[title]])
    return CanvasImport(scores, points, missing)


def delimiter_of(text: str) -> str:
    """Return ; where the first three lines have as many fields with it, and more than with , ."""
    lines = text.split("\n")[:3]
    semicolons, commas = (
        [len(next(csv.reader([line], delimiter=mark), [])) for line in lines] for mark in ";,"
    )
    return ";" if len(set(semicolons)) == 1 and semicolons[0] > commas[0] else ","


def period(value: str) -> str:
    """Return a field as Canvas converts it: a decimal comma becomes a period, in any field."""
    if re.fullmatch(r"-?[0-9.,]+%?", value) and "," in value:
        whole, _, rest = value.rpartition(",") if "." not in value else (value, "", "")
        return f"{whole}.{rest}" if rest else value.replace(",", "")
    return value


def section_of(header: list[str]) -> int:
    """Return the column before the assignments. Raise ImportRefused for an invalid header."""
    names = header[:3] == ["LastName", "FirstName", "ID"]
    if not names and not (len(header) > 3 and "Student" in header[0] and "ID" in header[1]):
        raise ImportRefused("Invalid header row")
    column = 3 if names else 2
    if header[column] == "SIS User ID" and header[column + 1] == "SIS Login ID":
        column += 2
        column += header[column] == "Integration ID"
        column += header[column] == "Root Account"
    elif header[column] == "SIS Login ID":
        column += 1
    if "Section" not in header[column]:
        raise ImportRefused("Invalid header row")
    return column


def name_of(title: str, known: dict[str, str]) -> str:
    """Return the assignment of a column: by the id behind its title, else by its exact title."""
    if match := re.fullmatch(r"(.*)\s\((\d+)\)", title):
        return {number: name for name, number in known.items()}.get(match[2], f"id {match[2]}")
    return title


def user_of(header: list[str], row: list[str], users: dict[str, tuple[str, str]]) -> str | None:
    """Return the login of a student: by id, SIS login or exact name; None where Canvas asks."""
    number = re.match(r"\d*", row[header.index("ID")])
    by_id = {user_id: login for login, (user_id, _) in users.items()}
    if number and number[0] in by_id:
        return by_id[number[0]]
    if "SIS Login ID" in header and (login := row[header.index("SIS Login ID")]) in users:
        return login
    return {name: login for login, (_, name) in users.items()}.get(row[0])


def grade_of(text: str) -> float | str | None:
    """Return a grade: a number, EX, or none: blank, or not assigned."""
    text = text.strip()
    if text in ("", "-", "N/A"):
        return None
    return "EX" if text.upper() == "EX" else float(text)


def import_to_moodle(
    data: bytes,
    key: tuple[str, str],
    users: set[str],
    maximum: float = 100,
    separator: str = ",",
    comma: bool = False,
) -> dict[str, dict[str, float | None]]:
    """Return the grades that Moodle reads, by column and user; `key` is the column, the field.

    Everything is refused for one unknown user or bad grade; a row without a user goes to the row
    before.
    """
    column, _ = key
    header, *rows = csv.reader(io.StringIO(data.decode()), delimiter=separator)
    start = header.index("lastname") + 1
    user, grades = "", {title: dict[str, float | None]() for title in header[start:]}
    for row in rows:
        if value := row[header.index(column)]:
            user = value
        if user not in users:
            raise ImportRefused(f"User mapping error: {user}")
        for place, title in enumerate(header[start:], start):
            if row[place] in ("", "-"):
                grades[title][user] = None
                continue
            text = row[place].replace(",", ".") if comma else row[place]
            if not re.fullmatch(r"-?\d+(\.\d+)?", text):
                raise ImportRefused(f"badgrade: {row[place]}")
            if float(text) > maximum:
                raise ImportRefused(f"gradegrademax: {text}")
            grades[title][user] = float(text)
    return grades


def import_worksheet(
    data: bytes, grades: dict[str, float | None], maximum: float, comma: bool = False
) -> dict[str, float | None]:
    """Return the grades of an assignment after its worksheet was uploaded, by participant."""
    header, *rows = csv.reader(io.StringIO(data.decode("utf-8-sig")))
    for title in ("Identifier", "Grade", "Last modified (grade)"):
        if title not in header:
            raise ImportRefused("invalid grade import")
    after = dict(grades)
    for row in rows:
        identifier = row[header.index("Identifier")][len("Participant ") :]
        text = row[header.index("Grade")].replace(",", ".") if comma else row[header.index("Grade")]
        if identifier not in grades or not text or not 0 <= float(text) <= maximum:
            continue
        after[identifier] = float(text)
    return after
