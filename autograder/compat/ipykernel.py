"""What is relied on of ipykernel and IPython."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from autograder.compat.check import Member, check_members

KERNEL = "ipykernel.ipkernel:IPythonKernel"
SHELL = "IPython.core.interactiveshell:InteractiveShell"
MEMBERS = (
    Member(f"{KERNEL}._execute_sleep", "to go on at once after a cell"),
    Member(f"{KERNEL}._forward_input", "to refuse input() during a test", ("self", "allow_stdin")),
    Member(f"{KERNEL}._restore_input", "to allow input() after a test", ("self",)),
    Member(f"{KERNEL}.msg_types", "to add a message"),
    Member("ipykernel.kernelapp:IPKernelApp.init_io", "to bound its output", ("self",)),
    Member("ipykernel.iostream:OutStream.set_parent", "to begin a new bound", ("self", "parent")),
)
SHELL_MEMBERS = (
    Member(f"{SHELL}._tee", "to keep no second copy of the output", ("self", "channel")),
    Member(f"{SHELL}.run_ast_nodes", "to fetch what a test needs", ("self", "nodelist")),
    Member(f"{SHELL}.showtraceback", "to cut hidden frames off", ("self", "exc_tuple")),
)
check_members("ipykernel", MEMBERS)
check_members("ipython", SHELL_MEMBERS)

Class = TypeVar("Class", bound=type)


def without_pause(kernel_class: Class) -> Class:
    """Return a kernel class, changed: ipykernel pauses after each cell, for readers at a screen."""
    kernel_class._execute_sleep = 0.0  # type: ignore[attr-defined]  # a trait of ipykernel's
    return kernel_class


def without_copies(shell_class: Class) -> Class:
    """Return a shell class, changed: IPython keeps a copy of what a cell prints, without bound."""

    @contextmanager
    def tee(self: Any, channel: str) -> Iterator[None]:
        yield

    shell_class._tee = tee  # type: ignore[attr-defined]  # a method of IPython's
    return shell_class


@contextmanager
def without_input(kernel: Any) -> Iterator[None]:
    """Refuse input() in this context: it would wait for an answer that cannot come."""
    kernel._forward_input(allow_stdin=False)
    try:
        yield
    finally:
        kernel._restore_input()
