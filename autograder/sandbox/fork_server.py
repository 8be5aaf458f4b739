"""The server that forks kernels: python -m autograder.sandbox.fork_server FD [padding]

    separate() -> build_root() -> preload() -> for each request: fork -> keep() -> become_kernel()

It has no thread and no event loop of its own when it forks: a child inherits modules, nothing
that runs. It ends, with all its kernels, when the engine closes its end of the pipe, so a killed
engine leaves nothing behind. Its other end is autograder.sandbox.fork_client.

Messages are JSON. It hears {"preload": [..], "hidden": folder, "confine": bool,
"scratch": folder to be removed in the end}, then
{"preload": [..]}, {"start": what fork() takes} and {"signal": [pid, number]}; it says
{"ready": what is missing}, {"started": pid, or 0} in order of asking and {"ended": [pid, status]}.
"""

from __future__ import annotations

import contextlib
import gc
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

from autograder.examiner import WIRE
from autograder.limits import MEGABYTE
from autograder.sandbox import namespaces as confine

# By a package that notebooks import: what it imports later, at its first use.
COMPANIONS = {
    "matplotlib": (
        "matplotlib.backends.backend_agg",
        "PIL.GifImagePlugin",  # these three, and what they import, with the first picture
        "PIL.JpegImagePlugin",
        "PIL.PpmImagePlugin",
    ),
    "pandas": ("pandas.io.formats.html",),
    "torch": (
        "autograder.examiner.state",
        "autograder.examiner.nets",
    ),
}
OUT_OF_MEMORY = 137  # exit status of a kernel whose processes together took too much
WATCH_SECONDS = 0.25


class Server:
    """Forks kernels and tells how they ended, until the engine closes its end (EOFError)."""

    def __init__(self, control: Connection) -> None:
        self.control = control
        self.root: str | None = None  # where kernels are confined; None: they are not
        self.children: set[int] = set()
        self.count = 0
        self.ends: dict[str, socket.socket] = {}  # of wires whose other end is a kernel's already
        self.woken, self.wake = socket.socketpair()
        for end in (self.woken, self.wake):
            end.setblocking(False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(self.wake.fileno(), warn_on_full_buffer=False)

    def say(self, **message: Any) -> None:
        self.control.send_bytes(json.dumps(message).encode())

    def answer(self) -> None:
        """Do what is asked for, and tell what ended."""
        selector = selectors.DefaultSelector()
        selector.register(self.control, selectors.EVENT_READ)
        selector.register(self.woken, selectors.EVENT_READ)
        while True:
            ready = {key.fileobj for key, _ in selector.select()}
            if self.woken in ready:
                self.woken.recv(4096)
                self.tell_ended()
            if self.control in ready:
                self.obey(json.loads(self.control.recv_bytes()))

    def obey(self, request: dict[str, Any]) -> None:
        if "signal" in request:
            pid, number = request["signal"]
            if pid in self.children:
                signal_group(pid, number)
            return
        if "preload" in request:
            preload(request["preload"])
            return
        try:
            pid = self.fork(**request["start"])
            self.children.add(pid)
        except OSError:  # no memory, or no process, to be had: the others live on
            pid = 0
        self.say(started=pid)

    def tell_ended(self) -> None:
        """Reap what has ended and say so."""
        while self.children:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is None:
                return
            # What it started; the group's number is its own until it is reaped.
            signal_group(ended.si_pid, signal.SIGKILL)
            pid, status = os.waitpid(ended.si_pid, 0)
            if pid in self.children:
                self.children.discard(pid)
                self.say(ended=[pid, status])

    def end_of(self, pair: str) -> socket.socket:
        """One end of the wire between the two kernels of a notebook; each end is given once."""
        if pair not in self.ends:
            end, self.ends[pair] = socket.socketpair()
            return end
        return self.ends.pop(pair)

    def fork(self, pair: str = "", **kernel: Any) -> int:
        """Fork a kernel; the child never returns. Its pid, also that of its process group.

        `kernel` are the arguments of keep(); kernels of the same `pair` get a wire between them.
        """
        self.count += 1
        with self.end_of(pair) if pair else contextlib.nullcontext() as wire:
            return self.fork_with(wire.fileno() if wire else None, **kernel)

    def fork_with(self, wire_end: int | None, **kernel: Any) -> int:
        """Fork a kernel that keeps this file descriptor, as WIRE."""
        with confine.new_pids() if self.root else contextlib.nullcontext():
            pid = os.fork()
            if not pid:
                self.child(wire_end, **kernel)
        with contextlib.suppress(OSError):  # the child does the same: whoever comes first
            os.setpgid(pid, pid)
        return pid

    def child(self, wire_end: int | None, **kernel: Any) -> None:
        """What a forked child does: it ends here, whatever happens."""
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_DFL)
            if wire_end is not None:
                os.dup2(wire_end, WIRE)
            last = os.sysconf("SC_OPEN_MAX") if sys.platform != "linux" else 65536
            os.closerange(3 if wire_end is None else WIRE + 1, last)
            os.setpgid(0, 0)
            keep(self.root, confine.host_user(self.count), **kernel)
        finally:
            os._exit(1)

    def close(self) -> None:
        """End all kernels."""
        signal.set_wakeup_fd(-1)  # nobody listens any more to what ends
        for pid in self.children:
            signal_group(pid, signal.SIGKILL)


