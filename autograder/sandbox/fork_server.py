"""A server that forks kernels: python -m autograder.sandbox.fork_server FD [padding]

    unshare_namespaces -> build_root -> preload -> for each request: fork -> run_confined

It has no thread and no event loop of its own when it forks: a child inherits modules, nothing
that runs. It ends, with all its kernels, when the grader closes its end of the pipe, so a killed
grader leaves nothing behind. Its other end is autograder.sandbox.fork_client.

Messages are JSON. It receives

    {"preload": [...], "hidden": folder, "confine": bool, "scratch": folder to remove at the end}
    {"preload": [...], "preload_with": {module: [...]}}    any number of times
    {"start": the arguments of fork()}
    {"signal": [pid, number]}

and sends {"ready": why kernels are not confined}, {"started": pid or 0, "incompatible": reason} in
the order of requests, and {"ended": [pid, status]}.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.metadata
import importlib.util
import json
import os
import selectors
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterable
from multiprocessing.connection import Connection
from typing import Any

from autograder.errors import CompatibilityError
from autograder.limits import MEGABYTE
from autograder.sandbox import CONNECTION_FILE, SOCKET, namespaces
from autograder.sandbox.init import Init, woken_by_children
from autograder.sandbox.relay import listen, paths_of

# By a package that notebooks import: what it imports later, at its first use.
COMPANIONS: dict[str, tuple[str, ...]] = {
    "matplotlib": (
        "matplotlib.backends.backend_agg",
        "PIL.GifImagePlugin",  # these three, and what they import, with the first picture
        "PIL.JpegImagePlugin",
        "PIL.PpmImagePlugin",
    ),
    "pandas": ("pandas.io.formats.html",),
}


class Server:
    """Forks kernels and reports how they ended, until the grader closes its end (EOFError)."""

    def __init__(self, control: Connection) -> None:
        self.control = control
        self.root: str | None = None  # where kernels are confined; None: they are not
        self.incompatible = ""  # what is wrong with a library under the kernels
        self.companions = dict(COMPANIONS)
        self.children: set[int] = set()
        self.count = 0
        self.ends: dict[str, socket.socket] = {}  # by pair: the end of the kernel to come
        self.woken, self.wake = woken_by_children()

    def send(self, **message: Any) -> None:
        """Send a message to the grader."""
        self.control.send_bytes(json.dumps(message).encode())

    def serve(self) -> None:
        """Handle requests, and report what ended."""
        selector = selectors.DefaultSelector()
        selector.register(self.control, selectors.EVENT_READ)
        selector.register(self.woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if self.woken in ready:
                self.woken.recv(4096)
                self.report_ended()
            if self.control in ready:
                self.handle_request(json.loads(self.control.recv_bytes()))

    def handle_request(self, request: dict[str, Any]) -> None:
        """Carry out one request."""
        if "signal" in request:
            pid, number = request["signal"]
            if pid in self.children:
                signal_group(pid, number)
        elif "preload" in request:
            self.preload(request["preload"], request["preload_with"])
        else:
            self.start(request["start"])

    def preload(self, modules: Iterable[str], preload_with: dict[str, Iterable[str]]) -> None:
        """Import modules before another kernel is forked."""
        for package, more in preload_with.items():
            self.companions[package] = (*self.companions.get(package, ()), *more)
        try:
            preload(modules, self.companions)
        except CompatibilityError as error:
            self.incompatible = str(error)

    def start(self, kernel: dict[str, Any]) -> None:
        """Fork a kernel, and report its pid: 0 where it cannot be forked."""
        pid = 0
        # No memory, or no process, may be available: the other kernels live on.
        with contextlib.suppress(OSError):
            if not self.incompatible:
                pid = self.fork(**kernel)
                self.children.add(pid)
        self.send(started=pid, incompatible=self.incompatible)

    def report_ended(self) -> None:
        """Reap what has ended, and report it."""
        while self.children:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return
            # What it started; the group's number is its own until it is reaped.
            signal_group(ended.si_pid, signal.SIGKILL)
            pid, status = os.waitpid(ended.si_pid, 0)
            if pid in self.children:
                self.children.discard(pid)
                self.send(ended=[pid, status])

    def end_of(self, pair: str) -> socket.socket:
        """Return one end of the socket between two kernels; each end is returned once."""
        if pair not in self.ends:
            end, self.ends[pair] = socket.socketpair()
            return end
        return self.ends.pop(pair)

    def fork(self, pair: str = "", **kernel: Any) -> int:
        """Fork a kernel; the child never returns. Return its pid, also that of its process group.

        `kernel` are the arguments of run_confined(); kernels of one `pair` have a socket between
        them.
        """
        self.count += 1
        with self.end_of(pair) if pair else contextlib.nullcontext() as end:
            return self.fork_with(end.fileno() if end else None, **kernel)

    def fork_with(self, end: int | None, **kernel: Any) -> int:
        """Fork a kernel that keeps this file descriptor, as SOCKET."""
        with namespaces.new_pids() if self.root else contextlib.nullcontext():
            pid = os.fork()
            if not pid:
                self.child(end, **kernel)
        return pid

    def child(self, end: int | None, **kernel: Any) -> None:
        """Run in a forked child, which ends here in any case."""
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            if end is not None:
                os.dup2(end, SOCKET)
            last = os.sysconf("SC_OPEN_MAX") if sys.platform != "linux" else 65536
            os.closerange(3 if end is None else SOCKET + 1, last)
            # A group of its own, and with autogroups its own share of the processors.
            os.setsid()
            run_confined(self.root, namespaces.host_user(self.count), **kernel)
        finally:
            os._exit(1)

    def close(self) -> None:
        """End all kernels."""
        signal.set_wakeup_fd(-1)  # what ends now is not reported
        for pid in self.children:
            signal_group(pid, signal.SIGKILL)


def run_confined(
    root: str | None,
    host_user: int,
    argv: list[str],
    cwd: str,
    sockets: str,
    env: dict[str, str],
    limits: dict[str, int],
    kernel_class: str = "",
) -> None:
    """Become a kernel with the arguments `argv`: confined to `root` as its second process.

    The first one is its init (autograder.sandbox.init). Where `root` is None the kernel is the
    process itself.
    """
    # ipykernel starts threads when it is imported: not before the server has unshared.
    from autograder.sandbox.kernel import become_kernel, look_like_any_kernel

    env = {**env, "HOME": namespaces.HOME} if root else env
    look_like_any_kernel(argv, env)  # the init too: the kernel can see its arguments
    if root is None:
        os.chdir(cwd)
        unbounded = {name: limit for name, limit in limits.items() if name != "processes"}
        become_kernel(argv, unbounded, kernel_class=kernel_class)
        return
    namespaces.end_with_parent()
    listeners = listen(paths_of(f"{sockets}/{CONNECTION_FILE}"))
    namespaces.enter_root(root, cwd, sockets, limits["disk_mb"], host_user)
    wait_end, ready_end = os.pipe()
    kernel = os.fork()
    if kernel == 0:
        os.close(wait_end)
        for listener in listeners:
            listener.outer.close()
        namespaces.drop_privileges(host_user)
        become_kernel(argv, limits, lambda: os.close(ready_end), kernel_class)
        os._exit(0)
    os.close(ready_end)
    if kernel_class:
        os.close(SOCKET)
    os._exit(Init(kernel, wait_end, listeners, limits["memory_mb"] * MEGABYTE).run())


def signal_group(pid: int, number: int) -> None:
    """Signal a kernel and what it started in its group, or the process that is to lead it."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def try_confinement(root: str, scratch: str) -> None:
    """Raise OSError where a kernel cannot be confined to `root`, in any step of it."""
    user = namespaces.host_user(0)
    files, sockets = (tempfile.mkdtemp(prefix="t-", dir=scratch) for _ in range(2))
    open(f"{sockets}/{CONNECTION_FILE}", "x").close()
    wait_end, reason_end = os.pipe()
    with namespaces.new_pids():
        pid = os.fork()
        if not pid:
            try:
                namespaces.enter_root(root, files, sockets, 1, user)
                namespaces.drop_privileges(user)
            except OSError as error:
                os.write(reason_end, str(error).encode())
            finally:
                os._exit(0)
    os.close(reason_end)
    with open(wait_end) as reasons:
        reason = reasons.read()
    os.waitpid(pid, 0)
    for folder in (files, sockets):
        shutil.rmtree(folder)
    if reason:
        raise OSError(reason)


