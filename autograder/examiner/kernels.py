"""What the two kernels of a notebook add to a forked kernel.

submission kernel   asked by the shell message "answer_request", it answers the requests of a test
                    until the test ends, and replies with what was printed meanwhile
test kernel         a cell whose message has "is_test" in its metadata is a test: names that it
                    lacks are fetched from the submission kernel before it runs, and removed before
                    the next
"""

from __future__ import annotations

import ast
import builtins
import sys
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from traitlets import Type

from autograder.compat.ipykernel import without_input
from autograder.examiner.examiner_side import ExaminerEndpoint
from autograder.examiner.free_names import defined_names, free_names, globals_of
from autograder.examiner.submission_side import SubmissionEndpoint
from autograder.examiner.transport import Transport
from autograder.sandbox.kernel import Kernel, Shell

# What a notebook with two kernels imports first, and what of it only where torch is imported.
PRELOAD = ("autograder.examiner.kernels",)
PRELOAD_WITH = {"torch": ("autograder.examiner.nets",)}


class SubmissionKernel(Kernel):
    """Runs the learner's cells."""

    msg_types = [*IPythonKernel.msg_types, "answer_request"]  # noqa: RUF012  # as in ipykernel
    endpoint: SubmissionEndpoint

    def join(self, socket: int) -> None:
        """Connect to the test kernel. Called before the first cell."""
        shell: Any = self.shell
        self.endpoint = SubmissionEndpoint(Transport(socket), shell.user_ns)
        # Nothing tells a submission this kernel from any other.
        for name in [name for name in sys.modules if name.partition(".")[0] == "autograder"]:
            del sys.modules[name]

    async def answer_request(self, stream: Any, ident: Any, parent: Any) -> None:
        """Answer the requests of a test until it ends."""
        with without_input(self):
            reply = {"status": "ok", "printed": self.endpoint.serve()}
        session: Any = self.session
        session.send(stream, "answer_reply", reply, parent, ident=ident)


class TestShell(Shell):
    """A shell that fetches what a test needs."""

    endpoint: ExaminerEndpoint
    is_test = False  # whether the current cell is a test

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fetched: set[str] = set()
        self.pending: set[str] = set()  # names that functions of locked setup cells read

    async def run_ast_nodes(self, nodelist: list[ast.stmt], *args: Any, **kwargs: Any) -> bool:
        """Return whether a statement of the cell failed. Called by IPython."""
        try:
            self.prepare(nodelist)
        except BaseException as error:  # an interrupt too: shown as any error of a cell
            if result := kwargs.get("result"):
                result.error_in_exec = error
            self.showtraceback()
            return True
        failed: bool = await super().run_ast_nodes(nodelist, *args, **kwargs)
        return failed

    def prepare(self, nodes: list[ast.stmt]) -> None:
        """Note what a locked setup cell will need; for a test, fetch it."""
        if not self.is_test:
            code = compile(ast.Module([*nodes], []), "<cell>", "exec")
            self.pending |= set(globals_of(code)) - defined_names(nodes)
            return
        for name in self.fetched:
            self.user_ns.pop(name, None)
        names = {*free_names(nodes, self.user_ns), *unknown(self.pending, self.user_ns)}
        values = self.endpoint.names(sorted(names)) if names else {}
        self.fetched = set(values)
        self.user_ns.update(values)


def unknown(names: set[str], known: dict[str, Any]) -> set[str]:
    """Return those names that are neither `known` nor Python's own."""
    return {name for name in names if name not in known and not hasattr(builtins, name)}


class TestKernel(Kernel):
    """Runs locked setup cells and test cells."""

    shell_class = Type(TestShell)
    shell: Any

    def join(self, socket: int) -> None:
        """Connect to the submission kernel. Called before the first cell."""
        self.shell.endpoint = ExaminerEndpoint(Transport(socket))

    async def do_execute(self, *args: Any, cell_meta: Any = None, **kwargs: Any) -> Any:
        """Run a cell, which is a test if its message says so. Called by ipykernel."""
        self.shell.is_test = bool((cell_meta or {}).get("is_test"))
        try:
            return await super().do_execute(*args, cell_meta=cell_meta, **kwargs)
        finally:
            if self.shell.is_test:
                self.shell.endpoint.end()
