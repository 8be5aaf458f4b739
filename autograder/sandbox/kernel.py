"""Turn a forked child into a kernel, from the fork to the first cell.

    look_like_any_kernel -> become_kernel: new seeds -> limits -> ipykernel

Called by autograder.sandbox.fork_server, which confines the process between the two.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np
from ipykernel.iostream import OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from jupyter_client.session import Session
from traitlets import DottedObjectName, Int, Type, default
from traitlets.utils.importstring import import_item

from autograder.compat.ipykernel import without_copies, without_pause
from autograder.limits import MAX_WRITTEN_FILES, MESSAGE_BYTES, Limits, set_process_limits
from autograder.sandbox import SOCKET
from autograder.sandbox.messages import MAX_PUNCTUATION, punctuation_in

CUT_AT = 10_000  # characters kept of a text in a message that is too large


class BoundedOutStream(OutStream):
    """A stream that passes on `limit` characters per cell, says so, and drops the rest.

    The text is cut here, before it is buffered and sent, so that a loop that prints forever
    costs neither the kernel nor the grader any memory.
    """

    limit = Limits.output_chars
    _left = limit

    def set_parent(self, parent: Any) -> None:
        """Begin a new cell. Called by ipykernel."""
        super().set_parent(parent)
        self._left = self.limit

    def write(self, string: str) -> int:
        """Pass on what there is room for; return the length of all."""
        kept = string[: self._left]
        if len(kept) < len(string) and self._left:
            super().write(f"{kept}\n[output cut after {self.limit:,} characters]\n")
        elif kept or not string:
            super().write(kept)
        self._left -= len(kept)
        return len(string)


# What f_locals is: a dict, or of a function from Python 3.13 on a proxy.
NAMES = (dict, type((_ for _ in ()).gi_frame.f_locals))  # type: ignore[attr-defined]


@without_copies
class Shell(ZMQInteractiveShell):
    """A shell that keeps no copy of the output and reads no source of hidden frames."""

    def ask_exit(self) -> None:
        """Go on: exit() in a cell is no reason to end the kernel, soon after, in another cell."""

    def showtraceback(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> None:
        """Show a traceback without its hidden end.

        IPython would read the whole source of frames that it then hides: more work than most tests.
        """
        cut_hidden_end((exc_tuple or sys.exc_info())[2])
        super().showtraceback(exc_tuple, *args, **kwargs)


def cut_hidden_end(trace: TracebackType | None) -> None:
    """End a traceback with its last frame that is not hidden by __tracebackhide__."""
    last = trace
    while trace:
        names = trace.tb_frame.f_locals  # of a class, or of exec(): any object of a submission
        if type(names) not in NAMES or names.get("__tracebackhide__") is not True:
            last = trace
        trace = trace.tb_next
    if last:
        last.tb_next = None


@without_pause
class Kernel(IPythonKernel):
    """IPython's kernel with the shell above, which also says what files were written beside it."""

    shell_class = Type(Shell)
    msg_types = [*IPythonKernel.msg_types, "files_request"]  # noqa: RUF012  # as in ipykernel

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.folder = os.getcwd()
        self.files_before = files_under(self.folder)

    async def files_request(self, stream: Any, ident: Any, parent: Any) -> None:
        """Send the files that are new or changed, as far as one message can hold them."""
        names: list[str] = []
        contents: list[bytes] = []
        left_out: list[str] = []
        room = MESSAGE_BYTES
        for name, (size, changed) in sorted(files_under(self.folder).items()):
            if self.files_before.get(name) == (size, changed):
                continue
            if size > room or len(names) == MAX_WRITTEN_FILES:
                left_out.append(name)
                continue
            with contextlib.suppress(OSError), open(os.path.join(self.folder, name), "rb") as file:
                contents.append(file.read(size))
                names.append(name)
                room -= size
        reply = {"status": "ok", "names": names, "left_out": left_out[:MAX_WRITTEN_FILES]}
        session: Any = self.session
        session.send(stream, "files_reply", reply, parent, ident=ident, buffers=contents)


