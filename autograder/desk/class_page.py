"""The instructor's page, in the hub's service of the course: a Jupyter server extension.

    GET  class                      each lesson at a glance
    GET  class/lesson/NAME          where each student stands
    GET  class/preview/STEP/NAME    what a step would do; STEP is release or close
    POST class/run/STEP/NAME        start it, then go to
    GET  class/run                  its lines, as they come

The pages are HTML without any script, and their policy forbids one: progress is a page that the
server goes on writing. Who may open them is for the server: JupyterHub lets in the instructors'
group alone. A form needs the token of its page, and a page is sent to a window only: a script of
another page on this address, such as one in a student's notebook, cannot read it.
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
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.utils import url_path_join
from markupsafe import Markup, escape
from tornado import web
from tornado.iostream import StreamClosedError

from autograder.desk.close import ClosePlan, plan_close
from autograder.desk.publish import ReleasePlan, plan_release
from autograder.desk.runs import Runs
from autograder.desk.standing import LessonState, Standing, read_state
from autograder.errors import GraderError, LessonError, UsageError, one_line
from autograder.grading.course import open_course
from autograder.grading.deadlines import read_deadlines
from autograder.grading.late import duration

log = logging.getLogger(__name__)
T = TypeVar("T")
PLANS: dict[str, Callable[..., ReleasePlan | ClosePlan]] = {
    "release": plan_release,
    "close": plan_close,
}
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none';"
    " frame-ancestors 'none'"
)
PROGRESS = "<!--lines-->"  # where the lines of a run go
NAME = r"([^/]+)"
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
            self.set_status(409)
            name, context = "class-refused.html.j2", {"reason": str(refused)}
        self.send(name, context)

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


class Overview(ClassHandler):
    """Each lesson at a glance."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Send all lessons with their counts."""
        await self.show("class.html.j2", lambda: {"lessons": read_state(open_course())})


class OneLesson(ClassHandler):
    """Where each student stands in one lesson."""

    @web.authenticated
    @authorized
    async def get(self, lesson: str) -> None:
        """Send the students of a lesson."""
        await self.show("class-lesson.html.j2", lambda: lesson_page(lesson))


class Preview(ClassHandler):
    """What a step would do."""

    @web.authenticated
    @authorized
    async def get(self, step: str, lesson: str) -> None:
        """Send the plan of a step, with the button that starts it."""
        await self.show(
            "class-preview.html.j2",
            lambda: {"step": step, "plan": PLANS[step](open_course(), lesson)},
        )


class Start(ClassHandler):
    """Starts a step."""

    @web.authenticated
    @authorized
    async def post(self, step: str, lesson: str) -> None:
        """Start a step that was confirmed, and go to its lines."""
        self.check_xsrf_cookie()  # JupyterHub turns tornado's own, earlier check off
        try:
            await self.read(lambda: read_state(open_course(), [lesson]))
        except Refused as refused:
            raise web.HTTPError(404, "no such lesson") from refused
        self.runs.start(step, lesson)
        self.redirect(url_path_join(self.base_url, "/class/run"), status=303)


class Lines(ClassHandler):
    """The lines of the last step, as they come."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Send the lines of the last run; the page goes on until it has ended."""
        self.require_window()
        run = self.runs.last
        if run is None:
            self.redirect(url_path_join(self.base_url, "/class"))
            return
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Accel-Buffering", "no")  # a proxy in between passes on what there is
        head, _, tail = self.page("class-run.html.j2", {}).partition(PROGRESS)
        try:
            self.write(head)
            async for line in run.follow():
                self.write(f"<li>{escape(line)}</li>\n" if line else "\n")
                await self.flush()
            self.finish(tail_of(tail, run.status))
        except StreamClosedError:  # the window was closed: the run goes on
            return


def in_turn(function: Callable[[], T]) -> T:
    """Return what a function returns, while no other request reads the course."""
    with one_at_a_time:
        return function()


def lesson_page(lesson: str) -> dict[str, Any]:
    """Return what the page of a lesson shows."""
    (state,) = read_state(open_course(), [lesson])
    return {"lesson": state, "state_of": lambda one: state_text(state, one)}


def state_text(lesson: LessonState, one: Standing) -> str:
    """Return in words where a student stands."""
    if one.is_pending:
        where = "handed in, not collected" if one.is_new else "collected, not graded"
        return f"{where}: {one.problem}" if one.problem else where
    if one.mark is not None:
        return "to be marked by hand" if one.mark.to_mark else "graded"
    if one.is_started is None:
        return "nothing handed in"
    return "started" if one.is_started else "not started"


def tail_of(tail: str, status: int | None) -> str:
    """Return the end of the page of a run, which says how it ended."""
    endings = {
        0: "It is done.",
        1: "It is done, but not for all: the lines above name whom, and why.",
    }
    return tail.replace("<!--end-->", endings.get(status or 0, "It could not be done: see above."))


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


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    base = server.web_app.settings["base_url"]
    server.web_app.settings["class_runs"] = Runs(Path.cwd())
    step = f"({'|'.join(PLANS)})"
    routes = [
        (r"/class/?", Overview),
        (rf"/class/lesson/{NAME}", OneLesson),
        (rf"/class/preview/{step}/{NAME}", Preview),
        (rf"/class/run/{step}/{NAME}", Start),
        (r"/class/run", Lines),
    ]
    server.web_app.add_handlers(
        ".*$", [(url_path_join(base, path), handler) for path, handler in routes]
    )
