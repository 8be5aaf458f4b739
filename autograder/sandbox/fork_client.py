"""A server that starts ready kernels by fork: imports are paid for once, not once a kernel.

ForkServer() -> start(argv, cwd, env, ...) -> Forked   (in the engine, any thread)
  | messages over a pipe
autograder.sandbox.fork_server, a process of its own -> kernels
"""

from __future__ import annotations

import atexit
import contextlib
import json
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
from typing import Any, ClassVar

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
    "autograder.examiner.kernels",
    "autograder.examiner.proxies",
    "autograder.sandbox.kernel",
    "faulthandler",
    "ipywidgets",
    "numpy",
    "sqlite3",
    "tornado.platform.asyncio",
)
# What is worth importing, too, where nobody knows what notebooks will import.
USUAL = ("matplotlib.pyplot", "pandas", "torch", "torch._dynamo")
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
ROOM = " " * 200  # a kernel's arguments are written over those of the server


@cache
def scratch() -> str:
    """The folder for all that this process lays down for kernels, and its servers with it.

    It goes when the process ends; where that is killed, its server removes it.
    """
    # Short, for the path of a unix socket has 107 bytes; in /tmp, where kernels may have one.
    folder = tempfile.mkdtemp(prefix=f"k-{os.getpid()}-", dir="/tmp")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


class Forked:
    """A kernel the server started; its methods are those of subprocess.Popen."""

    def __init__(self, server: ForkServer, pid: int) -> None:
        self._server = server
        self.pid = pid  # as the server sees it
        self.returncode: int | None = None
        self._ended: Future[int] = Future()

    def poll(self) -> int | None:
        """The exit status (negative: the signal that ended it), or None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit status, once the process has ended or `timeout` seconds have passed."""
        with contextlib.suppress(TimeoutError):
            self._ended.result(timeout)
        return self.returncode

    def end(self) -> Future[int]:
        """What will be the exit status."""
        return self._ended

    def send_signal(self, signum: int) -> None:
        """Signal the process group, so that what the kernel started hears it too."""
        if self.returncode is None:
            self._server.signal(self.pid, signum)

    def kill(self) -> None:
        """End the process group at once."""
        self.send_signal(signal.SIGKILL)

    def ended(self, status: int) -> None:
        """Called by the server's reader when the process was reaped."""
        self.returncode = os.waitstatus_to_exitcode(status)
        self._ended.set_result(self.returncode)


class ForkServer:
    """The engine's end: starts the server with PRELOAD imported, and kernels from it."""

    _shared: ForkServer | None = None
    _wanted: ClassVar[set[str] | None] = None  # what the shared server imports beside PRELOAD
    _lock = threading.Lock()

    def __init__(self, confine: bool = True) -> None:
        self._control, theirs = Pipe()
        inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
        with theirs:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    SERVER_MODULE,
                    str(theirs.fileno()),
                    ROOM,
                ],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**inherited, **SERVER_ENV},
            )
        self._sending = threading.Lock()
        self._dead = False  # set when nothing more will be heard from the server
        self._started: dict[int, Forked] = {}
        self._replies: list[tuple[threading.Event, dict[str, Any]]] = []
        self._ready = threading.Event()
        self._unconfined = "the server of kernels did not start"
        order = {"preload": PRELOAD, "hidden": os.getcwd(), "confine": confine}
        self._send({**order, "scratch": scratch()})
        self._listener = threading.Thread(target=self._listen, daemon=True, name="forkserver")
        self._listener.start()

    @classmethod
    def shared(cls, preload: Iterable[str] | None = None) -> ForkServer:
        """The server of this process, started at the first call and again where it died.

        It imports `preload` too before it starts another kernel; USUAL if nobody ever says.
        """
        with cls._lock:
            known = cls._wanted or set()
            if preload is None:
                preload = USUAL if cls._wanted is None else ()
            cls._wanted = known.union(preload)
            new = cls._wanted - known
            if cls._shared is None or not cls._shared.is_alive():
                cls._shared, new = cls(), cls._wanted
            if new:
                cls._shared.preload(new)
            return cls._shared

    @classmethod
    def let_go(cls) -> None:
        """End the server of this process, and its memory with it; shared() starts another."""
        with cls._lock:
            server, cls._shared, cls._wanted = cls._shared, None, None
        if server:
            server.close()

    def preload(self, modules: Iterable[str]) -> None:
        """Have the server import `modules` before it starts another kernel."""
        with self._sending:
            self._send({"preload": sorted(modules)})

    def is_alive(self) -> bool:
        """Whether the server still runs."""
        return not self._dead

    def unconfined(self) -> str:
        """Why kernels are not confined on this machine; empty where they are."""
        self._ready.wait()
        return self._unconfined

    def start(
        self,
        argv: Sequence[str],
        cwd: str,
        wire: str,
        env: Mapping[str, str],
        limits: Mapping[str, int],
        pair: str = "",
        role: str = "",
    ) -> Forked:
        """Fork a kernel with the arguments `argv` in the folder `cwd`, or a copy of it.

        `wire` is the folder of its sockets, `limits` are those of Limits.of_process(). Two kernels
        of one `pair` have a wire between them, each in a `role` of autograder.examiner.kernels.
        Called by ForkProvisioner.launch_kernel. Raises RuntimeError where it cannot.
        """
        done, reply = threading.Event(), dict[str, Any]()
        with self._sending:
            if not self._dead:
                self._replies.append((done, reply))
                kernel = {"argv": list(argv), "cwd": cwd, "wire": wire, "pair": pair, "role": role}
                self._send({"start": {**kernel, "env": dict(env), "limits": dict(limits)}})
        if not self._dead:
            done.wait()
        if "process" not in reply:
            raise RuntimeError("no kernel can be started: no memory, or its server has died")
        process: Forked = reply["process"]
        return process

    def signal(self, pid: int, signum: int) -> None:
        """Signal the process group of a kernel; called by its Forked."""
        with self._sending:
            self._send({"signal": [pid, signum]})

    def close(self) -> None:
        """End the server and every kernel it started."""
        self._process.kill()
        self._listener.join()

    def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # _listen tells those who wait
            self._control.send_bytes(json.dumps(message).encode())

    def _listen(self) -> None:
        """Hand out what the server says."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                message = json.loads(self._control.recv_bytes())
                if "ready" in message:
                    self._unconfined = message["ready"]
                    self._ready.set()
                elif message.get("started") == 0:  # it could not fork
                    self._replies.pop(0)[0].set()
                elif "started" in message:
                    process = self._started[message["started"]] = Forked(self, message["started"])
                    done, reply = self._replies.pop(0)
                    reply["process"] = process
                    done.set()
                else:
                    pid, status = message["ended"]
                    self._started.pop(pid).ended(status)
        self._process.wait()
        with self._sending:
            self._dead = True
            for done, _ in self._replies:
                done.set()
        self._ready.set()
        for process in self._started.values():
            process.ended(signal.SIGKILL)
