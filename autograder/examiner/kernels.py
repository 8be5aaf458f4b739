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

from traitlets import Type

from autograder.compat.ipykernel import without_input
from autograder.errors import one_line, printable
from autograder.examiner.codec import CodecError, ExaminerLimit
from autograder.examiner.examiner_side import DELETED, ExaminerEndpoint
from autograder.examiner.free_names import (
    defined_names,
    followed_names,
    free_names,
    globals_of,
    inner_globals,
)
from autograder.examiner.released import ANYTHING
from autograder.examiner.remote_errors import REMOTE
from autograder.examiner.submission_side import SubmissionEndpoint
from autograder.examiner.transport import Transport, TransportClosed
from autograder.sandbox.kernel import Kernel, Shell

# What a notebook with two kernels imports first, and what of it only where torch is imported.
PRELOAD = ("autograder.examiner.kernels",)
PRELOAD_WITH = {"torch": ("autograder.examiner.nets",)}


PATCHED = ("input", "print")  # of Python's: what a test patches is patched for the answers too
REPORT = "examiner"  # key in the metadata of the reply to a test
MAX_REPORT = 500  # characters


class SubmissionKernel(Kernel):
    """Runs the learner's cells."""

    msg_types = [*Kernel.msg_types, "answer_request"]  # noqa: RUF012  # as in ipykernel
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
        self.report: dict[str, str] = {}  # of the last test: see report_of()
        self.definitions: dict[str, str] = {}  # by name: statements of the instructor's
        self.fallbacks: dict[str, str] = {}  # the same, for what cannot be fetched
        self.of_answers: dict[str, str] = {}  # the same, for what is there and cannot be sent
        self.defined: dict[str, tuple[str, Any]] = {}  # what they made
        self.fetched: set[str] = set()
        self.taken: dict[str, Any] = {}  # by name: what was fetched for the current test
        self.globals_read: set[str] = set()  # by functions of the instructor's own answers
        self.test_globals: set[str] = set()  # those of them that tests have bound
        self.of_python: dict[str, Any] = {}  # functions of Python's that a test may patch
        self.pending: set[str] = set()  # names that functions of locked setup cells read

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        """Show a traceback, and note what the error of a test says about the examiner."""
        error = (exc_tuple or sys.exc_info())[1]
        if self.is_test and isinstance(error, BaseException):
            self.report = report_of(error, self.endpoint)
        super().showtraceback(exc_tuple, *args, **kwargs)

    def __course_names__(self, values: dict[str, Any]) -> None:
        """Let names stand for values of the test in the learner's work. Called by course.check."""
        self.endpoint.use(values)

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
            self.pending |= {*globals_of(code), *inner_globals(code)} - defined_names(nodes)
            return
        for name in self.fetched:
            self.user_ns.pop(name, None)
        self.fetched, self.taken, self.of_python = set(), {}, {}
        names = {*free_names(nodes, self.user_ns), *unknown(self.pending, self.user_ns)}
        names |= named_in_main(nodes) - self.user_ns.keys()
        self.supply(names, self.definitions)
        self.fetch(names)
        self.supply(unknown(names, self.user_ns), self.fallbacks)
        unsendable = unknown(names, self.user_ns) & self.endpoint.unsendable
        self.supply(unsendable, self.of_answers)
        followed = followed_names(nodes) | named_in_main(nodes)
        taken = self.fetched & self.user_ns.keys() & followed
        self.taken = {name: self.user_ns[name] for name in taken}
        self.of_python = {name: getattr(builtins, name) for name in PATCHED}
        self.test_globals |= self.globals_read & defined_names(nodes)

    def rebound(self) -> dict[str, Any]:
        """Return what names stand for since the test bound, patched or deleted them."""
        now = {name: self.user_ns.get(name, DELETED) for name in self.taken}
        changed = {name: value for name, value in now.items() if value is not self.taken[name]}
        patched = {name: getattr(builtins, name) for name in self.of_python}
        lent = {name: self.user_ns[name] for name in self.test_globals & self.user_ns.keys()}
        return lent | {n: v for n, v in patched.items() if v is not self.of_python[n]} | changed

    def fetch(self, names: set[str]) -> None:
        """Fetch those names that are not known yet from the submission kernel."""
        wanted = unknown(names, self.user_ns)
        values = self.endpoint.names(sorted(wanted)) if wanted else {}
        self.fetched |= set(values)
        self.user_ns.update(values)

    def supply(self, names: set[str], statements: dict[str, str]) -> None:
        """Define names by statements of the instructor's, with what those need in turn."""
        everything = [ANYTHING] if ANYTHING in statements and unknown(names, self.user_ns) else []
        for name in (*sorted(names & statements.keys()), *everything):
            text = statements[name]
            known = self.defined.get(name)
            if known and known[0] == text:
                self.user_ns[name] = known[1]
                self.fetched.add(name)
            elif name not in self.user_ns:
                self.define(name, text)

    def define(self, name: str, text: str) -> None:
        """Run a statement of the instructor's that defines `name`, unless it fails."""
        before = set(self.user_ns)
        nodes = ast.parse(text).body
        if name != ANYTHING:  # while it runs, so that a circle of functions ends
            self.fetched.add(name)
            self.user_ns[name] = None
        needed = set(free_names(nodes, self.user_ns))
        self.supply(needed, {**self.of_answers, **self.fallbacks, **self.definitions})
        self.fetch(needed)
        try:
            exec(compile(ast.Module(nodes, []), "<released>", "exec"), self.user_ns)
        except Exception:  # it needs what is not here: the learner's own is fetched
            self.user_ns.pop(name, None)
        else:
            for new in {name, *self.user_ns} - before:
                self.fetched.add(new)
            if name != ANYTHING:
                self.defined[name] = text, self.user_ns[name]


