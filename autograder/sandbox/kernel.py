"""What a forked child does to become a kernel, from the fork to the first cell.

look_like_any_kernel -> become_kernel: own seeds -> limits -> ipykernel. Called by
autograder.sandbox.fork_server, which confines the process between the two.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from ipykernel.iostream import OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from jupyter_client.session import Session
from traitlets import DottedObjectName, Type, default

from autograder.examiner import WIRE
from autograder.limits import MESSAGE_BYTES, Limits, set_process_limits

CUT_AT = 10_000  # characters that are left of a text in a message that is too large


class BoundedOutStream(OutStream):
    """A stream that passes on so many characters a cell, says so, and drops the rest.

    The text is cut here, before it is buffered and sent, so that a loop that prints for ever
    costs neither the kernel nor the engine any memory.
    """

    limit = Limits.output_chars
    _left = limit

    def set_parent(self, parent: Any) -> None:
        """Called by ipykernel when a new cell begins."""
        super().set_parent(parent)
        self._left = self.limit

    def write(self, string: str) -> int:
        kept = string[: self._left]
        if len(kept) < len(string) and self._left:
            super().write(f"{kept}\n[output cut after {self.limit:,} characters]\n")
        elif kept or not string:
            super().write(kept)
        self._left -= len(kept)
        return len(string)


class Shell(ZMQInteractiveShell):
    """A shell that keeps and reads no more than it must."""

    @contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        """IPython keeps a second copy of what a cell prints, without a bound."""
        yield

    def showtraceback(self, exc_tuple: Any = None, *given: Any, **named: Any) -> None:
        """IPython shows no hidden frame, but reads its whole source, which outlasts most tests."""
        cut_hidden_end((exc_tuple or sys.exc_info())[2])
        super().showtraceback(exc_tuple, *given, **named)


def cut_hidden_end(trace: TracebackType | None) -> None:
    """End a traceback with its last frame that is not hidden by __tracebackhide__."""
    shown = trace
    while trace:
        names = trace.tb_frame.f_locals  # of a class, or of exec(): whatever a submission made
        if type(names) is not dict or names.get("__tracebackhide__") is not True:
            shown = trace
        trace = trace.tb_next
    if shown:
        shown.tb_next = None


class Kernel(IPythonKernel):
    """IPython's kernel with the shell above."""

    shell_class = Type(Shell)
    _execute_sleep = 0.0  # ipykernel pauses after each cell, for readers at a screen


class BoundedSession(Session):
    """Sends no message that is too large: what would be is cut, and says so."""

    def serialize(self, msg: dict[str, Any], ident: Any = None) -> list[bytes]:
        frames = super().serialize(msg, ident)
        if sum(map(len, frames)) <= MESSAGE_BYTES:
            return frames
        return super().serialize({**msg, "content": shortened(msg["content"])}, ident)

    def send(self, *args: Any, buffers: Any = None, **kwargs: Any) -> Any:
        if sum(len(memoryview(part).cast("B")) for part in buffers or ()) > MESSAGE_BYTES:
            buffers = None
        return super().send(*args, **{**kwargs, "buffers": buffers})


def shortened(value: Any) -> Any:
    """The content of a message with each long text cut, and data in other forms left out."""
    if isinstance(value, str):
        return value if len(value) <= CUT_AT else f"{value[:CUT_AT]}\n[cut: it was too large]"
    if isinstance(value, dict):
        data = value.get("data")
        if isinstance(data, dict) and "text/plain" in data:
            value = {**value, "data": {"text/plain": data["text/plain"]}}
        return {key: shortened(each) for key, each in value.items()}
    return [shortened(each) for each in value[:100]] if isinstance(value, list) else value


class KernelApp(IPKernelApp):
    """The kernel as a program, with all of the above."""

    kernel_class = Type(Kernel)
    outstream_class = DottedObjectName(f"{__name__}.{BoundedOutStream.__name__}")

    @default("session")
    def _session(self) -> Session:
        return BoundedSession(parent=self)


def become_kernel(
    argv: Sequence[str],
    limits: Mapping[str, int],
    on_ready: Callable[[], None] = lambda: None,
    role: str = "",
) -> None:
    """Turn this process into an IPython kernel; returns when the kernel ends.

    `limits` are those of Limits.of_process(); `on_ready` is called when its sockets are bound,
    before it runs a first cell. With a `role` it is one of the two kernels of a notebook
    (autograder.examiner.kernels), and WIRE the socket to the other.
    """
    forget_the_server()
    set_process_limits(limits["memory_mb"], limits["file_mb"], limits.get("processes"))
    BoundedOutStream.limit = limits["output_chars"]
    app = KernelApp.instance()
    if role:
        from autograder.examiner.kernels import KERNELS
        from autograder.examiner.transport import Wire

        app.kernel_class = KERNELS[role]
    app.initialize(list(argv))
    if role:
        app.kernel.join(Wire(WIRE))
    on_ready()
    app.start()


def forget_the_server() -> None:
    """Leave nothing of the server that forked us: streams and the state of dice."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)
    sys.path[:] = ["", *(path for path in sys.path if path != "")]
    import numpy as np

    np.random.seed()  # forked siblings would all draw the same numbers


def look_like_any_kernel(argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Have this process's arguments and environment say what those of any kernel say.

    Also in /proc, which shows the memory where they lay when the server started.
    """
    os.environ.clear()
    os.environ.update(env)
    sys.argv = ["ipykernel_launcher", *argv]
    sys.orig_argv = [sys.executable, "-m", *sys.argv]
    if sys.platform != "linux":
        return
    with open("/proc/self/stat") as stat:
        fields = stat.read().rpartition(")")[2].split()
    arg_start, arg_end, env_start, env_end = map(int, fields[45:49])
    overwrite(arg_start, arg_end, sys.orig_argv)
    overwrite(env_start, env_end, [f"{name}={value}" for name, value in os.environ.items()])


def overwrite(start: int, end: int, words: Sequence[str]) -> None:
    """Write as many of the words as there is room for into memory, and nothing else."""
    text = b""
    for word in map(os.fsencode, words):
        if len(text) + len(word) < end - start:
            text += word + b"\0"
    ctypes.memmove(start, text.ljust(end - start, b"\0"), end - start)
