"""A real classroom: the hub that `make hub` starts, and people with a browser."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, Page, sync_playwright

from autograder.service.outline import Outline, read_outline
from tests.support.paths import ROOT
from tests.support.processes import free_port

PICTURES = ROOT / "build" / "hub"  # screenshots, to be looked at
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)
AXE = ROOT / "hub" / "node_modules" / "axe-core" / "axe.min.js"
FRONT = ROOT / "autograder/share/jupyter/labextensions/nbgrader-autograder/package.json"
LESSONS = ("02_convolution", "03_counting", "10_coursework")  # of the scenes
SLOW = 60_000  # milliseconds that a page may take on a busy machine


def outline(lesson: str) -> Outline:
    """Return title, points and exercises of a lesson, as My course shows them."""
    return read_outline(ROOT / "release" / lesson / f"{lesson}.ipynb")


class Classroom:
    """A running hub, its folder and its logins."""

    def __init__(self, folder: Path, process: subprocess.Popen[str]) -> None:
        self.folder, self.process = folder, process
        assert process.stdout
        self.output = [process.stdout.readline()]
        assert self.output[0].startswith("Open "), (folder / "hub" / "log").read_text()[-3000:]
        self.address = self.output[0].split()[1]
        self.logins = self.invitations(folder)

    @staticmethod
    def invitations(folder: Path) -> dict[str, Any]:
        """Return the passwords that are to be handed out, by name."""
        return dict(json.loads((folder / "invitations.json").read_text()))

    def password(self, name: str) -> str:
        return str(self.logins[name])

    def home(self, name: str) -> Path:
        return self.folder / "homes" / name

    def stop(self) -> int:
        """Stop the hub as Ctrl-C does; return its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)


@contextmanager
def classroom(folder: Path, *options: str, lessons: Sequence[str] = LESSONS) -> Iterator[Classroom]:
    """A hub as `make hub` starts it, on a free port, with `lessons` released: seconds for each."""
    if shutil.which("npm") is None:
        pytest.fail("the hub needs Debian's packages nodejs and npm (or Node.js of any origin)")
    if not FRONT.exists():
        pytest.fail("the students' front is not built: make system")
    command = [ROOT / "hub" / "classroom.py", "--classroom", folder]
    command += ["--port", str(free_port()), *options]
    command += [f"--release={lesson}" for lesson in lessons]
    with subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Classroom(folder, process)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser that Debian packages."""
    path = shutil.which("chromium")
    if path is None:
        pytest.fail("the proofs in a browser need Debian's package chromium")
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


class Person:
    """A person with a browser context of their own, logged in."""

    def __init__(self, browser: Browser, room: Classroom, name: str) -> None:
        self.room, self.name = room, name
        self.page: Page = browser.new_context(viewport={"width": 1300, "height": 850}).new_page()
        self.page.set_default_timeout(SLOW)
        self.page.goto(f"{room.address}/hub/login?next=/hub/home")
        self.page.fill("#username_input", name)
        self.page.fill("#password_input", room.password(name))
        self.page.click("#login_submit")
        self.page.wait_for_url("**/hub/home")

    def go(self, path: str) -> int:
        """Open an address of the hub; return the status of the response."""
        answer = self.page.goto(f"{self.room.address}{path}")
        assert answer
        return answer.status

    def take_screenshot(self, picture: str) -> None:
        """Save a screenshot, for people to look at."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{picture}.png")


