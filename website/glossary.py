"""The course glossary as a page whose terms and lessons lead to each other."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from website.lessons import place

ROW = re.compile(r"\| ([^|]+) \| ([^|]+) \| (\d\d) \| ([^|]*)\|")


class Term(NamedTuple):
    """A term, its meaning, the lesson that explains it, and what to read on."""

    name: str
    meaning: str
    lesson: str
    paper: str


def terms_in(page: Path) -> list[Term]:
    """Return the terms of the glossary's table."""
    lines = page.read_text(encoding="utf-8").splitlines()
    matches = filter(None, map(ROW.fullmatch, lines))
    return [Term(*(part.strip() for part in match.groups())) for match in matches]


def page_of(terms: list[Term], titles: Mapping[str, str]) -> str:
    """Return the glossary in alphabetical order; `titles` are those of lessons by number."""
    entries = [entry(term, titles) for term in sorted(terms, key=lambda t: t.name.casefold())]
    return (
        "# Glossary of the course\n\n"
        "The words of the field. Each lesson sets them in bold where it explains them; from there "
        "they lead here, and from here back.\n\n"
        "::::{glossary}\n" + "\n\n".join(entries) + "\n::::\n"
    )


def entry(term: Term, titles: Mapping[str, str]) -> str:
    """Return a term with its meaning and the way to its lesson."""
    paper = f" *{term.paper}.*" if term.paper else ""
    where = f"[Lesson {titles[term.lesson]}](#{place(term.name, term.lesson)})"
    return f"{term.name}\n    {term.meaning} {where}.{paper}"
