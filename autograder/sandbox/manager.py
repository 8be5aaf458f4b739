"""jupyter_client's manager and client for forked kernels: nothing is polled, messages are bounded.

jupyter_client asks ten times a second whether a kernel has ended, and waits for 0.2 s of silence
before it takes one for ready; here the server tells when a kernel ends, and the kernel when it is
ready.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.session import Session
from traitlets import Instance, Unicode, default

from autograder.compat.jupyter_client import KernelManager
from autograder.limits import MESSAGE_BYTES, Limits
from autograder.sandbox.init import OUT_OF_MEMORY
from autograder.sandbox.messages import CheckedSession
from autograder.sandbox.provisioner import ForkProvisioner

MAX_WAITING = 100  # messages that may wait to be read
RETRY_SECONDS = 2.0  # silence of a starting kernel after which it is asked again


class ForkedKernelClient(AsyncKernelClient):
    """A client with the channels that running a notebook needs."""

    def start_channels(self, *_: Any, **__: Any) -> None:
        """Open the shell channel and the channel of outputs."""
        super().start_channels(stdin=False, hb=False, control=False)

    def stop_channels(self) -> None:
        """Do nothing: the sockets are closed with the context of the manager."""

    def execute(self, code: str, *_: Any, store_history: bool = True, **kwargs: Any) -> str:
        """Send a cell to be run; return the message's id. Called by nbclient."""
        content = {"code": code, "silent": False, "store_history": store_history}
        content |= {"user_expressions": {}, "allow_stdin": False}
        content["stop_on_error"] = kwargs.get("stop_on_error", True)
        return self.send("execute_request", content, {})

    def send(self, kind: str, content: dict[str, Any], metadata: dict[str, Any]) -> str:
        """Send a message on the shell channel; return its id."""
        message = self.session.msg(kind, content, metadata=metadata)
        self.shell_channel.send(message)
        number: str = message["header"]["msg_id"]
        return number

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait for the first message on the kernel's output: its welcome, or that it is busy.

        A kernel welcomes each subscriber, but misses one that arrives just as it sends; so it is
        also sent a request, and again, since what it sent before it saw us is lost as well. Raise
        RuntimeError where it ends, or is silent for `timeout` seconds.
        """
        assert isinstance(self.parent, ForkedKernelManager)
        seconds = math.inf if timeout is None else timeout
        deadline = time.monotonic() + seconds
        ended = asyncio.ensure_future(self.parent.ended())
        waiting = {ended}
        try:
            while time.monotonic() < deadline:
                self.kernel_info()
                message = asyncio.ensure_future(self.iopub_channel.get_msg(timeout=RETRY_SECONDS))
                waiting = {message, ended}
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if message not in done:
                    raise RuntimeError("the kernel died before it was ready")
                if not message.exception():
                    return
            raise RuntimeError(f"the kernel was not ready in {seconds:g} s")
        finally:
            for future in waiting:
                future.cancel()


class TestKernelClient(ForkedKernelClient):
    """The client of a test kernel: its next cell may be marked as a test.

    `released` is what the instructor's text defines (autograder.examiner.released).
    """

    is_test = False
    released: Mapping[str, Mapping[str, str]] = MappingProxyType({})

    def send(self, kind: str, content: dict[str, Any], metadata: dict[str, Any]) -> str:
        """Send a message that says whether its cell is a test; return its id."""
        if self.is_test:
            metadata = {**metadata, "is_test": True, "released": dict(self.released)}
        return super().send(kind, content, metadata)


class ForkedKernelManager(KernelManager):
    """A manager whose kernel is forked and bounded, whatever kernel the notebook names.

    limits        bounds of its processes
    student       whose notebook it runs: STUDENT in its environment; empty if unknown
    pair          what the two kernels of a notebook have in common; empty for a kernel alone
    kernel_class  import path of its class, for one of a pair
    """

    limits = Instance(Limits, ())
    student = Unicode()
    pair = Unicode()
    kernel_class = Unicode()

    @property
    def kernel_spec(self) -> KernelSpec:
        """The specification of a forked kernel. Read by jupyter_client."""
        config = {
            "limits": self.limits.of_process(),
            "pair": self.pair,
            "kernel_class": self.kernel_class,
        }
        provisioner = {"provisioner_name": "forked", "config": config}
        # jupyter_client expands $NAME in what a kernelspec sets: $$ is a plain $.
        env = {"STUDENT": self.student.replace("$", "$$")} if self.student else {}
        metadata = {"kernel_provisioner": provisioner}
        return KernelSpec(language="python", env=env, metadata=metadata)

    @default("client_factory")
    def _client(self) -> type[AsyncKernelClient]:
        return ForkedKernelClient

    @default("session")
    def _checked(self) -> Session:
        return CheckedSession(parent=self)

    @default("context")
    def _bounded(self) -> zmq.asyncio.Context:
        """Disconnect a kernel that sends larger messages: the grader's memory is not theirs."""
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, 2 * MESSAGE_BYTES)
        context.setsockopt(zmq.RCVHWM, MAX_WAITING)
        return context

    def client(self, **kwargs: Any) -> AsyncKernelClient:  # type: ignore[override]  # as theirs
        """Return a client whose messages are bounded too."""
        return super().client(context=self.context, **kwargs)

    def close_context(self) -> None:
        """Close all sockets: what was not sent has no reader left."""
        self.context.destroy(linger=0)

    async def ended(self) -> int | None:
        """Return the exit status of the kernel, once it has ended."""
        assert isinstance(self.provisioner, ForkProvisioner)
        return await self.provisioner.ended()

    def has_ended(self) -> bool:
        """Return whether the kernel has ended."""
        assert isinstance(self.provisioner, ForkProvisioner)
        process = self.provisioner.process
        return process is None or process.returncode is not None

    def was_killed(self) -> bool:
        """Return whether the kernel was killed from outside.

        No process in its namespace can signal the first one, whose exit status this is.
        """
        assert isinstance(self.provisioner, ForkProvisioner)
        process = self.provisioner.process
        return process is not None and process.is_confined() and (process.returncode or 0) < 0

    def is_out_of_memory(self) -> bool:
        """Return whether the kernel was ended because its processes took too much memory."""
        assert isinstance(self.provisioner, ForkProvisioner)
        process = self.provisioner.process
        return process is not None and process.returncode == OUT_OF_MEMORY
