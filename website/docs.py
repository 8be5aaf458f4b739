"""The pages of docs/ by reader, and links between pages that lead out of the repository.

A page keeps its folder, so that its relative links still hold. A link to a file that is no page,
such as a module, becomes plain text: the repository holds the solutions, and the site must not
lead there.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from html import escape
from pathlib import Path
from posixpath import normpath

# Each page of the repository under the reader for whom it was written.
READERS = {
    "students": ("docs/students", "docs/accessibility"),
    "instructors": ("docs/instructors", "docs/desk", "docs/your-course", "docs/privacy"),
    "authors": ("docs/authors", "docs/lecture-map", "docs/examiner", "docs/api-course"),
    "operators": ("docs/deploying", "docs/cluster", "docs/threat-model", "SECURITY"),
    "developers": (
        *("CONTRIBUTING", "docs/architecture", "docs/glossary", "docs/debugging"),
        *("docs/formats", "docs/api-autograder", "docs/upgrading", "docs/releasing"),
        *("CHANGELOG", "ATTRIBUTION", "README"),
    ),
}
PURPOSE = {
    "students": "Where to begin, how to check yourself and hand in, and where your marks are.",
    "instructors": "A class, a term, grading and feedback; this grader for a course of yours.",
    "authors": "How a lesson, its tests and the answers that test them are written.",
    "operators": "A hub, containers, a cluster; what confines submissions, and what does not.",
    "developers": "The grader from within: rooms, processes, formats, versions, releases.",
}
MADE = {"docs/api-course", "docs/api-autograder", "docs/glossary-course"}  # not copied
INSTEAD = {"docs/README.md": "index.md"}
DIAGRAM = re.compile(r"```mermaid\n(.*?)```", re.DOTALL)
LINK = re.compile(r"(!?)\[((?:[^\[\]]|`[^`]*`)*)\]\(([^)\s]+)\)")


def pages() -> list[str]:
    """Return the pages that are copied from the repository."""
    return [page for group in READERS.values() for page in group if page not in MADE]


def reader_page(reader: str) -> str:
    """Return the page that leads a reader to theirs."""
    entries = "\n".join(f"/{page}" for page in READERS[reader])
    return (
        f"# {reader.capitalize()}\n\n{PURPOSE[reader]}\n\n"
        f"```{{toctree}}\n:maxdepth: 2\n\n{entries}\n```\n"
    )


def converted(text: str, page: str, known: Collection[str]) -> str:
    """Return the text of a repository's page with links that hold on the site.

    `page` is its path, and `known` those of all pages and images, relative to the repository.
    """

    def link(match: re.Match[str]) -> str:
        mark, label, target = match.groups()
        if re.match(r"\w+:|#", target):
            return match[0]
        path, hash_sign, anchor = target.partition("#")
        full = normpath(f"{Path(page).parent.as_posix()}/{path}")
        full = INSTEAD.get(full, re.sub(r"^(lessons/\d\d_\w+)\.py$", r"\1.md", full))
        if full not in known:
            return str(label)
        return f"{mark}[{label}](/{full}{hash_sign}{anchor})"

    parts = re.split(r"(```.*?```)", text, flags=re.DOTALL)
    texts = [part if part.startswith("```") else LINK.sub(link, part) for part in parts]
    return DIAGRAM.sub(diagram, "".join(texts))


def diagram(match: re.Match[str]) -> str:
    """Return a diagram for Mermaid, which draws it in the browser."""
    return (
        "```{raw} html\n"
        f'<pre class="mermaid">{escape(match[1])}</pre>\n'
        '<script defer src="../_static/mermaid.min.js"></script>\n'
        '<script defer src="../_static/diagrams.js"></script>\n'
        "```"
    )
