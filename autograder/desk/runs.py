"""A command of the desk that a page has started: its lines, while it runs and afterwards.

It is a process of its own, as on the command line: what it does to the course, or a page that is
closed, ends neither. One runs at a time; the lock of a course also keeps those of a terminal apart.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

MAX_LINES = 5_000  # that are kept of one run
MAX_LINE = 10_000  # characters that are kept of one line
CHUNK = 1 << 16
BEAT_SECONDS = 10.0  # without a line, until a reader is told that it still runs


@dataclass
class Run:
    """A step of a lesson: its lines so far, and its exit status at the end."""

    step: str
    lesson: str
    lines: list[str] = field(default_factory=list)
    status: int | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, line: str) -> None:
        """Keep a line, and wake who waits for it."""
        if len(self.lines) < MAX_LINES:
            self.lines.append(line)
        self.wake()

    def wake(self) -> None:
        """Wake who waits for a change."""
        self.changed.set()
        self.changed = asyncio.Event()

    async def follow(self) -> AsyncIterator[str]:
        """Yield each line as it comes, until the run has ended; "" where it takes long."""
        sent = 0
        while True:
            changed = self.changed
            while sent < len(self.lines):
                sent += 1
                yield self.lines[sent - 1]
            if self.status is not None:
                return
            try:
                await asyncio.wait_for(changed.wait(), BEAT_SECONDS)
            except TimeoutError:
                yield ""


class Runs:
    """The runs of one server: the last one, and whether it has ended."""

    def __init__(self, folder: Path, program: Sequence[str] = ()) -> None:
        self.folder = folder
        self.program = list(program) or [str(Path(sys.executable).with_name("autograder"))]
        self.last: Run | None = None
        self.task: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        """Whether one runs now."""
        return self.last is not None and self.last.status is None

    def start(self, step: str, lesson: str) -> Run:
        """Start a step of a lesson, unless one runs already; return the run of now."""
        if self.last is None or not self.is_busy:
            self.last = Run(step, lesson)
            self.task = asyncio.ensure_future(self.run(self.last))
        return self.last

    async def run(self, run: Run) -> None:
        """Run the command of a step, and keep its lines."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self.program,
                *(run.step, run.lesson),
                cwd=self.folder,
                env={**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            assert process.stdout
            async for line in lines_of(process.stdout):
                run.add(line)
            run.status = await process.wait()
        except OSError as error:
            run.add(f"autograder could not be started: {error.strerror}")
            run.status = 1
        finally:
            run.status = 1 if run.status is None else run.status
            run.wake()


async def lines_of(stream: asyncio.StreamReader) -> AsyncIterator[str]:
    """Yield the lines of a command, of a long one its beginning.

    It is read to its end, whatever it prints: a command that is not read never ends.
    """
    line = b""
    while chunk := await stream.read(CHUNK):
        *ended, line = (line + chunk).split(b"\n")
        for each in ended:
            yield text_of(each)
        line = line[: 2 * MAX_LINE]
    if line:
        yield text_of(line)


def text_of(line: bytes) -> str:
    """Return the text of a line, without what is too much of it."""
    text = line.decode(errors="replace").strip()
    return text if len(text) <= MAX_LINE else f"{text[:MAX_LINE]} ..."
