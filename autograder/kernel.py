"""What a forked child does to become a kernel, from the fork to the first cell.

become_kernel: own environment, own seeds -> limits -> ipykernel. Called by autograder.serve, where
the process is confined before.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from ipykernel.iostream import OutStream
from ipykernel.ipkernel import IPythonKernel
from ipykernel.kernelapp import IPKernelApp
from ipykernel.zmqshell import ZMQInteractiveShell
from traitlets import Type

from autograder.limits import Limits, set_process_limits


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


class ForgetfulShell(ZMQInteractiveShell):
    """A shell that keeps no second copy of what a cell prints (IPython does, without a bound)."""

    @contextmanager
    def _tee(self, channel: str) -> Iterator[None]:
        yield


class Kernel(IPythonKernel):
    """IPython's kernel with the shell above."""

    shell_class = Type(ForgetfulShell)


def become_kernel(
    argv: Sequence[str],
    env: Mapping[str, str],
    limits: Mapping[str, int],
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Turn this process into an IPython kernel; returns when the kernel ends.

    `limits` are those of Limits.of_process(); `on_ready` is called when its sockets are bound,
    before it runs a first cell.
    """
    os.environ.clear()
    os.environ.update(env)
    forget_the_server()
    set_process_limits(limits["memory_mb"], limits["file_mb"])
    BoundedOutStream.limit = limits["output_chars"]
    app = IPKernelApp.instance()
    app.kernel_class = Kernel
    app.outstream_class = f"{__name__}.{BoundedOutStream.__name__}"
    app.initialize(list(argv))
    on_ready()
    app.start()


def forget_the_server() -> None:
    """Leave nothing of the server that forked us: streams, arguments, and the state of dice."""
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    os.close(null)
    sys.argv = ["ipykernel_launcher"]
    sys.path[:] = [path for path in sys.path if path != ""]
    sys.path.insert(0, "")
    import numpy as np

    np.random.seed()  # forked siblings would all draw the same numbers
