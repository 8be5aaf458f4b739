"""Pages to mark by hand, beside the page of the class: one answer at a time, without any script.

    GET  class/mark/LESSON          the cells that a person marks; what waits
    GET  class/mark/LESSON/WORK     one answer: rubric, text, mark, comments used before
    POST class/mark/LESSON/WORK     enter the mark, then go to the next answer

WORK is the code of a submission and the name of a cell. A form is complete when it is shown, so
that nothing typed is lost to a page that still loads. `?names=on` shows names.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from jupyter_server.utils import url_path_join
from nbgrader.coursedir import CourseDirectory
from tornado import web

from autograder.desk.class_base import ClassHandler, Refused
from autograder.desk.marking import (
    Conflict,
    Work,
    answer_of,
    enter_mark,
    in_order,
    points_in,
    read_rubrics,
    read_works,
    used_comments,
)
from autograder.desk.marks import open_gradebook, read_people
from autograder.errors import LessonError
from autograder.grading.course import open_course, require_assignment

CHANGED = (
    "This answer was marked, or handed in again, while you had it open: {}. Nothing was"
    " overwritten. Your own mark and comment are below: save again to enter them instead."
)


class MarkHandler(ClassHandler):
    """The pages to mark on: the cells of a lesson, and one answer."""

    @property
    def names(self) -> str:
        """ "on" where names are shown."""
        return "on" if self.get_argument("names", "off") == "on" else "off"

    def url(self, lesson: str, *parts: str) -> str:
        """Return the address of a page of a lesson."""
        path = url_path_join(self.base_url, "class/mark", *map(quote, (lesson, *parts)))
        return f"{path}?names={self.names}"

    def read_all(self, lesson: str) -> tuple[CourseDirectory, dict[Any, str], list[Work], Any]:
        """Return course, rubrics, answers in this marker's order, and names by student."""
        course = open_course()
        require_assignment(course, lesson)
        rubrics = read_rubrics(course, lesson)
        with open_gradebook(course) as gradebook:
            works = read_works(gradebook, lesson)
            people = {person.id: person.sortable_name for person in read_people(gradebook)}
        return course, rubrics, in_order(works, self.current_user.username), people

    def links(self, lesson: str, works: list[Work], work: Work) -> dict[str, Any]:
        """Return what a page says of the answers around one."""
        others = [one for one in works if one.cell == work.cell]
        place = others.index(work)
        ring = [*others[place + 1 :], *others[:place]]
        after = next((one for one in ring if one.waiting), None)
        return {
            "place": place + 1,
            "count": len(others),
            "left": sum(one.waiting for one in others),
            "next": self.url(lesson, after.code, after.cell) if after else "",
            "overview": self.url(lesson),
        }

    def context(self, lesson: str, code: str, cell: str) -> dict[str, Any]:
        """Return what the page of an answer shows."""
        course, rubrics, works, people = self.read_all(lesson)
        work = find(works, code, cell)
        return {
            "lesson": lesson,
            "work": work,
            "who": people.get(work.student, work.student) if self.names == "on" else "",
            "names": self.names,
            "rubric": rubrics.get((work.notebook, work.cell), "").strip(),
            "answer": answer_of(course, lesson, work),
            "used": [text for text in used_comments(works, cell) if text != work.comment],
            "typed": {"points": work.points, "comment": work.comment},
            "error": "",
            "here": self.url(lesson, code, cell),
            **self.links(lesson, works, work),
        }

    def overview(self, lesson: str) -> dict[str, Any]:
        """Return what the page shows."""
        _, _, works, people = self.read_all(lesson)
        return {
            "lesson": lesson,
            "works": works,
            "cells": list(dict.fromkeys(work.cell for work in works)),
            "people": people if self.names == "on" else {},
            "names": self.names,
            "link": lambda work: self.url(lesson, work.code, work.cell),
        }

    @web.authenticated
    @authorized
    async def get(self, lesson: str, code: str = "", cell: str = "") -> None:
        """Send an answer with its rubric and a form; without a code, how many answers wait."""
        if code:
            await self.show("mark.html.j2", lambda: self.context(lesson, code, cell))
        else:
            await self.show("mark-lesson.html.j2", lambda: self.overview(lesson))

    @web.authenticated
    @authorized
    async def post(self, lesson: str, code: str = "", cell: str = "") -> None:
        """Enter a mark. A conflict or impossible points come back with all that was typed."""
        self.check_xsrf_cookie()  # JupyterHub turns tornado's own, earlier check off
        typed = {"points": self.get_argument("points", ""), "comment": self.comment()}
        seen = self.get_argument("state", "")
        try:
            context = await self.read(lambda: self.enter(lesson, code, cell, typed, seen))
        except Refused as refused:
            self.refuse(refused)
            return
        if context["error"]:
            self.set_status(409)
            self.send("mark.html.j2", context)
        else:
            self.redirect(context["next"] or context["overview"], status=303)

    def comment(self) -> str:
        """Return the comment that was typed, with those that were chosen below it."""
        typed = self.get_argument("comment", "", strip=True).replace("\r\n", "\n")
        chosen = [text.replace("\r\n", "\n") for text in self.get_arguments("used")]
        return "\n\n".join(filter(None, [typed, *(text for text in chosen if text not in typed)]))

    def enter(
        self, lesson: str, code: str, cell: str, typed: dict[str, str], seen: str
    ) -> dict[str, Any]:
        """Enter a mark; return the page of the answer, with `error` where it was not entered."""
        context = self.context(lesson, code, cell)
        work: Work = context["work"]
        try:
            if seen != work.state:
                raise Conflict("its mark or comment is another one now")
            points = points_in(typed["points"], work.max_score)
            with open_gradebook(open_course()) as gradebook:
                enter_mark(gradebook, work, points, typed["comment"])
                gradebook.db.commit()
        except Conflict:
            now = "no mark" if work.points is None else f"{work.points:g} points"
            entry = f"{now}, with the comment “{work.comment}”" if work.comment else now
            return context | {"typed": typed, "error": CHANGED.format(entry)}
        except LessonError as error:
            return context | {"typed": typed, "error": f"Not saved: {error}."}
        return context


def find(works: list[Work], code: str, cell: str) -> Work:
    """Return an answer. Raise LessonError where there is none of this name."""
    for work in works:
        if (work.code, work.cell) == (code, cell):
            return work
    raise LessonError("there is no such answer to mark any more")


ROUTES = [
    (r"/class/mark/([^/]+)", MarkHandler),
    (r"/class/mark/([^/]+)/([^/]+)/([^/]+)", MarkHandler),
]
