"""jupyter_client's manager and client for forked kernels: nothing is polled, messages are bounded.

jupyter_client asks ten times a second whether a kernel has ended, and waits for 0.2 s of silence
before it takes one for ready; here the server says when one ends, and the kernel when it is ready.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any

import zmq
import zmq.asyncio
from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from traitlets import default

from autograder.limits import MESSAGE_BYTES, Limits
from autograder.sandbox.fork_server import OUT_OF_MEMORY
from autograder.sandbox.provisioner import ForkProvisioner

MESSAGES = 100  # that may wait to be read
ASK_AGAIN = 2.0  # seconds of silence of a kernel that starts


class ForkedKernelClient(AsyncKernelClient):
    """A client with the channels that running a notebook needs."""

    asks = False  # whether the next cell asks the answers' kernel: autograder.examiner.kernels

    def start_channels(self, *_: Any, **__: Any) -> None:
        super().start_channels(stdin=False, hb=False, control=False)

    def stop_channels(self) -> None:
        """Nothing is left to do: its sockets are closed with the context of its manager."""

    def execute(self, code: str, *_: Any, store_history: bool = True, **named: Any) -> str:
        """Send a cell to be run; called by nbclient."""
        content = {"code": code, "silent": False, "store_history": store_history}
        content |= {"user_expressions": {}, "allow_stdin": False}
        content["stop_on_error"] = named.get("stop_on_error", True)
        return self.send("execute_request", content, {"asks": self.asks})

    def send(self, kind: str, content: dict[str, Any], metadata: dict[str, Any]) -> str:
        """Send a message on the shell channel; its id."""
        message = self.session.msg(kind, content, metadata=metadata)
        self.shell_channel.send(message)
        number: str = message["header"]["msg_id"]
        return number

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait for the kernel's first word on its output: its welcome, or that it is busy.

        It welcomes whoever subscribes, but loses sight of one who comes just as it sends; so it is
        asked something too, and again, for what it said before it saw us is lost as well. Raises
        RuntimeError where it ends, or says nothing in so many seconds.
        """
        assert isinstance(self.parent, ForkedKernelManager)
        patience = math.inf if timeout is None else timeout
        deadline = time.monotonic() + patience
        ended = asyncio.ensure_future(self.parent.ended())
        waiting = {ended}
        try:
            while time.monotonic() < deadline:
                self.kernel_info()
                word = asyncio.ensure_future(self.iopub_channel.get_msg(timeout=ASK_AGAIN))
                waiting = {word, ended}
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                if word not in done:
                    raise RuntimeError("the kernel died before it was ready")
                if not word.exception():
                    return
            raise RuntimeError(f"the kernel was not ready in {patience:g} s")
        finally:
            for future in waiting:
                future.cancel()


class ForkedKernelManager(AsyncKernelManager):
    """A manager whose kernel is forked and bounded, whatever kernel the notebook names."""

    limits = Limits()
    student = ""  # whose notebook it runs; empty where nobody says
    pair = role = ""  # of one of the two kernels of a notebook

    @property
    def kernel_spec(self) -> KernelSpec:
        config = {"limits": self.limits.of_process(), "pair": self.pair, "role": self.role}
        provisioner = {"provisioner_name": "forked", "config": config}
        # jupyter_client fills in $NAME in what a kernelspec sets: $$ is a plain $.
        env = {"STUDENT": self.student.replace("$", "$$")} if self.student else {}
        metadata = {"kernel_provisioner": provisioner}
        return KernelSpec(language="python", env=env, metadata=metadata)

    @default("client_factory")
    def _client(self) -> type[AsyncKernelClient]:
        return ForkedKernelClient

    @default("context")
    def _bounded(self) -> zmq.asyncio.Context:
        """Whoever sends more than this is disconnected: the engine's memory is not theirs."""
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, 2 * MESSAGE_BYTES)
        context.setsockopt(zmq.RCVHWM, MESSAGES)
        return context

    def client(self, **kwargs: Any) -> AsyncKernelClient:  # type: ignore[override]  # as theirs
        """A client whose messages are bounded too."""
        return super().client(context=self.context, **kwargs)

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        self.context.destroy(linger=0)  # nobody is left to hear what was not sent

    cleanup_resources = _async_cleanup_resources

    async def ended(self) -> int | None:
        """The exit status of the kernel, when it has ended."""
        assert isinstance(self.provisioner, ForkProvisioner)
        return await self.provisioner.ended()

    def has_ended(self) -> bool:
        """Whether the kernel has ended."""
        assert isinstance(self.provisioner, ForkProvisioner)
        process = self.provisioner.process
        return process is None or process.returncode is not None

    def took_too_much(self) -> bool:
        """Whether the kernel was ended because its processes took too much memory."""
        assert isinstance(self.provisioner, ForkProvisioner)
        process = self.provisioner.process
        return process is not None and process.returncode == OUT_OF_MEMORY

    async def _async_wait(self, pollinterval: float = 0) -> None:
        await self.ended()
