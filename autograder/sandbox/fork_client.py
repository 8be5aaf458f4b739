"""The grader's end of a server that starts ready kernels by fork: imports are paid for once.

shared_server.get() -> ForkServer -> start(argv, cwd, ...) -> ForkedProcess   (in any thread)
  | JSON messages over a pipe
autograder.sandbox.fork_server, a process of its own -> kernels
"""

from __future__ import annotations

import atexit
import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import cache
from multiprocessing import Pipe
from typing import Any

from autograder.compat.torch import LAZY_MODULE
from autograder.errors import CompatibilityError

log = logging.getLogger(__name__)
# What every kernel needs.
PRELOAD = (
    "IPython.core.completer",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.magics",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "autograder.sandbox.kernel",
    "faulthandler",
    "ipywidgets",
    "numpy",
    "sqlite3",
    "tornado.platform.asyncio",
)
# What is worth importing too where it is unknown what notebooks will import.
USUAL = ("matplotlib.pyplot", "pandas", "torch", LAZY_MODULE)
# What the server, and so every kernel, may know of the environment: /proc/self/environ keeps it.
# Tokens, paths and names stay outside.
INHERITED = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LD_LIBRARY_PATH",
    "OPENBLAS_CORETYPE",
    "OPENBLAS_L2_SIZE",
    "TZ",
)
# Read when a module is imported, so they must be right before the server imports anything.
SERVER_ENV = {
    "PATH": os.pathsep.join(
        [os.path.dirname(sys.executable), "/usr/local/bin", "/usr/bin", "/bin"]
    ),
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # the debugger warns when it is imported
}

SERVER_MODULE = "autograder.sandbox.fork_server"
PADDING = " " * 200  # a kernel's arguments are written over those of the server


@cache
def scratch_folder() -> str:
    """Return the folder for all that this process writes for kernels and their servers.

    It is removed when the process ends; where that is killed, its server removes it.
    """
    # Short, since the path of a unix socket has 107 bytes; in /tmp, where kernels may have one.
    folder = tempfile.mkdtemp(prefix=f"k-{os.getpid()}-", dir="/tmp")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class ForkedProcess:
    """A kernel that the server started; its methods are those of subprocess.Popen."""

    def __init__(self, server: ForkServer, pid: int) -> None:
        self._server = server
        self.pid = pid  # as the server sees it
        self.returncode: int | None = None
        self.exit_status: Future[int] = Future()  # set when the process has ended

    def poll(self) -> int | None:
        """Return the exit status (negative: the signal that ended it), or None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """Return the exit status, once it has ended or `timeout` seconds have passed."""
        with contextlib.suppress(TimeoutError):
            self.exit_status.result(timeout)
        return self.returncode

    def send_signal(self, signum: int) -> None:
        """Signal the process group, so that what the kernel started receives it too."""
        if self.returncode is None:
            self._server.signal(self.pid, signum)

    def kill(self) -> None:
        """End the process group at once."""
        self.send_signal(signal.SIGKILL)

    def is_confined(self) -> bool:
        """Return whether it runs in namespaces of its own."""
        return not self._server.confinement_error()

    def set_ended(self, status: int) -> None:
        """Called by the server's listener when the process was reaped."""
        self.returncode = os.waitstatus_to_exitcode(status)
        self.exit_status.set_result(self.returncode)