class Student(Person):
    """A student in JupyterLab."""

    def __init__(self, browser: Browser, room: Classroom, name: str) -> None:
        super().__init__(browser, room, name)
        self.go("/hub/spawn")
        self.page.wait_for_url(f"**/user/{name}/lab**")

    def open_lessons(self) -> None:
        """Open JupyterLab where nothing is open: it shows My course."""
        self.go(f"/user/{self.name}/lab?reset")
        self.page.locator(".course-lesson").first.wait_for()

    def button(self, step: str, lesson: str) -> Locator:
        """Return a button of My course."""
        return self.page.get_by_role("button", name=f"{step} {outline(lesson).title}", exact=True)

    def status(self, lesson: str) -> Locator:
        """Return the place where My course says how a lesson stands."""
        row = self.page.get_by_role("listitem", name=outline(lesson).title, exact=True)
        return row.locator(".course-status")

    def dialog(self) -> Locator:
        return self.page.locator(".jp-Dialog-content")

    def fetch(self, lesson: str) -> None:
        self.button("Get", lesson).click()
        self.button("Open", lesson).wait_for()

    def submit(self, lesson: str) -> str:
        """Hand in; return the text of the dialog that asked."""
        before = list(self.inbound(lesson))
        self.button("Hand in", lesson).click()
        self.dialog().locator(".course-facts").wait_for()
        text = str(self.dialog().inner_text())
        self.take_screenshot(f"{self.name}-hand-in")
        self.dialog().get_by_role("button", name="Hand in").click()
        self.page.get_by_text("Download the receipt").wait_for()
        assert len(list(self.inbound(lesson))) == len(before) + 1
        return text

    def close_receipt(self) -> None:
        self.dialog().get_by_role("button", name="Close").click()
        self.dialog().wait_for(state="hidden")

    def inbound(self, lesson: str) -> Iterator[Path]:
        """Return the submissions of this student in the exchange."""
        return (self.room.folder / "exchange" / "cnn" / "inbound").glob(f"{self.name}+{lesson}+*")

    def open_notebook(self, lesson: str) -> None:
        self.go(f"/user/{self.name}/lab/tree/{lesson}/{lesson}.ipynb?reset")
        self.page.locator(".jp-Notebook .jp-Cell").first.wait_for()
        self.page.locator(".jp-NotebookPanel-toolbar .course-validate").wait_for()

    def cell(self, text: str) -> Any:
        """Return the code cell with this text; only cells near the viewport are in the page."""
        cell = self.page.locator(".jp-Notebook .jp-CodeCell", has_text=text).first
        window = self.page.locator(".jp-Notebook .jp-WindowedPanel-outer")
        window.evaluate("it => it.scrollTo(0, 0)")
        end = time.monotonic() + SLOW / 1000
        while not cell.count():
            assert time.monotonic() < end, f"no cell has {text!r}"
            window.evaluate(  # cells that come into view may move the end: from the top again
                """it => it.scrollTop + it.clientHeight < it.scrollHeight - 1
                    ? it.scrollBy(0, 400) : it.scrollTo(0, 0)"""
            )
            self.page.wait_for_function(
                "() => new Promise(done => requestAnimationFrame(() => done(true)))"
            )
        cell.scroll_into_view_if_needed()
        return cell

    def write(self, where: str, source: str) -> None:
        """Type a new source into the cell that contains `where`."""
        self.cell(where).locator(".cm-content").click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.insert_text(source)

    def run(self, text: str) -> Any:
        """Run the code cell with this text, and return it."""
        cell = self.cell(text)
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Control+Enter")
        return cell

    def validate(self) -> str:
        """Press Validate; return the text of the dialog."""
        self.page.locator(".course-validate").click()
        dialog = self.dialog()
        dialog.locator(".course-report").wait_for()
        text = str(dialog.inner_text())
        self.take_screenshot(f"{self.name}-validate")
        dialog.get_by_role("button", name="Ok").click()
        dialog.wait_for(state="hidden")
        return text

    def fetch_feedback(self, lesson: str) -> Path:
        """Open the feedback in My course; return the folder of the newest."""
        self.open_lessons()
        self.button("Feedback", lesson).click()
        self.feedback_page().locator("h1").first.wait_for()
        return max((self.room.home(self.name) / lesson / "feedback").iterdir())

    def feedback_page(self) -> FrameLocator:
        return self.page.frame_locator(".course-feedback iframe")


class Instructor(Person):
    """An instructor on the page of the class and in the formgrader, in a tab of their own."""

    def close(self, lesson: str) -> str:
        """Close a lesson on the page of the class; return the lines of the run."""
        self.go("/services/cnn/class")
        self.page.get_by_role("link", name=f"Close {outline(lesson).title}").click()
        self.page.get_by_role("button", name=f"Close {lesson}").click()
        self.page.get_by_text("It is done").wait_for(timeout=5 * SLOW)
        return str(self.page.get_by_role("log").inner_text())

    def press(self, row: str, column: str) -> str:
        """Press the button in a column of the formgrader's table; return the text of the dialog."""
        self.page.locator(f"tr:has-text('{row}') .{column} a").click()
        modal = self.page.locator(".modal.in")
        modal.wait_for()
        text = str(modal.inner_text())
        modal.get_by_role("button", name="Close").last.click()
        modal.wait_for(state="hidden")
        return text

    def mark_by_hand(self, lesson: str, cell: str, points: float, comment: str) -> None:
        """Enter points and a comment for the first submission of a lesson."""
        self.go(f"/services/cnn/formgrader/gradebook/{lesson}/{lesson}")
        self.page.locator("table a[href*='/submissions/']").first.click()
        self.page.wait_for_function(  # what is typed earlier is lost
            "() => window.formgrader?.grades?.loaded && formgrader.comments?.loaded"
        )
        self.fill(f"input#{cell}", f"{points:g}", "grade")
        self.fill(f"textarea#{cell}-comment", comment, "comment")

    def fill(self, field: str, text: str, resource: str) -> None:
        """Type into a field of the formgrader, which saves it when the field loses focus."""
        self.page.locator(field).fill(text)
        with self.page.expect_response(
            lambda answer: answer.request.method == "PUT" and f"/api/{resource}/" in answer.url
        ) as response:
            self.page.locator(field).press("Tab")
        assert response.value.ok


def violations(page: Page, where: str) -> list[str]:
    """Return the violations that axe-core reports in a part of a page."""
    page.evaluate(AXE.read_text())
    report = page.evaluate(
        "where => axe.run(where, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa']})", where
    )
    return [
        f"{broken['id']}: {broken['help']}: {node['html'][:200]}"
        for broken in report["violations"]
        for node in broken["nodes"]
    ]