def preload(modules: Iterable[str], companions: dict[str, tuple[str, ...]] = COMPANIONS) -> None:
    """Import what can be imported, and what it would import at its first use.

    What cannot be imported is left to the notebook that asks for it. Raise CompatibilityError where
    a library is not as it should be.
    """
    gc.disable()  # imports make no garbage, and a fifth of their time would look for it
    try:
        import_all(modules)
        for package, more in companions.items():
            if package in sys.modules:
                import_all(more)
        rehearse_traceback()
    finally:
        gc.collect()
        gc.freeze()  # a collection in a child would touch, and so copy, every page
        gc.enable()


def import_all(modules: Iterable[str]) -> None:
    """Import what can be imported."""
    for name in modules:
        try:
            importlib.import_module(name)
        except CompatibilityError:
            raise
        except Exception:  # its notebook will report it, and no other
            continue


def rehearse_traceback() -> None:
    """Format a traceback as a kernel does: what the first one prepares is then ready in all."""
    # Threads start with IPython: not before the server has unshared.
    from IPython.core import ultratb

    try:
        raise NotImplementedError
    except NotImplementedError:
        ultratb.FormattedTB("Context").structured_traceback(*sys.exc_info())


def editable_packages() -> set[str]:
    """Return the folders of packages that are installed from a working copy, without our own."""
    our_package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    places = {
        os.path.abspath(place)
        for distribution in importlib.metadata.distributions()
        if '"editable": true' in (distribution.read_text("direct_url.json") or "")
        for name in (distribution.read_text("top_level.txt") or "").split()
        if (spec := importlib.util.find_spec(name))
        for place in spec.submodule_search_locations or [spec.origin or ""]
    }
    return {place for place in places if os.path.exists(place) and place != our_package}


