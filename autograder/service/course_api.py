"""The students' front: what My course asks of the server.

    GET  autograder/lessons    -> {"lessons": [Lesson], "remark": str}
    POST autograder/get        {"lesson"} -> {"lesson"}
    POST autograder/hand-in    {"lesson"} -> Preview; with "confirmed": true -> Receipt
    POST autograder/receipt    {"lesson"} -> Receipt of the newest hand-in
    POST autograder/feedback   {"lesson"} -> Feedback: it is fetched first
    POST autograder/ask        {"lesson", "cell", "category", "words"} -> Asked: a regrade request

What cannot be done is answered by status 409 and {"message": one line for the student}. The work is
done in a thread, one request at a time: the exchange is read and written by one student.
"""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from autograder.errors import GraderError, LessonError, UsageError, one_line
from autograder.service.ask import ask
from autograder.service.exchange import StudentExchange
from autograder.service.hand_in import hand_in, last_receipt, preview
from autograder.service.lessons import lessons, read_feedback

log = logging.getLogger(__name__)
one_at_a_time = threading.Lock()


class CourseHandler(APIHandler):
    """Answers with what a function returns for this student's exchange."""

    auth_resource = "contents"  # who may read and write these may hand them in

    async def answer(self, function: Callable[[StudentExchange], dict[str, Any]]) -> None:
        """Send the result of a function, or one line that says why there is none."""
        root = Path(self.settings["server_root_dir"]).expanduser().resolve()
        try:
            result = await asyncio.to_thread(in_turn, root, function)
        except (LessonError, UsageError, GraderError) as error:
            self.set_status(409)
            result = {"message": str(error)}
        except Exception as error:  # whatever it is, the student reads one line of it
            log.exception("%s", self.request.path)
            self.set_status(500)
            result = {"message": f"The server could not do this: {one_line(error)}"}
        self.finish(json.dumps(result))

    def lesson(self) -> str:
        """Return the name of the lesson that is asked for."""
        name = (self.get_json_body() or {}).get("lesson")
        if not isinstance(name, str) or not name or name in (".", "..") or set("/*+?[") & {*name}:
            raise web.HTTPError(400, "no such lesson")
        return name


def in_turn(root: Path, function: Callable[[StudentExchange], dict[str, Any]]) -> dict[str, Any]:
    """Return what a function returns, while no other request uses the exchange."""
    with one_at_a_time:
        return function(StudentExchange(root))


class Lessons(CourseHandler):
    """The list of lessons."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Send all lessons with their status."""
        await self.answer(listed)


class Get(CourseHandler):
    """Fetches a lesson."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Fetch a lesson into the student's folder."""
        name = self.lesson()
        await self.answer(lambda exchange: fetched(exchange, name))


class HandIn(CourseHandler):
    """Hands in a lesson, after a look at what goes in."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Send what would be handed in; hand it in where that is confirmed."""
        name = self.lesson()
        step = hand_in if (self.get_json_body() or {}).get("confirmed") is True else preview
        await self.answer(lambda exchange: asdict(step(exchange, name)))


class LastReceipt(CourseHandler):
    """Shows the receipt of the newest hand-in again."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Send the receipt of the newest hand-in."""
        name = self.lesson()
        await self.answer(lambda exchange: asdict(last_receipt(exchange, name)))


class Ask(CourseHandler):
    """Sends a regrade request."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Send a request about a graded cell to the instructor."""
        name, body = self.lesson(), self.get_json_body() or {}
        cell, category, words = (str(body.get(key, "")) for key in ("cell", "category", "words"))
        await self.answer(lambda exchange: asdict(ask(exchange, name, cell, category, words)))


class Feedback(CourseHandler):
    """Fetches and sends feedback."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Send the newest feedback on a lesson."""
        name = self.lesson()
        await self.answer(lambda exchange: asdict(read_feedback(exchange, name)))


def fetched(exchange: StudentExchange, name: str) -> dict[str, Any]:
    """Fetch a lesson."""
    exchange.fetch(name)
    return {"lesson": name}


def listed(exchange: StudentExchange) -> dict[str, Any]:
    """Return the list of lessons."""
    rows, remark = lessons(exchange)
    return {"lessons": [asdict(row) for row in rows], "remark": remark}


ROUTES = [
    ("/autograder/lessons", Lessons),
    ("/autograder/get", Get),
    ("/autograder/hand-in", HandIn),
    ("/autograder/receipt", LastReceipt),
    ("/autograder/feedback", Feedback),
    ("/autograder/ask", Ask),
]
