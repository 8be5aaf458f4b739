"""The instructor's page, in the hub's service of the course: a Jupyter server extension.

    GET  class                      each lesson at a glance
    GET  class/lesson/NAME          where each student stands
    GET  class/preview/STEP/NAME    what a step would do; STEP is release or close
    POST class/run/STEP/NAME        start it, then go to
    GET  class/run                  its lines, as they come
    class/mark/...                  mark by hand: marking_page

The pages have no script: progress is a page that the server goes on writing. Who may open them is
for the server: JupyterHub lets in the instructors' group alone.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from markupsafe import escape
from tornado import web
from tornado.iostream import StreamClosedError

from autograder.desk.class_base import ClassHandler, Refused
from autograder.desk.close import ClosePlan, plan_close
from autograder.desk.marking_page import ROUTES
from autograder.desk.publish import ReleasePlan, plan_release
from autograder.desk.runs import Runs
from autograder.desk.standing import LessonState, Standing, read_state
from autograder.grading.course import open_course

PLANS: dict[str, Callable[..., ReleasePlan | ClosePlan]] = {
    "release": plan_release,
    "close": plan_close,
}
PROGRESS = "<!--lines-->"  # where the lines of a run go
NAME = r"([^/]+)"


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
        *ROUTES,
    ]
    server.web_app.add_handlers(
        ".*$", [(url_path_join(base, path), handler) for path, handler in routes]
    )