def serve(control: Connection) -> None:
    """Get ready, report it, and fork kernels until the grader ends. Run as __main__."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the grader's to handle
    first, missing = json.loads(control.recv_bytes()), "not asked for"
    if first["confine"]:
        try:
            namespaces.unshare_namespaces()
            missing = ""
        except (OSError, AttributeError) as error:  # AttributeError: not Linux
            missing = str(error)
    server = Server(control)
    try:
        folder = tempfile.mkdtemp(prefix="r-", dir=first["scratch"])
    except FileNotFoundError:  # the grader has ended, and removed it
        return
    if not missing:
        try:
            namespaces.build_root(folder, editable_packages(), first["hidden"])
            try_confinement(folder, first["scratch"])
            server.root = folder
        except OSError as error:
            missing = str(error)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    grader_has_ended = False
    try:
        server.send(ready=missing)
        server.preload(first["preload"], {})
        server.serve()
    except (EOFError, ConnectionError):  # reset, where it was killed with messages unread
        grader_has_ended = True
    finally:
        server.close()
        namespaces.remove_root(folder)
        if grader_has_ended and not os.path.exists(folder):  # where the machine was mounted
            shutil.rmtree(first["scratch"], ignore_errors=True)


if __name__ == "__main__":
    # -m puts it there: the course's folder, and no kernel needs to know where that is.
    sys.path[:] = [path for path in sys.path if path != os.getcwd()]
    serve(Connection(int(sys.argv[1])))
