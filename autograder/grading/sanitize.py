"""Sanitise graded notebooks: no active content of a submission reaches a reader's browser.

Feedback and the formgrader show a graded notebook as a page, and nbconvert copies HTML, scripts
and metadata into it unchanged. sanitize_notebook() keeps text, tables and pictures. HTML is cleaned
by bleach, through nbconvert's SanitizeHTML; markdown that would become more than formatted text is
shown as source.
"""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, unquote
from uuid import uuid4

from mistune import HTMLRenderer
from nbconvert.filters import strip_ansi
from nbconvert.filters.markdown_mistune import (
    InvalidNotebook,
    IPythonRenderer,
    MarkdownWithMath,
)
from nbconvert.preprocessors.sanitize import SanitizeHTML
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.utils import is_locked

from autograder.grading.parse import CELL_ID
from autograder.sandbox.messages import PICTURES

TAGS = frozenset(
    (
        *("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt"),
        *("em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "kbd", "li", "ol", "p", "pre", "s"),
        *("span", "strong", "sub", "summary", "sup", "u", "ul"),
        *("caption", "col", "colgroup", "table", "tbody", "td", "tfoot", "th", "thead", "tr"),
    )
)
# No link to a file of the submission: the formgrader would serve it as a page.
LINK = re.compile(r"(?:https?://|mailto:|#)\S*")
# What pandas and nbconvert write. Others have a meaning in the grading page, whose style sheets
# could lay an element over the page.
CLASS = re.compile(
    r"dataframe|anchor-link|highlight( hl-[\w-]+)?|footnotes?|footnote-(ref|back)"
    r"|task-list-item(-checkbox)?|[a-z][a-z0-9]{0,2}"
)
STYLES = (
    *("background-color", "color", "font-style", "font-weight", "text-align", "text-decoration"),
    *("vertical-align", "white-space"),
)
ATTRIBUTES = {
    "*": lambda _, name, value: (
        name in ("style", "title") or (name == "class" and CLASS.fullmatch(value) is not None)
    ),
    "a": lambda _, name, value: name == "href" and LINK.fullmatch(value) is not None,
    "table": ["border"],
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
}
# What is over a bound is shown as its source. The renderers take quadratic time for what is nested
# or never closed, and nothing can interrupt them: hence the bounds on each piece.
MAX_NOTEBOOK_CHARS = 300_000  # of markup
MAX_NOTEBOOK_SECONDS = 5.0  # of work on it
MAX_ITEM_CHARS = 50_000  # of markup in one cell or output
MAX_MARKS = 2_000  # characters with a meaning in markdown
MAX_DEPTH = 100  # of HTML elements
# Formatting that is open where another element begins or ends: left open, HTML opens it again in
# each block that follows.
MAX_FORMATTING = 10
FORMATTING = frozenset(("a", "b", "code", "em", "i", "s", "strong", "u", "big", "font", "nobr"))
FORMATTING |= frozenset(("small", "strike", "tt"))
MARK = re.compile(r"[\\\[<_*`$&]")
OPENED = re.compile(r"<(/?)([a-z!][a-z0-9]*)", re.I)
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]*")
# Names of pasted pictures. Any other could hold a tag, which the look at the rest would not see.
ATTACHMENT_NAME = re.compile(r"[\w .%+~@,-]+")
ATTACHED = re.compile(r"attachment:([\w.%+~@,-]+)")
EMPTY_PICTURE = (  # one transparent pixel
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
# The style sheet that pandas writes before each table. What is left of any other is escaped.
STYLE_SHEET = re.compile(r"<style\b[^>]*>[^<]*</style>", re.I)
# MathJax makes of these links, also to javascript:, styles, classes and ids, or loads extensions.
ACTIVE_MATH = re.compile(r"\\(?:href|style|class|cssId|require|bbox|mmlToken)(?![a-zA-Z])")
# What pygments may colour. Lexers of many other languages take quadratic time for some texts, and
# nothing can interrupt them.
LANGUAGES = ("python", "text")
FENCE = re.compile(r"^((?:[ \t>*+-]|\d+[.)])*(?:`{3,}|~{3,}))[^`\n]*$", re.M)
ESCAPE = "\x1b"  # begins a colour, each of which takes time
MAX_ESCAPES = 5_000
# Of elements of the grading page; its script finds a cell by the cell's name.
PAGE_IDS = ("notebook", "notebook-container", "statusmessage", "toc")

# A tag as nbconvert writes it for markdown; any other "<" is raw HTML of the learner.
TAG = re.compile(r'</?([a-z][a-z0-9]*)((?:\s+[a-z-]+(?:="[^"<>]*")?)*)\s*/?>', re.I)
HTML_ID = re.compile(r'\bid="([^"]*)"')
ATTRIBUTE = re.compile(r'([a-z-]+)(?:="([^"]*)")?', re.I)
OF_MARKDOWN = {
    "align": re.compile(r"\w+"),
    "alt": re.compile(r".*", re.S),
    "checked": re.compile(""),
    "class": CLASS,
    "disabled": re.compile(""),
    "href": LINK,
    "id": re.compile(r"\S*"),
    # A file of the submission: a request to another site would track, one to the hub could act.
    "src": re.compile(r"(?!/)(?!.*(\.\.|%2[ef]|%5c))[^:\s\\?]*", re.I),
    "start": re.compile(r"\d+"),
    "style": re.compile(r"text-align: ?\w+;?"),
    "title": re.compile(r".*", re.S),
    "type": re.compile("checkbox"),
}


@dataclass
class Page:
    """The page of one notebook: what it may still hold, and the ids that its cells have."""

    left: int = MAX_NOTEBOOK_CHARS  # of markup
    seconds: float = MAX_NOTEBOOK_SECONDS  # to clean it
    escapes: int = MAX_ESCAPES
    ids: frozenset[str] = frozenset()

    def take(self, text: str) -> bool:
        """Charge markup; return whether it may be cleaned."""
        self.left -= len(text)
        return len(text) <= MAX_ITEM_CHARS and self.left >= 0 and self.seconds > 0

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Charge the time of this context."""
        began = time.thread_time()
        try:
            yield
        finally:
            self.seconds -= time.thread_time() - began

    def plain(self, text: str) -> str:
        """Return a text with its colours, or without them where there are too many."""
        self.escapes -= text.count(ESCAPE)
        return text if self.escapes >= 0 else str(strip_ansi(text)).replace(ESCAPE, "")


def sanitize_notebook(notebook: NotebookNode) -> None:
    """Remove from a judged notebook, in place, all that a page would run or load."""
    page = Page(ids=frozenset((*PAGE_IDS, *ids_of_cells(notebook))))
    choose_lexer(notebook)
    for cell in notebook.cells:
        name = cell.get("id")
        if not isinstance(name, str) or not CELL_ID.fullmatch(name):
            cell["id"] = uuid4().hex[:8]
        if cell.cell_type == "code":
            count = cell.get("execution_count")
            cell.execution_count = count if isinstance(count, int) else None
            outputs = [sanitized_output(output, page) for output in cell.outputs]
            cell.outputs = [output for output in outputs if output.get("data") != {}]
        elif cell.cell_type == "raw":
            cell.source = html.escape(cell.source)
        else:
            cell["attachments"] = sanitized_attachments(cell)
            if not is_locked(cell):
                cell.source = sanitized_markdown(cell.source, page, cell.attachments)
            if not cell.attachments:
                del cell["attachments"]


def ids_of_cells(notebook: NotebookNode) -> Iterator[str]:
    """Yield the ids that elements of the grading page have for the graded cells of a notebook."""
    for cell in notebook.cells:
        if name := cell.metadata.get("nbgrader", {}).get("grade_id"):
            yield from (name, f"{name}-comment", f"{name}_extra_credit")


def choose_lexer(notebook: NotebookNode) -> None:
    """Set, in place, what colours code: IPython's own lexer takes quadratic time for dots."""
    known = notebook.metadata.get("language_info") or {}
    spec = notebook.metadata.get("kernelspec") or {}
    name = known.get("name") or spec.get("language") or "python"
    lexer = "python" if name == "python" else "text"
    notebook.metadata["language_info"] = {**known, "name": name, "pygments_lexer": lexer}


def sanitized_output(output: NotebookNode, page: Page) -> NotebookNode:
    """Return an output of the same type, without active content."""
    if output.output_type == "stream":
        name = "stderr" if output.name == "stderr" else "stdout"
        return new_output("stream", name=name, text=page.plain(str(output.text)))
    if output.output_type == "error":
        lines = [page.plain(str(line)) for line in output.traceback]
        return new_output(
            "error", ename=str(output.ename), evalue=str(output.evalue), traceback=lines
        )
    data = {name: sanitized_data(name, value, page) for name, value in output.data.items()}
    kept = {name: value for name, value in data.items() if value}
    metadata = {
        name: sanitized_metadata(output.metadata.get(name)) for name in PICTURES if name in kept
    }
    sanitized = new_output(output.output_type, data=kept, metadata=metadata)
    if output.output_type == "execute_result" and isinstance(output.execution_count, int):
        sanitized.execution_count = output.execution_count
    return sanitized


def sanitized_data(mime_type: str, value: Any, page: Page) -> str:
    """Return the sanitised representation of an output in one MIME type; "" to drop it."""
    if not isinstance(value, str):
        return ""
    if mime_type == "text/plain":
        return page.plain(value)
    if mime_type in PICTURES:
        return value if BASE64.fullmatch(value) else ""
    if mime_type == "text/html":
        if not page.take(value) or depth(value) > MAX_DEPTH:
            return ""
        if formatting_around(value) > MAX_FORMATTING:
            return ""
        with page.timed():
            value = clean(value)
        return "" if active_math(value) else value
    if mime_type == "text/markdown":
        return sanitized_markdown(value, page)
    return value if mime_type == "text/latex" and not active_math(value) else ""


def sanitized_metadata(metadata: Any) -> dict[str, Any]:
    """Return of a picture's metadata its size and its text alternative."""
    known = metadata if isinstance(metadata, Mapping) else {}
    size = {name: known[name] for name in ("width", "height") if isinstance(known.get(name), int)}
    return size | ({"alt": str(known["alt"])} if "alt" in known else {})


def clean(text: str) -> str:
    """Return HTML with text and tables kept, and any other tag escaped."""
    return str(sanitizer().sanitize_html_tags(STYLE_SHEET.sub("", text)))


def depth(text: str) -> int:
    """Return how deep HTML is nested at most."""
    most = now = 0
    for tag in OPENED.finditer(text):
        now += -1 if tag[1] else 1
        most = max(most, now)
    return most


def formatting_around(text: str) -> int:
    """Return how much formatting is open at most where another element begins or ends."""
    most = now = 0
    for tag in OPENED.finditer(text):
        if tag[2].lower() not in FORMATTING:
            most = max(most, now)
        else:
            now = max(0, now - 1) if tag[1] else now + 1
    return max(most, now)


@cache
def sanitizer() -> SanitizeHTML:
    """Return bleach, configured with the tags and attributes that are kept."""
    return SanitizeHTML(tags=sorted(TAGS), attributes=ATTRIBUTES, styles=list(STYLES))


def sanitized_attachments(cell: NotebookNode) -> NotebookNode:
    """Return the pictures that were pasted into a cell, and an empty one for each that is missing.

    nbconvert makes no page of a cell that names a picture which it does not have.
    """
    known = cell.get("attachments")
    kept = {}
    for name, entry in known.items() if isinstance(known, Mapping) else ():
        pictures = {
            kind: data
            for kind, data in (entry.items() if isinstance(entry, Mapping) else ())
            if kind in PICTURES and isinstance(data, str) and BASE64.fullmatch(data)
        }
        if pictures:
            kept[str(name)] = NotebookNode(pictures)
    for name in ATTACHED.findall(cell.source):
        for key in {name, unquote(name)} - kept.keys():
            kept[key] = NotebookNode({"image/png": EMPTY_PICTURE})
    return NotebookNode(kept)


def sanitized_markdown(
    text: str, page: Page, attachments: Mapping[str, Any] = MappingProxyType({})
) -> str:
    """Return markdown unchanged where it is harmless; else all of it as a block of code.

    `attachments` are the pictures of its cell, by name.
    """
    text = FENCE.sub(without_language, text)
    checked = text
    for name in filter(ATTACHMENT_NAME.fullmatch, {*attachments, *map(quote, attachments)}):
        checked = checked.replace(f"attachment:{name}", "picture.png")
    if page.take(text) and len(MARK.findall(text)) <= MAX_MARKS:
        with page.timed():
            if is_harmless(checked, page.ids):
                return text
    return "\n".join(f"    {line}" for line in text.splitlines())


def without_language(fence: re.Match[str]) -> str:
    """Return the first line of a block of code, with one of LANGUAGES or none."""
    language = fence[0].removeprefix(fence[1]).strip()
    return fence[0] if language in LANGUAGES else fence[1]


class CheckedRenderer(IPythonRenderer):
    """nbconvert's markdown renderer, for a look at what it would make of a learner's text."""

    def block_code(self, code: str, info: str | None = None) -> str:
        """Return a block of code. Raise InvalidNotebook for one that pygments should not see."""
        if info and info.strip() not in LANGUAGES:
            raise InvalidNotebook(info)
        return str(HTMLRenderer.block_code(self, code, None))


def is_harmless(markdown: str, taken: frozenset[str]) -> bool:
    """Whether nbconvert's HTML for it has no active part, and no id that is taken."""
    page = harmless_page(markdown)
    return page is not None and taken.isdisjoint(HTML_ID.findall(page))


@lru_cache(1000)  # most markdown is the lesson's, the same in all submissions
def harmless_page(markdown: str) -> str | None:
    """Return nbconvert's HTML for it; None if that has an active tag, attribute or URL."""
    try:
        page = str(MarkdownWithMath(renderer=CheckedRenderer(escape=False)).render(markdown))
    except InvalidNotebook:  # of CheckedRenderer, or for a picture that its cell does not have
        return None
    rest = TAG.sub(lambda tag: "" if is_known(tag[1], tag[2]) else "<", page)
    return None if "<" in rest or active_math(page) else page


def is_known(tag: str, attributes: str) -> bool:
    """Whether markdown alone can produce such a tag."""
    return tag.lower() in {*TAGS, "img", "input"} and all(
        (pattern := OF_MARKDOWN.get(name.lower())) and pattern.fullmatch(html.unescape(value))
        for name, value in ATTRIBUTE.findall(attributes)
    )


def active_math(page: str) -> bool:
    """Whether MathJax would produce more than a formula."""
    return ACTIVE_MATH.search(html.unescape(page)) is not None
