"""The two kernels of a notebook: what each adds to a forked kernel (autograder.sandbox.kernel).

answers     asked by the shell message "answer_request", it answers the examiner's calls until
            a test is over, and replies with what was printed meanwhile
examiner    a cell whose message says "asks" in its metadata is a test: names that it lacks are
            fetched from the answers' kernel before it runs, and forgotten before the next
"""

from __future__ import annotations

import ast
import builtins
import sys
from typing import Any

from ipykernel.ipkernel import IPythonKernel
from traitlets import Type

from autograder.examiner.free_names import free_names, globals_of, made_names
from autograder.examiner.protocol import Answers, Examiner, part
from autograder.examiner.transport import Wire
from autograder.sandbox.kernel import Kernel, Shell

ANSWERS, EXAMINER = "answers", "examiner"  # roles


class AnswersKernel(Kernel):
    """Runs the answers."""

    msg_types = [*IPythonKernel.msg_types, "answer_request"]  # noqa: RUF012  # as in ipykernel
    peer: Answers

    def join(self, wire: Wire) -> None:
        """Called before the first cell."""
        if "torch" in sys.modules:
            part("state")
        shell: Any = self.shell
        self.peer = Answers(wire, shell.user_ns)
        for name in [name for name in sys.modules if name.partition(".")[0] == "autograder"]:
            del sys.modules[name]  # whoever looks sees a kernel like any other

    async def answer_request(self, stream: Any, ident: Any, parent: Any) -> None:
        """Answer calls until the test is over."""
        self._forward_input(allow_stdin=False)  # nobody is there to answer a question
        try:
            reply = {"status": "ok", "printed": self.peer.serve()}
        finally:
            self._restore_input()
        session: Any = self.session
        session.send(stream, "answer_reply", reply, parent, ident=ident)


class ExaminerShell(Shell):
    """A shell that fetches what a test needs."""

    peer: Examiner
    asks = False  # whether the cell at hand is a test

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.fetched: set[str] = set()
        self.owed: set[str] = set()  # what functions of set-up cells need

    async def run_ast_nodes(self, nodelist: list[ast.stmt], *given: Any, **named: Any) -> bool:
        """Called by IPython with the cell's statements; whether one of them failed."""
        try:
            self.prepare(nodelist)
        except BaseException as error:  # an interrupt too: shown as any error of a cell
            if result := named.get("result"):
                result.error_in_exec = error
            self.showtraceback()
            return True
        failed: bool = await super().run_ast_nodes(nodelist, *given, **named)
        return failed

    def prepare(self, nodes: list[ast.stmt]) -> None:
        """Note what a set-up cell will need; for a test, fetch it."""
        if not self.asks:
            code = compile(ast.Module([*nodes], []), "<cell>", "exec")
            self.owed |= set(globals_of(code)) - made_names(nodes)
            return
        for name in self.fetched:
            self.user_ns.pop(name, None)
        names = {*free_names(nodes, self.user_ns), *free_of(self.owed, self.user_ns)}
        found = self.peer.names(sorted(names)) if names else {}
        self.fetched = set(found)
        self.user_ns.update(found)


def free_of(names: set[str], known: dict[str, Any]) -> set[str]:
    """Those names that are not known."""
    return {name for name in names if name not in known and not hasattr(builtins, name)}


class ExaminerKernel(Kernel):
    """Runs set-up and test cells."""

    shell_class = Type(ExaminerShell)
    shell: Any

    def join(self, wire: Wire) -> None:
        """Called before the first cell."""
        self.shell.peer = Examiner(wire)

    async def do_execute(self, *given: Any, cell_meta: Any = None, **named: Any) -> Any:
        """Run a cell, which is a test if its message says so."""
        self.shell.asks = bool((cell_meta or {}).get("asks"))
        try:
            return await super().do_execute(*given, cell_meta=cell_meta, **named)
        finally:
            if self.shell.asks:
                self.shell.peer.end()


KERNELS = {ANSWERS: AnswersKernel, EXAMINER: ExaminerKernel}
