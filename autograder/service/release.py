"""Release feedback: the pages that generate_feedback wrote, and no other file of a submission.

nbgrader's own step releases each *.html beside them, also what a learner handed in or an answer
wrote, and ends where one submission has no secret. nbgrader_config.py names this one instead.
"""

from __future__ import annotations

import shutil
from glob import glob
from pathlib import Path

from nbgrader.apps.api import NbGraderAPI
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import ExchangeReleaseFeedback
from nbgrader.utils import notebook_hash
from traitlets.config import Config

from autograder.errors import LessonError, printable
from autograder.grading.course import open_course, sources
from autograder.grading.submissions import SECRET


class ReleaseFeedback(ExchangeReleaseFeedback):
    """nbgrader's release of feedback, for pages of the assignment's notebooks alone.

    A submission of which no feedback can be released is named and harms no other.
    """

    def copy_files(self) -> None:
        """Release the pages of each student. Called by nbgrader."""
        excluded = set(self.coursedir.student_id_exclude.split(","))
        refused = 0
        for folder in sorted(map(Path, glob(self.src_path))):
            student = folder.parent.name
            if student in excluded:
                continue
            try:
                self.release(folder)
            except (OSError, LessonError) as error:
                refused += 1
                self.log.error("%s: not released: %s", student, printable(str(error)))
        if refused:
            self.fail(f"the feedback of {refused} could not be released, that of the others was")

    def release(self, folder: Path) -> None:
        """Release the pages of one student."""
        assignment = self.coursedir.assignment_id
        for source in sources(self.coursedir, assignment):
            name = Path(source).stem
            page = folder / f"{name}.html"
            if not page.is_file():
                continue
            key = notebook_hash(secret=secret_of(folder), notebook_id=name)
            fresh = Path(self.dest_path, f"{key}-tmp.html")
            shutil.copy(page, fresh)
            fresh.rename(Path(self.dest_path, f"{key}.html"))
            self.log.info("Released feedback: %s %s/%s", folder.parent.name, assignment, name)


def secret_of(folder: Path) -> str:
    """Return the secret of a submission: who has it can fetch the feedback.

    Raise LessonError where there is none.
    """
    try:
        secret = (folder / SECRET).read_text("ascii")
    except (OSError, UnicodeDecodeError):
        secret = ""
    if not secret:
        raise LessonError(f"it was handed in without a valid {SECRET}")
    return secret


def course_api(course: CourseDirectory) -> NbGraderAPI:
    """Return nbgrader's API for a course, which releases feedback by ReleaseFeedback.

    A course may name its own step instead. The API sets attributes of its course for the time of a
    call, so it has one of its own, which no other thread sees.
    """
    config = Config(ExchangeFactory={"release_feedback": ReleaseFeedback})
    config.merge(course.config)
    return NbGraderAPI(open_course(), Authenticator(config=config), config=config)
