"""Jupyter server extension: My course and Validate for learners, Autograde for instructors.

It handles the URLs of nbgrader's own extensions. Jupyter loads extensions in the order of their
names, so this one, `autograder.service.extension`, takes precedence. Both handlers run in threads,
outside the server's event loop. The fork server starts at its first use, and is shut down when it
has been idle for IDLE_SECONDS.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jupyter_server.utils import url_path_join
from nbgrader.coursedir import CourseDirectory
from nbgrader.server_extensions.formgrader.apihandlers import AutogradeHandler
from nbgrader.server_extensions.formgrader.base import check_notebook_dir, check_xsrf
from nbgrader.server_extensions.validate_assignment.handlers import ValidateAssignmentHandler
from tornado import web

from autograder.errors import GraderError, LessonError, UsageError
from autograder.execution.execute import local_executor
from autograder.grading.coordinator import GradingRequest, grade
from autograder.grading.course import imports_of, prepare
from autograder.sandbox.fork_client import shared_server
from autograder.service.course_api import ROUTES
from autograder.service.validate import validate

log = logging.getLogger(__name__)
IDLE_SECONDS = 300.0


class SharedForkServer:
    """The fork server, for one job at a time; shut down after it was idle for `idle_seconds`."""

    def __init__(self, idle_seconds: float) -> None:
        self.idle_seconds = idle_seconds
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Keep the fork server running in this context; wait for other jobs first."""
        with self._lock:
            if self._timer:
                self._timer.cancel()
            try:
                yield
            finally:
                self._timer = threading.Timer(self.idle_seconds, self.shutdown)
                self._timer.daemon = True
                self._timer.start()

    def shutdown(self) -> None:
        """Shut down the fork server. Called by the timer."""
        with self._lock:
            shared_server.shutdown()


fork_server = SharedForkServer(IDLE_SECONDS)


class Validate(ValidateAssignmentHandler):
    """Runs a learner's notebook in a fresh kernel, and reports the outcome of its tests."""

    @web.authenticated
    async def post(self) -> None:
        """Handle the button Validate."""
        path = (self.get_json_body() or {}).get("path") or self.get_argument("path", "")
        root = Path(self.root_dir).resolve()
        notebook = (root / path).resolve()
        if not notebook.is_relative_to(root):
            raise web.HTTPError(403, "that is outside of your folder")
        self.finish(json.dumps(await asyncio.to_thread(self.validated, notebook)))

    def validated(self, notebook: Path) -> dict[str, Any]:
        """Return the response of nbgrader's extension, with more fields for our labextension."""
        try:
            with fork_server.in_use():
                return {"success": True, "value": validate(notebook)}
        except (GraderError, LessonError) as error:
            return {"success": False, "value": str(error)}


class Autograde(AutogradeHandler):
    """The formgrader's Autograde, run as `autograder grade`."""

    @web.authenticated
    @check_xsrf  # type: ignore[untyped-decorator]
    @check_notebook_dir  # type: ignore[untyped-decorator]
    async def post(self, assignment_id: str, student_id: str) -> None:
        """Handle the button Autograde of one submission."""
        self.coursedir.parent.load_config_file()
        response = await asyncio.to_thread(autograde, self.coursedir, assignment_id, student_id)
        self.finish(json.dumps(response))


def autograde(course: CourseDirectory, assignment: str, student: str) -> dict[str, Any]:
    """Grade one submission; return the result as the formgrader expects it."""
    try:
        with fork_server.in_use():
            course.config = course.parent.config
            prepare(course, assignment, [student])
            with local_executor(1, imports_of(course, [assignment])) as pool:
                request = GradingRequest(
                    [assignment], {"confined": True}, force=True, students=[student]
                )
                results = grade(course, request, pool)
    except (UsageError, LessonError, GraderError) as error:
        log.info("%s of %s", assignment, student, exc_info=True)
        return {"success": False, "error": str(error), "log": ""}
    lines = "\n".join(f"{result.notebook}: {result.description()}" for result in results)
    if failed := [result.status for result in results if result.was_refused()]:
        return {"success": False, "error": "\n".join(failed), "log": lines}
    return {"success": True, "log": lines}


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": __name__}]


def _load_jupyter_server_extension(server: Any) -> None:
    base = server.web_app.settings["base_url"]
    server.web_app.settings.setdefault("root_dir", server.root_dir)
    submission = r"/formgrader/api/submission/([^/]+)/([^/]+)/autograde"
    routes = [("/assignments/validate", Validate), (submission, Autograde), *ROUTES]
    server.web_app.add_handlers(
        ".*$", [(url_path_join(base, path), handler) for path, handler in routes]
    )
    page = server.web_app.settings.setdefault("page_config_data", {})
    page["courseLessons"] = "true"  # the labextension is silent without this server extension
    page["courseGrading"] = os.environ.get("COURSE_GRADING", "")
