"""What a browser would do with a page, and what a reader would see of it."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

MARK = "gotcha"  # stands in each script that a test puts in a submission


class Acts(HTMLParser):
    """Finds what a page runs or loads that speaks of MARK, or that no page has of itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        if tag in ("iframe", "object", "embed", "svg"):
            self.found.append(tag)
        for name, value in attrs:
            address = "".join((value or "").split()).lower()
            if name.startswith("on") or address.startswith("javascript:"):
                self.found.append(f"{tag} {name}={value}")

    def handle_endtag(self, tag: str) -> None:
        while tag in self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        script = self.open[-1:] == ["script"] and MARK in data
        # MathJax makes links of it, but for text that stands as it is.
        if script or ("\\href" in data and not {"pre", "code"} & {*self.open}):
            self.found.append(data)

    def handle_comment(self, data: str) -> None:
        if MARK in data:  # browsers end some comments sooner
            self.found.append(data)


def acts(page: str) -> list[str]:
    """What of a page acts; empty where it is inert."""
    parser = Acts()
    parser.feed(page)
    parser.close()
    return parser.found


def words(text: str) -> str:
    """What a reader sees of a page."""
    return html.unescape(re.sub("<[^>]*>", "", text))
