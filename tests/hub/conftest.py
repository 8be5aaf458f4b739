"""One hub for all scenes of this folder, and a browser for each module of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.classroom import Classroom, chromium, classroom


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser; its event loop, in which no test may call asyncio.run, ends with the module."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Classroom]:
    """The hub; how it stops is tested with another one, in test_restart.py."""
    with classroom(tmp_path_factory.mktemp("hub") / "classroom") as room:
        yield room