def files_under(folder: str) -> dict[str, tuple[int, int]]:
    """Return size and time of change of the regular files in a folder, by relative path.

    Hidden ones are left out: programs keep their settings there.
    """
    files = {}
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__pycache__"))]
        for name in names:
            path = os.path.join(where, name)
            with contextlib.suppress(OSError):
                status = os.lstat(path)
                if stat.S_ISREG(status.st_mode) and not name.startswith("."):
                    relative = os.path.relpath(path, folder)
                    files[relative] = status.st_size, status.st_mtime_ns
    return files


class BoundedSession(Session):
    """A session that cuts messages which are too large, and says so."""

    def serialize(self, msg: dict[str, Any], ident: Any = None) -> list[bytes]:
        frames = super().serialize(msg, ident)
        is_small = sum(map(len, frames)) <= MESSAGE_BYTES
        if is_small and sum(map(punctuation_in, frames)) <= MAX_PUNCTUATION:
            return frames
        return super().serialize({**msg, "content": shortened(msg["content"])}, ident)

    def send(self, *args: Any, buffers: Any = None, **kwargs: Any) -> Any:
        if sum(len(memoryview(part).cast("B")) for part in buffers or ()) > MESSAGE_BYTES:
            buffers = None
        return super().send(*args, **{**kwargs, "buffers": buffers})


def shortened(value: Any) -> Any:
    """Return the content of a message with long texts cut, and data in other formats left out."""
    if isinstance(value, str):
        return value if len(value) <= CUT_AT else f"{value[:CUT_AT]}\n[cut: it was too large]"
    if isinstance(value, dict):
        data = value.get("data")
        if isinstance(data, dict) and "text/plain" in data:
            value = {**value, "data": {"text/plain": data["text/plain"]}}
        return {key: shortened(each) for key, each in value.items()}
    return [shortened(each) for each in value[:100]] if isinstance(value, list) else value


class KernelApp(IPKernelApp):
    """The kernel as a program, with all of the above. `output_chars` is the limit of a cell."""

    output_chars = Int(Limits.output_chars)
    kernel_class = Type(Kernel)
    outstream_class = DottedObjectName(f"{__name__}.{BoundedOutStream.__name__}")

    @default("session")
    def _session(self) -> Session:
        return BoundedSession(parent=self)

    def load_config_file(self, *_: Any, **__: Any) -> None:
        """Read none: a submission could bring one. Called by IPython."""

    def init_io(self) -> None:
        """Replace the output streams. Called by ipykernel."""
        super().init_io()
        for stream in (sys.stdout, sys.stderr):
            assert isinstance(stream, BoundedOutStream)
            stream.limit = self.output_chars


def become_kernel(
    argv: Sequence[str],
    limits: Mapping[str, int],
    on_ready: Callable[[], None] = lambda: None,
    kernel_class: str = "",
) -> None:
    """Turn this process into an IPython kernel; returns when the kernel ends.

    Nothing of its working folder is read before it is ready: no configuration, no startup file, no
    module. `limits` are those of Limits.of_process(); `on_ready` is called when its sockets are
    bound. `kernel_class` names the class of one of the two kernels of a notebook, which joins the
    other through SOCKET.
    """
    detach_from_server()
    set_process_limits(limits["memory_mb"], limits["file_mb"], limits.get("processes"))
    private = f"{os.path.dirname(argv[argv.index('-f') + 1])}/ipython"
    os.makedirs(private, exist_ok=True)
    app = KernelApp.instance(output_chars=limits["output_chars"], ignore_cwd=True)
    app.ipython_dir = private
    if kernel_class:
        app.kernel_class = import_item(kernel_class)
    app.initialize(list(argv))
    if kernel_class:
        app.kernel.join(SOCKET)
    on_ready()
    app.ignore_cwd = False
    app.init_path()
    app.start()


def detach_from_server() -> None:
    """Drop what was inherited from the server: streams and the state of random generators."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)
    sys.path[:] = [path for path in sys.path if path != ""]  # not before the kernel is ready
    np.random.seed()  # forked siblings would all draw the same numbers


def look_like_any_kernel(argv: Sequence[str], env: Mapping[str, str]) -> None:
    """Give this process the arguments and the environment of any kernel.

    Also in /proc, which shows the memory where they were when the server started.
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
    """Overwrite memory with as many of the words as there is room for, and zeros."""
    text = b""
    for word in map(os.fsencode, words):
        if len(text) + len(word) < end - start:
            text += word + b"\0"
    ctypes.memmove(start, text.ljust(end - start, b"\0"), end - start)
