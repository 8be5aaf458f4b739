"""My course in JupyterLab, in scenes: nothing typed is lost, nothing stale is handed in."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from autograder.grading.receipt import digest_of_folder
from tests.support.classroom import FLAGS, Classroom, Student, outline, violations
from tests.support.processes import process_with_command
from tests.support.small_course import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hub")]

LESSON, EXERCISE = "03_counting", "def conv_parameters("
RENAMED = "02_convolution"
EXERCISES = len(outline(LESSON).exercises)
AUTOSAVE = 10  # seconds


@pytest.fixture(scope="module")
def emmy(browser: Browser, room: Classroom) -> Student:
    student = Student(browser, room, "emmy")
    student.open_lessons()
    return student


def newest(student: Student, lesson: str) -> Path:
    """Return the newest hand-in in the exchange."""
    return max(student.inbound(lesson), key=lambda path: path.stat().st_mtime)


def test_a_lesson_is_fetched_and_handed_in_with_the_keyboard_alone(emmy: Student) -> None:
    get = emmy.button("Get", LESSON)
    emmy.page.keyboard.press("Tab")
    while not get.evaluate("it => it === document.activeElement"):
        assert emmy.page.evaluate("document.activeElement.closest('.course-lessons') !== null")
        emmy.page.keyboard.press("Tab")
    emmy.page.keyboard.press("Enter")
    expect(emmy.button("Open", LESSON)).to_be_focused()
    for _ in ("Check", "Hand in"):
        emmy.page.keyboard.press("Tab")
    expect(emmy.button("Hand in", LESSON)).to_be_focused()
    emmy.page.keyboard.press("Enter")
    expect(emmy.dialog().get_by_role("button", name="Hand in")).to_be_focused()
    emmy.page.keyboard.press("Enter")
    emmy.page.get_by_text("Download the receipt").wait_for()
    emmy.page.keyboard.press("Escape")
    emmy.dialog().wait_for(state="hidden")
    expect(emmy.status(LESSON)).to_contain_text("Handed in")
    expect(emmy.status(LESSON)).to_contain_text(f"0 of {EXERCISES} exercises answered")


def test_what_is_typed_and_not_saved_is_handed_in(emmy: Student) -> None:
    emmy.open_notebook(LESSON)
    emmy.write(EXERCISE, "def conv_parameters(channels, filters, f):\n    return 'typed just now'")
    emmy.page.keyboard.press("Control+Shift+C")  # the palette: My course beside the notebook
    emmy.page.keyboard.type("My course")
    emmy.page.keyboard.press("Enter")
    emmy.button("Hand in", LESSON).wait_for()
    asked = emmy.submit(LESSON)
    assert f"1 of {EXERCISES}; still open:" in asked
    assert "This replaces what you handed in" in asked
    arrived = newest(emmy, LESSON)
    assert "typed just now" in (arrived / f"{LESSON}.ipynb").read_text()
    with emmy.page.expect_download() as download:
        emmy.page.get_by_text("Download the receipt").click()
    receipt = download.value.path().read_text()
    assert digest_of_folder(arrived) in receipt
    assert str(emmy.dialog().locator("code").inner_text()) in receipt
    emmy.close_receipt()


def test_a_renamed_notebook_goes_in_under_its_name_or_nothing_does(emmy: Student) -> None:
    emmy.open_lessons()
    emmy.fetch(RENAMED)
    folder = emmy.room.home("emmy") / RENAMED
    mine = (folder / f"{RENAMED}.ipynb").rename(folder / "mine.ipynb")
    asked = emmy.submit(RENAMED)
    assert f"mine.ipynb goes in under the name {RENAMED}.ipynb" in asked
    emmy.close_receipt()
    assert (newest(emmy, RENAMED) / f"{RENAMED}.ipynb").read_bytes() == mine.read_bytes()
    for name in ("one.ipynb", "two.ipynb"):
        shutil.copyfile(mine, folder / name)
    mine.unlink()
    before = list(emmy.inbound(RENAMED))
    emmy.button("Hand in", RENAMED).click()
    expect(emmy.page.get_by_role("status")).to_contain_text(f"{RENAMED}.ipynb is missing")
    assert list(emmy.inbound(RENAMED)) == before


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_axe_finds_nothing_and_nothing_is_cut_off_at_400_pixels(emmy: Student, theme: str) -> None:
    emmy.open_lessons()
    emmy.page.get_by_text("Settings", exact=True).click()
    for entry in ("Theme", theme):
        emmy.page.locator(".lm-Menu").get_by_text(entry, exact=True).click()
    light = str(theme.endswith("Light")).lower()
    emmy.page.locator(f"body[data-jp-theme-light={light}]").wait_for(state="attached")
    emmy.take_screenshot(f"course-{theme.split()[1].lower()}")
    assert violations(emmy.page, ".course-lessons") == []
    emmy.page.set_viewport_size({"width": 400, "height": 800})
    emmy.open_lessons()
    emmy.page.wait_for_function(
        "document.querySelector('.course-lessons').clientWidth > 300"  # the sidebar is closed
    )
    for part in ("html", ".course-lessons"):
        wide = emmy.page.locator(part).evaluate("it => it.scrollWidth > it.clientWidth")
        assert not wide, part
    emmy.take_screenshot(f"course-{theme.split()[1].lower()}-400")
    emmy.button("Hand in", LESSON).click()
    emmy.dialog().locator(".course-facts").wait_for()
    assert violations(emmy.page, ".course-facts") == []
    emmy.dialog().get_by_role("button", name="Cancel").click()
    emmy.page.set_viewport_size({"width": 1300, "height": 850})


def test_no_button_leads_to_a_page_that_is_not_served(emmy: Student) -> None:
    emmy.open_notebook(LESSON)
    assert emmy.page.locator(".jp-NotebookPanel-toolbar").get_by_text("Notebook").count() == 0


def test_a_browser_that_is_killed_takes_no_more_than_ten_seconds_of_work(
    browser: Browser, room: Classroom
) -> None:
    mark = "--class=lost-browser"
    lost_browser = browser.browser_type.launch(
        executable_path=shutil.which("chromium"), args=[*FLAGS, mark]
    )
    yann = Student(lost_browser, room, "yann")
    yann.open_lessons()
    yann.fetch(LESSON)
    yann.open_notebook(LESSON)
    saved = room.home("yann") / LESSON / f"{LESSON}.ipynb"
    yann.write(EXERCISE, "def conv_parameters(channels, filters, f):\n    return 'typed'")
    assert wait_until(lambda: "'typed'" in saved.read_text(), AUTOSAVE + 2)
    yann.write("def dense_parameters(", "def dense_parameters(inputs, neurons):\n    return 'run'")
    yann.page.keyboard.press("Shift+Enter")
    assert wait_until(lambda: "'run'" in saved.read_text(), 3)
    process = process_with_command(mark)
    assert process
    process.kill()
    process.wait(20)
    assert "'run'" in saved.read_text()