class ForkServer:
    """A server that imports modules, and forks kernels that have them."""

    def __init__(self, confine: bool = True) -> None:
        self._control, theirs = Pipe()
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", SERVER_MODULE, str(theirs.fileno()), PADDING],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**inherited, **SERVER_ENV},
            )
        self._sending = threading.Lock()
        self._dead = False  # set when nothing more will arrive from the server
        self._started: dict[int, ForkedProcess] = {}
        self._replies: list[tuple[threading.Event, dict[str, Any]]] = []
        self._ready = threading.Event()
        self._confinement_error = "the server of kernels did not start"
        first = {"preload": PRELOAD, "hidden": os.getcwd(), "confine": confine}
        self._send({**first, "scratch": scratch_folder()})
        self._listener = threading.Thread(target=self._listen, daemon=True, name="forkserver")
        self._listener.start()

    @property
    def pid(self) -> int:
        """The process id of the server."""
        return self._process.pid

    def preload(
        self, modules: Iterable[str], preload_with: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        """Have the server import `modules` before it starts another kernel.

        `preload_with` names modules to import where another one is imported: {"torch": [...]}.
        """
        companions = {name: sorted(more) for name, more in (preload_with or {}).items()}
        with self._sending:
            self._send({"preload": sorted(modules), "preload_with": companions})

    def is_alive(self) -> bool:
        """Return whether the server still runs."""
        return not self._dead

    def confinement_error(self) -> str:
        """Return why kernels are not confined on this machine; empty where they are."""
        self._ready.wait()
        return self._confinement_error

    def start(
        self,
        argv: Sequence[str],
        cwd: str,
        sockets: str,
        env: Mapping[str, str],
        limits: Mapping[str, int],
        pair: str = "",
        kernel_class: str = "",
    ) -> ForkedProcess:
        """Fork a kernel with the arguments `argv` in the folder `cwd`, or a copy of it.

        `sockets` is the folder of its sockets, `limits` are those of Limits.of_process(). Two
        kernels of one `pair` have a socket between them, and each a `kernel_class`.

        Called by ForkProvisioner.launch_kernel. Raise RuntimeError where it cannot be started,
        CompatibilityError where a library under it is not as it should be.
        """
        done, reply = threading.Event(), dict[str, Any]()
        kernel = {
            "argv": list(argv), "cwd": cwd, "sockets": sockets, "env": dict(env),
            "limits": dict(limits), "pair": pair, "kernel_class": kernel_class,
        }  # fmt: skip
        with self._sending:
            if not self._dead:
                self._replies.append((done, reply))
                self._send({"start": kernel})
        if not self._dead:
            done.wait()
        if reply.get("incompatible"):
            raise CompatibilityError(reply["incompatible"])
        if "process" not in reply:
            raise RuntimeError("no kernel can be started: no memory, or its server has died")
        process: ForkedProcess = reply["process"]
        return process

    def signal(self, pid: int, signum: int) -> None:
        """Signal the process group of a kernel. Called by its ForkedProcess."""
        with self._sending:
            self._send({"signal": [pid, signum]})

    def close(self) -> None:
        """End the server and every kernel that it started."""
        self._process.kill()
        self._listener.join()

    def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # _listen tells those who wait
            self._control.send_bytes(json.dumps(message).encode())

    def _listen(self) -> None:
        """Pass on what the server sends, until it ends."""
        try:
            while True:
                self._receive(json.loads(self._control.recv_bytes()))
        except (EOFError, OSError):
            pass
        except Exception:  # a message that it should not send: what follows cannot be trusted
            log.exception("the server of kernels sent what it should not")
            self._process.kill()
        self._process.wait()
        with self._sending:
            self._dead = True
            for done, _ in self._replies:
                done.set()
        self._ready.set()
        for process in self._started.values():
            process.set_ended(signal.SIGKILL)

    def _receive(self, message: dict[str, Any]) -> None:
        """Pass on one message of the server."""
        if "ready" in message:
            self._confinement_error = message["ready"]
            self._ready.set()
        elif "started" in message:
            done, reply = self._replies.pop(0)
            pid, reply["incompatible"] = message["started"], message["incompatible"]
            if pid:  # else it could not fork
                reply["process"] = self._started[pid] = ForkedProcess(self, pid)
            done.set()
        else:
            pid, status = message["ended"]
            self._started.pop(pid).set_ended(status)


class SharedServer:
    """The one server of a process, started when it is first needed and again where it died."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._server: ForkServer | None = None
        self._preload: set[str] | None = None  # None: no caller has named any
        self._preload_with: dict[str, tuple[str, ...]] = {}

    def get(
        self,
        preload: Iterable[str] | None = None,
        preload_with: Mapping[str, tuple[str, ...]] | None = None,
    ) -> ForkServer:
        """Return the server, which imports `preload` before it starts another kernel.

        Where no caller ever names modules it imports those that are USUAL. `preload_with` is as in
        ForkServer.preload().
        """
        with self._lock:
            known = self._preload or set()
            if preload is None:
                preload = USUAL if self._preload is None else ()
            self._preload = known.union(preload)
            new = self._preload - known
            more = {k: v for k, v in (preload_with or {}).items() if k not in self._preload_with}
            self._preload_with |= more
            if self._server is None or not self._server.is_alive():
                self._server, new, more = ForkServer(), self._preload, self._preload_with
            if new or more:
                self._server.preload(new, more)
            return self._server

    def use(self, server: ForkServer) -> None:
        """Use `server` from now on, which may have been made not to confine its kernels."""
        with self._lock:
            self._server, self._preload, self._preload_with = server, None, {}

    def shutdown(self) -> None:
        """End the server, and release its memory; get() starts another."""
        with self._lock:
            server, self._server, self._preload, self._preload_with = self._server, None, None, {}
        if server:
            server.close()


shared_server = SharedServer()
