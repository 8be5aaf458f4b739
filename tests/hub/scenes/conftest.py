"""One hub and one browser for all scenes of this folder; after it, Playwright's event loop ends."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.classroom import Classroom, chromium, classroom


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="package")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    """The hub; the last test of test_hub.py stops it."""
    with classroom(tmp_path_factory.mktemp("hub") / "classroom") as room:
        yield room
