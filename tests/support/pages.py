"""What a browser would run or load of a page, and what a reader would see."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

MARK = "gotcha"  # stands in each script that a test puts in a submission


class ActiveParts(HTMLParser):
    """Collects what a page runs or loads that contains MARK, or that no ordinary page has."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        if tag in ("iframe", "object", "embed", "svg"):
            self.parts.append(tag)
        for name, value in attrs:
            address = "".join((value or "").split()).lower()
            if name.startswith("on") or address.startswith("javascript:"):
                self.parts.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        while tag in self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        script = self.open[-1:] == ["script"] and MARK in data
        # MathJax makes links of it, except in preformatted text.
        if script or ("\\href" in data and not {"pre", "code"} & {*self.open}):
            self.parts.append(data)

    def handle_comment(self, data: str) -> None:
        if MARK in data:  # browsers end some comments earlier
            self.parts.append(data)


def active_parts(page: str) -> list[str]:
    """Return the active parts of a page; none of a sanitised one."""
    parser = ActiveParts()
    parser.feed(page)
    parser.close()
    return parser.parts


def visible_text(text: str) -> str:
    """Return the text that a reader sees of a page."""
    return html.unescape(re.sub("<[^>]*>", "", text))
