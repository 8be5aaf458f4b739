"""A server that starts ready kernels by fork: imports are paid for once, not once a kernel.

    ForkServer(preload) -> start(argv, cwd, env, ...) -> Forked   (in the engine, any thread)
      | a message of JSON each way over a pipe
    serve() -> fork -> become_kernel()                            (python -m autograder.forkserver)

The server has no thread and no event loop of its own when it forks: a child inherits modules,
nothing that runs. It ends, with all its kernels, when the engine closes its end of the pipe,
so a killed engine leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping, Sequence
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any

# What every lesson imports and every kernel needs; 3 s of the start of a kernel.
PRELOAD = (
    "IPython.core.completer",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "autograder.kernel",
    "ipywidgets",
    "matplotlib.backends.backend_agg",
    "matplotlib.pyplot",
    "numpy",
    "pandas.io.formats.html",
    "pygments.formatters.terminal256",  # with the next one: the first traceback
    "stack_data",
    "torch",
    "torch._dynamo",  # the first step of an optimizer imports it: 1.9 s
    "torch.fx.experimental.symbolic_shapes",  # the first use of the meta device: 0.6 s
)
# Read when a module is imported, so they must be right before the server imports anything.
SERVER_ENV = {
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
}


class Forked:
    """A process the server started; its methods are those of subprocess.Popen."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = threading.Event()

    def poll(self) -> int | None:
        """The exit status (negative: the signal that ended it), or None while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit status, once the process has ended or `timeout` seconds have passed."""
        self._ended.wait(timeout)
        return self.returncode

    def send_signal(self, signum: int) -> None:
        """Signal the process group, so that what the kernel started hears it too."""
        if self.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signum)

    def kill(self) -> None:
        """End the process group at once."""
        self.send_signal(signal.SIGKILL)

    def ended(self, status: int) -> None:
        """Called by the server's reader when the process was reaped."""
        self.returncode = os.waitstatus_to_exitcode(status)
        self._ended.set()


class ForkServer:
    """The engine's end: starts the server with `preload` imported, and kernels from it."""

    _shared: ForkServer | None = None
    _lock = threading.Lock()

    def __init__(self, preload: Iterable[str] = ()) -> None:
        self._control, theirs = Pipe()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "autograder.forkserver", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, **SERVER_ENV},
            )
        self._sending = threading.Lock()
        self._dead = False  # set when nothing more will be heard from the server
        self._started: dict[int, Forked] = {}
        self._replies: list[tuple[threading.Event, dict[str, Any]]] = []
        self._send({"preload": sorted({*PRELOAD, *preload})})
        self._listener = threading.Thread(target=self._listen, daemon=True, name="forkserver")
        self._listener.start()

    @classmethod
    def shared(cls, preload: Iterable[str] = ()) -> ForkServer:
        """The server of this process, started at the first call and again where it died."""
        with cls._lock:
            if cls._shared is None or not cls._shared.is_alive():
                cls._shared = cls(preload)
            return cls._shared

    def is_alive(self) -> bool:
        """Whether the server still runs."""
        return not self._dead

    def start(
        self,
        argv: Sequence[str],
        cwd: str,
        env: Mapping[str, str],
        limits: Mapping[str, int],
    ) -> Forked:
        """Fork a kernel with the arguments `argv` in the folder `cwd`.

        `limits` are the keyword arguments of autograder.kernel.become_kernel. Called by
        ForkProvisioner.launch_kernel. Raises RuntimeError where the server has died.
        """
        done, reply = threading.Event(), dict[str, Any]()
        with self._sending:
            if not self._dead:
                self._replies.append((done, reply))
                message = {"argv": list(argv), "cwd": cwd, "env": dict(env), "limits": dict(limits)}
                self._send(message)
        if not self._dead:
            done.wait()
        if "process" not in reply:
            raise RuntimeError("no kernel can be started: no memory, or its server has died")
        process: Forked = reply["process"]
        return process

    def close(self) -> None:
        """End the server and every kernel it started."""
        self._process.terminate()
        self._listener.join()

    def _send(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # _listen tells those who wait
            self._control.send_bytes(json.dumps(message).encode())

    def _listen(self) -> None:
        """Hand out what the server says: {"started": pid} in order of asking, {"ended": [..]}."""
        with contextlib.suppress(EOFError, OSError):
            while True:
                message = json.loads(self._control.recv_bytes())
                if message.get("started") == 0:  # it could not fork
                    self._replies.pop(0)[0].set()
                elif "started" in message:
                    process = self._started[message["started"]] = Forked(message["started"])
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
        for process in self._started.values():
            process.kill()
            process.ended(signal.SIGKILL)


def serve(control: Connection) -> None:
    """Fork a kernel for each request that arrives; tell of each that ended. Runs as __main__."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the engine's to handle
    woken, wake = socket.socketpair()
    for end in (woken, wake):
        end.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake.fileno(), warn_on_full_buffer=False)
    preload(json.loads(control.recv_bytes())["preload"])
    children: set[int] = set()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        answer(control, woken, wake, children)
    except (EOFError, BrokenPipeError):
        pass  # the engine is gone
    finally:
        signal.set_wakeup_fd(-1)  # nobody listens any more to what ends
        for pid in children:
            kill(pid)


def answer(
    control: Connection, woken: socket.socket, wake: socket.socket, children: set[int]
) -> None:
    """Fork what is asked for and tell what ended, until the engine closes its end (EOFError)."""
    selector = selectors.DefaultSelector()
    selector.register(control, selectors.EVENT_READ)
    selector.register(woken, selectors.EVENT_READ)
    while True:
        ready = {key.fileobj for key, _ in selector.select()}
        if woken in ready:
            woken.recv(4096)
            tell_ended(control, children)
        if control in ready:
            request = json.loads(control.recv_bytes())
            try:
                pid = fork_kernel(request, [control, woken, wake])
                children.add(pid)
            except OSError:  # no memory, or no process, to be had: the others live on
                pid = 0
            control.send_bytes(json.dumps({"started": pid}).encode())


def kill(pid: int) -> None:
    """End a kernel and what it started in its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)


def preload(modules: Iterable[str]) -> None:
    """Import what can be imported; what cannot is left to the notebook that asks for it."""
    for name in modules:
        with contextlib.suppress(Exception):  # its notebook will hear of it, and no other
            importlib.import_module(name)
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, every page


def tell_ended(control: Connection, children: set[int]) -> None:
    """Reap what has ended and say so."""
    while children:
        ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is None:
            return
        kill(ended.si_pid)  # what it started; the group's number is its own until it is reaped
        pid, status = os.waitpid(ended.si_pid, 0)
        children.discard(pid)
        control.send_bytes(json.dumps({"ended": [pid, status]}).encode())


def fork_kernel(request: dict[str, Any], inherited: Sequence[Connection | socket.socket]) -> int:
    """Fork; the child becomes a kernel and never returns. Returns the child's pid."""
    pid = os.fork()
    if pid:
        with contextlib.suppress(OSError):  # the child does the same: whoever comes first
            os.setpgid(pid, pid)
        return pid
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        for end in inherited:
            end.close()
        from autograder.kernel import become_kernel

        become_kernel(request["argv"], request["cwd"], request["env"], **request["limits"])
    finally:
        os._exit(1)


if __name__ == "__main__":
    serve(Connection(int(sys.argv[1])))
