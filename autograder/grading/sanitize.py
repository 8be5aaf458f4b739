"""What learners wrote and what their code put out, made inert for whoever opens it.

Feedback and the formgrader show a graded notebook as a page, and nbconvert puts HTML, scripts
and metadata into a page as they are. sanitize_notebook() leaves text, tables and
pictures. bleach cleans HTML, by way of nbconvert's SanitizeHTML; markdown that would become
more than text is shown as it was written.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any
from uuid import uuid4

from nbconvert.filters import markdown2html
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.utils import is_locked

TAGS = frozenset(
    (
        *("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt"),
        *("em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "kbd", "li", "ol", "p", "pre", "s"),
        *("span", "strong", "sub", "summary", "sup", "u", "ul"),
        *("caption", "col", "colgroup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"),
    )
)
# Not to a file of the submission, which the formgrader shows as a page of its own.
LINK = re.compile(r"(?:https?://|mailto:|#)\S*")
ATTRIBUTES = {
    "*": ["class", "style", "title"],
    "a": lambda _, name, value: name == "href" and LINK.fullmatch(value) is not None,
    "table": ["border"],
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
}
MOST = 300_000  # characters of markup in a notebook, and in one of its cells or outputs
LONGEST = 50_000
PICTURES = ("image/png", "image/jpeg")
# The style sheet that pandas puts before each table; what this leaves of another is escaped.
STYLE_SHEET = re.compile(r"<style\b[^>]*>[^<]*</style>", re.I)
# MathJax makes a link of it, also to javascript:.
LINK_IN_MATH = "\\href"

# What nbconvert makes of markdown is written like this; a "<" anywhere else is the learner's.
TAG = re.compile(r'</?([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"<>]*")?)*)\s*/?>', re.I)
ATTRIBUTE = re.compile(r'([a-z-]+)(?:="([^"]*)")?', re.I)
OF_MARKDOWN = {
    "align": re.compile(r"\w+"),
    "alt": re.compile(r".*", re.S),
    "checked": re.compile(""),
    "class": re.compile(r"[\w -]*"),
    "disabled": re.compile(""),
    "href": LINK,
    "id": re.compile(r"\S*"),
    "src": re.compile(r"(?!//)[^:\s\\]*"),  # no picture from elsewhere, which would tell of it
    "start": re.compile(r"\d+"),
    "style": re.compile(r"text-align: ?\w+;?"),
    "title": re.compile(r".*", re.S),
    "type": re.compile("checkbox"),
}


@dataclass
class Room:
    """How much markup of one notebook is still to be cleaned: deep nests take long."""

    left: int = MOST

    def has(self, text: str) -> bool:
        """Whether there is room for this too, which then is taken."""
        self.left -= len(text)
        return len(text) <= LONGEST and self.left >= 0


def sanitize_notebook(notebook: NotebookNode) -> None:
    """Take all from a judged notebook that a page would run, load or obey."""
    room = Room()
    for cell in notebook.cells:
        if not re.fullmatch(r"[\w-]{1,64}", str(cell.get("id"))):
            cell["id"] = uuid4().hex[:8]
        if cell.cell_type == "code":
            count = cell.get("execution_count")
            cell.execution_count = count if isinstance(count, int) else None
            outputs = [sanitized_output(output, room) for output in cell.outputs]
            cell.outputs = [output for output in outputs if output.get("data") != {}]
        elif cell.cell_type == "raw":
            cell.source = html.escape(cell.source)
        elif not is_locked(cell):
            cell.source = sanitized_markdown(cell.source, room)


def sanitized_output(output: NotebookNode, room: Room) -> NotebookNode:
    """An output of the same type that holds only what can be looked at."""
    if output.output_type == "stream":
        name = "stderr" if output.name == "stderr" else "stdout"
        return new_output("stream", name=name, text=str(output.text))
    if output.output_type == "error":
        lines = [str(line) for line in output.traceback]
        return new_output(
            "error", ename=str(output.ename), evalue=str(output.evalue), traceback=lines
        )
    data = {name: sanitized_data(name, value, room) for name, value in output.data.items()}
    kept = {name: value for name, value in data.items() if value}
    more = {
        name: sanitized_metadata(output.metadata.get(name)) for name in PICTURES if name in kept
    }
    inert = new_output(output.output_type, data=kept, metadata=more)
    if output.output_type == "execute_result" and isinstance(output.execution_count, int):
        inert.execution_count = output.execution_count
    return inert


def sanitized_data(kind: str, value: Any, room: Room) -> str:
    """One form of an output; empty where it is better left out."""
    if not isinstance(value, str):
        return ""
    if kind == "text/plain":
        return value
    if kind in PICTURES:
        return value if re.fullmatch(r"[A-Za-z0-9+/=\s]*", value) else ""
    if kind == "text/html":
        value = clean(value) if room.has(value) else ""
        return "" if links_in_math(value) else value
    if kind == "text/markdown":
        return sanitized_markdown(value, room)
    return value if kind == "text/latex" and not links_in_math(value) else ""


def sanitized_metadata(given: Any) -> dict[str, Any]:
    """Of a picture's metadata: its size, and the words for those who cannot see it."""
    known = given if isinstance(given, Mapping) else {}
    size = {name: known[name] for name in ("width", "height") if isinstance(known.get(name), int)}
    return size | ({"alt": str(known["alt"])} if "alt" in known else {})


def clean(text: str) -> str:
    """HTML with tables and words left, and all else shown as text."""
    return str(sanitizer().sanitize_html_tags(STYLE_SHEET.sub("", text)))


@cache
def sanitizer() -> SanitizeHTML:
    """bleach, set up for what courses show."""
    return SanitizeHTML(tags=sorted(TAGS), attributes=ATTRIBUTES)


def sanitized_markdown(text: str, room: Room) -> str:
    """Markdown as it is where it makes nothing but text; else all of it as a block of code."""
    if room.has(text) and is_harmless(text):
        return text
    return "\n".join(f"    {line}" for line in text.splitlines())


@lru_cache(1000)  # most of it is the lesson's, the same in all submissions
def is_harmless(markdown: str) -> bool:
    """Whether what nbconvert makes of it holds no tag, attribute or address that acts."""
    page = markdown2html(markdown)
    rest = TAG.sub(lambda tag: "" if is_known(tag[1], tag[2]) else "<", page)
    return "<" not in rest and not links_in_math(page)


def is_known(tag: str, attributes: str) -> bool:
    """Whether markdown alone can make such a tag."""
    return tag.lower() in {*TAGS, "img", "input"} and all(
        (pattern := OF_MARKDOWN.get(name.lower())) and pattern.fullmatch(html.unescape(value))
        for name, value in ATTRIBUTE.findall(attributes)
    )


def links_in_math(page: str) -> bool:
    """Whether MathJax would make a link."""
    return LINK_IN_MATH in html.unescape(page)