def keep(
    root: str | None,
    host_user: int,
    argv: list[str],
    cwd: str,
    wire: str,
    env: dict[str, str],
    limits: dict[str, int],
    role: str = "",
) -> None:
    """Become a kernel with the arguments `argv`: confined to `root` as its second process.

    The first one, its init, stays outside of its reach; it reaps what the kernel leaves, bounds
    the memory that all its processes take together, and ends with it. Not confined, the kernel
    is the process itself.
    """
    from autograder.sandbox.kernel import become_kernel, look_like_any_kernel

    env = {**env, "HOME": confine.HOME} if root else env
    look_like_any_kernel(argv, env)  # the init too: the kernel can see its arguments
    if root is None:
        os.chdir(cwd)
        become_kernel(argv, {k: n for k, n in limits.items() if k != "processes"}, role=role)
        return
    confine.end_with_parent()
    confine.enter(root, cwd, wire, limits["disk_mb"], host_user)
    heard, tell = os.pipe()
    kernel = os.fork()
    if kernel == 0:
        os.close(heard)
        confine.give_up(host_user)
        become_kernel(argv, limits, lambda: os.close(tell), role)
        os._exit(0)
    os.close(tell)
    if role:
        os.close(WIRE)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # meant for the kernel, in the same group
    os.read(heard, 1)  # its end is closed: the wire is connected, or the kernel is gone
    confine.freeze(wire)
    os._exit(watch(kernel, limits["memory_mb"] * MEGABYTE))


def watch(kernel: int, memory: int) -> int:
    """Reap until `kernel` has ended; its exit status. Ends all where they take too much memory."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    own, too_much = private_memory("self"), False
    while True:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == kernel:
                    status = os.waitstatus_to_exitcode(ended[1])
                    return OUT_OF_MEMORY if too_much else status & 0xFF
        signal.sigtimedwait({signal.SIGCHLD}, WATCH_SECONDS)
        pids = [name for name in os.listdir("/proc") if name.isdigit() and name != "1"]
        if sum(max(0, private_memory(pid) - own) for pid in pids) > memory:
            too_much = True
            os.kill(-1, signal.SIGKILL)  # all here but this process


def private_memory(pid: str) -> int:
    """Bytes in memory that a process shares with no file; what it inherited counts too."""
    try:
        with open(f"/proc/{pid}/statm") as statm:
            _, resident, shared, *_ = map(int, statm.read().split())
    except OSError:  # it is gone
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


def signal_group(pid: int, number: int) -> None:
    """Signal a kernel and what it started in its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, number)


def try_out(root: str, scratch: str) -> None:
    """OSError where a kernel could not be confined to `root`, in whatever step of it."""
    user = confine.host_user(0)
    files, wire = (tempfile.mkdtemp(prefix="t-", dir=scratch) for _ in range(2))
    heard, tell = os.pipe()
    with confine.new_pids():
        pid = os.fork()
        if not pid:
            try:
                confine.enter(root, files, wire, 1, user)
                confine.give_up(user)
            except OSError as error:
                os.write(tell, str(error).encode())
            finally:
                os._exit(0)
    os.close(tell)
    with open(heard) as reasons:
        why = reasons.read()
    os.waitpid(pid, 0)
    for folder in (files, wire):
        shutil.rmtree(folder)
    if why:
        raise OSError(why)


def preload(modules: Iterable[str]) -> None:
    """Import what can be imported, and what it would import at its first use.

    What cannot be imported is left to the notebook that asks for it.
    """
    gc.disable()  # imports make no garbage, and a fifth of their time would look for it
    import_all(modules)
    for package, companions in COMPANIONS.items():
        if package in sys.modules:
            import_all(companions)
    rehearse()
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, every page
    gc.enable()


def import_all(modules: Iterable[str]) -> None:
    for name in modules:
        with contextlib.suppress(Exception):  # its notebook will hear of it, and no other
            importlib.import_module(name)


def rehearse() -> None:
    """Format a traceback as a kernel does: what the first one gets ready is then ready in all."""
    from IPython.core import ultratb

    try:
        raise NotImplementedError
    except NotImplementedError:
        ultratb.FormattedTB("Context").structured_traceback(*sys.exc_info())


def packages() -> set[str]:
    """The folders of packages that are installed from a working copy; without our own."""
    own = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    places = {
        os.path.abspath(place)
        for distribution in importlib.metadata.distributions()
        if '"editable": true' in (distribution.read_text("direct_url.json") or "")
        for name in (distribution.read_text("top_level.txt") or "").split()
        if (spec := importlib.util.find_spec(name))
        for place in spec.submodule_search_locations or [spec.origin or ""]
    }
    return {place for place in places if os.path.exists(place) and place != own}


def serve(control: Connection) -> None:
    """Run as __main__: get ready, say so, and fork kernels until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the engine's to handle
    order, missing = json.loads(control.recv_bytes()), "not asked for"
    if order["confine"]:
        try:
            confine.separate()
            missing = ""
        except (OSError, AttributeError) as error:  # AttributeError: not Linux
            missing = str(error)
    server = Server(control)
    folder = tempfile.mkdtemp(prefix="r-", dir=order["scratch"])
    if not missing:
        try:
            confine.build_root(folder, packages(), order["hidden"])
            try_out(folder, order["scratch"])
            server.root = folder
        except OSError as error:
            missing = str(error)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    engine_is_gone = False
    try:
        server.say(ready=missing)
        preload(order["preload"])
        server.answer()
    except (EOFError, ConnectionError):  # reset, where it was killed with words unread
        engine_is_gone = True
    finally:
        server.close()
        confine.take_down(folder)
        if engine_is_gone and not os.path.exists(folder):  # where the machine was shown
            shutil.rmtree(order["scratch"], ignore_errors=True)


if __name__ == "__main__":
    # -m puts it there: the course's folder, and no kernel needs to know where that is.
    sys.path[:] = [path for path in sys.path if path != os.getcwd()]
    serve(Connection(int(sys.argv[1])))