def named_in_main(nodes: list[ast.stmt]) -> set[str]:
    """Return the names that a test patches by their paths, such as "__main__.draw"."""
    texts = [n.value for node in nodes for n in ast.walk(node) if isinstance(n, ast.Constant)]
    paths = [text.split(".") for text in texts if isinstance(text, str)]
    return {path[1] for path in paths if path[0] == "__main__" and len(path) > 1}


def report_of(error: BaseException, endpoint: ExaminerEndpoint) -> dict[str, str]:
    """Return what the error of a failed test says about the examiner: one of these, or nothing.

    "limit"    it failed since the examiner cannot do what it asked for
    "touched"  it met what the examiner cannot do, and failed perhaps for that reason
    "invalid"  what the submission kernel sent is invalid, or it closed its socket
    "fault"    the examiner itself failed
    """
    name = getattr(error, "name", None) if isinstance(error, NameError) else None
    if isinstance(error, ExaminerLimit) or name in endpoint.unsendable:
        return {"limit": printable(str(error))[:MAX_REPORT]}
    if isinstance(error, TransportClosed | CodecError) and REMOTE not in vars(error):
        return {"invalid": printable(str(error))[:MAX_REPORT]}
    known = (KeyboardInterrupt, MemoryError, RecursionError)
    if REMOTE not in vars(error) and not isinstance(error, known) and is_ours(error):
        return {"fault": one_line(error)}
    if limits := [*endpoint.limits, *sorted(endpoint.unsendable)]:
        return {"touched": printable("; ".join(limits))[:MAX_REPORT]}
    return {}


def is_ours(error: BaseException) -> bool:
    """Return whether an exception was raised by the grader's own code."""
    trace, name = error.__traceback__, ""
    while trace is not None:
        name, trace = str(trace.tb_frame.f_globals.get("__name__")), trace.tb_next
    return name.partition(".")[0] == "autograder"


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
        self.shell.endpoint.rebound = self.shell.rebound

    async def do_execute(self, *args: Any, cell_meta: Any = None, **kwargs: Any) -> Any:
        """Run a cell, which is a test if its message says so. Called by ipykernel."""
        self.shell.is_test = bool((cell_meta or {}).get("is_test"))
        self.shell.report = {}
        released = (cell_meta or {}).get("released", {})
        self.shell.definitions = released.get("definitions", {})
        self.shell.fallbacks = released.get("fallbacks", {})
        self.shell.of_answers = released.get("of_answers", {})
        self.shell.globals_read = set(released.get("globals_read", ()))
        self.shell.endpoint.streams = sys.stdout, sys.stderr
        try:
            return await super().do_execute(*args, cell_meta=cell_meta, **kwargs)
        finally:
            if self.shell.is_test:
                self.shell.endpoint.end()

    def finish_metadata(self, parent: Any, metadata: Any, reply_content: Any) -> Any:
        """Return the metadata of the reply to a cell, with the report. Called by ipykernel."""
        metadata = super().finish_metadata(parent, metadata, reply_content)
        return {**metadata, REPORT: self.shell.report}
