"""A command that the instructor's page starts: its lines, to its end."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from autograder.desk.runs import MAX_LINE, Run, Runs


def run(folder: Path, program: str) -> Run:
    """Return the run of a program of Python's, when it has ended."""

    async def whole() -> Run:
        runs = Runs(folder, [sys.executable, "-c", program])
        started = runs.start("close", "01_filters")
        assert runs.task is not None
        await asyncio.wait_for(runs.task, 30)
        return started

    return asyncio.run(whole())


def test_a_line_that_is_too_long_is_cut_and_the_rest_is_read(tmp_path: Path) -> None:
    # More than a pipe holds: a program that is not read would never end.
    ended = run(tmp_path, "print('x' * 300_000)\nfor k in range(20_000): print(k)\nexit(1)")
    assert (ended.status, ended.lines[1:4]) == (1, ["0", "1", "2"])
    assert ended.lines[0] == "x" * MAX_LINE + " ..."


def test_lines_in_pieces_and_one_without_an_end_are_whole(tmp_path: Path) -> None:
    program = "import os, sys\nfor p in (b'on', b'e\\ntw\\xff', b'o\\n\\nend'): os.write(1, p)"
    assert run(tmp_path, program).lines == ["one", "tw\ufffdo", "", "end"]
