"""What the instructor's pages have in common: who may see them, their policy, errors as a page.

The pages are HTML without any script, and their policy forbids one. A form needs the token of its
page, and a page is sent to a window only: a script of another page on this address, such as one in
a student's notebook, cannot read it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, TypeVar

from jinja2 import Environment, PackageLoader
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from markupsafe import Markup
from tornado import web

from autograder.desk.runs import Runs
from autograder.errors import GraderError, LessonError, UsageError, one_line
from autograder.grading.deadlines import read_deadlines
from autograder.grading.late import duration

log = logging.getLogger(__name__)
T = TypeVar("T")
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
one_at_a_time = threading.Lock()  # nbgrader's course is configured from the working folder


class ClassHandler(JupyterHandler):
    """A page for instructors."""

    auth_resource = "contents"

    @property
    def content_security_policy(self) -> str:
        """The page's policy: no script, no frame."""
        return POLICY

    @property
    def runs(self) -> Runs:
        """The runs of this server."""
        runs: Runs = self.settings["class_runs"]
        return runs

    def require_window(self) -> None:
        """Refuse what asks for a page without showing it in a window, as a script does."""
        if self.request.headers.get("Sec-Fetch-Dest", "document") != "document":
            raise web.HTTPError(403, "open this page in a window of its own")

    async def read(self, function: Callable[[], T]) -> T:
        """Return what a function returns, in a thread; show what it cannot do as a page."""
        try:
            return await asyncio.to_thread(in_turn, function)
        except (UsageError, LessonError, GraderError) as error:
            raise Refused(str(error)) from None
        except OSError as error:
            log.exception("%s", self.request.path)
            raise Refused(one_line(error)) from None

    async def show(self, name: str, function: Callable[[], dict[str, Any]]) -> None:
        """Send a page of what a function returns, or of why there is none."""
        self.require_window()
        try:
            context = await self.read(function)
        except Refused as refused:
            self.refuse(refused)
        else:
            self.send(name, context)

    def refuse(self, refused: Refused) -> None:
        """Send a page that says what cannot be done."""
        self.set_status(409)
        self.send("class-refused.html.j2", {"reason": str(refused)})

    def page(self, name: str, context: dict[str, Any]) -> str:
        """Return a page as HTML."""
        zone = zone_of_course()
        environment.filters["time"] = lambda when: time_text(when, zone)
        return environment.get_template(name).render(
            base=url_path_join(self.base_url, "/class"),
            formgrader=url_path_join(self.base_url, "/formgrader"),
            run=self.runs.last,
            token=Markup(self.xsrf_form_html()),
            **context,
        )

    def send(self, name: str, context: dict[str, Any]) -> None:
        """Send a page; no browser keeps it, since it names students."""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.finish(self.page(name, context))


class Refused(Exception):
    """What cannot be shown, with one line for the instructor."""


def in_turn(function: Callable[[], T]) -> T:
    """Return what a function returns, while no other request reads the course."""
    with one_at_a_time:
        return function()


def zone_of_course() -> tzinfo:
    """Return the time zone of the course's deadlines; UTC without one, or where it is wrong."""
    try:
        dates = read_deadlines(Path.cwd())
    except UsageError:
        return UTC
    return dates.zone if dates else UTC


def time_text(when: datetime | None, zone: tzinfo) -> str:
    """Return a time as people read it, with its zone."""
    if when is None:
        return ""
    local = (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(zone)
    return f"{local:%d %b %Y, %H:%M} {local.tzname()}"


environment = Environment(
    loader=PackageLoader("autograder.desk"), autoescape=True, trim_blocks=True, lstrip_blocks=True
)
environment.filters["duration"] = duration
