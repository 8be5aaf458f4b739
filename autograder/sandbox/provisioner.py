"""A jupyter_client kernel provisioner whose kernels are forked from a warm server.

Entry point `forked`: name it in a kernelspec's metadata, or set the environment variable
JUPYTER_DEFAULT_PROVISIONER_NAME=forked, and nbgrader, nbval or the validate button start their
kernels with it. The wire is unix sockets in a private folder (transport `ipc`).

Where the machine allows it they are confined (autograder.sandbox.namespaces): a kernel works
on a copy of its working folder, which must be a small one, and what it writes there goes with it.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import tempfile
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning.provisioner_base import KernelProvisionerBase
from traitlets import Dict, Unicode

from autograder.limits import Limits
from autograder.sandbox.fork_client import INHERITED, SERVER_ENV, Forked, ForkServer, scratch


class ForkProvisioner(KernelProvisionerBase):
    """Starts, signals and ends one forked kernel for its KernelManager."""

    limits = Dict(Limits().of_process(), help="see autograder.limits.Limits").tag(config=True)

    pair = Unicode(help="what the two kernels of a notebook have in common").tag(config=True)
    role = Unicode(help="what this kernel is of the two").tag(config=True)

    process: Forked | None = None
    _folder: str | None = None

    @property
    def has_process(self) -> bool:
        return self.process is not None

    async def poll(self) -> int | None:
        return self.process.poll() if self.process else 0

    async def wait(self) -> int | None:
        if self.process is None:
            return 0
        status = await self.ended()
        self.process = None
        return status

    async def ended(self) -> int | None:
        """The exit status, once the kernel has ended."""
        if self.process is None:
            return 0
        return await asyncio.shield(asyncio.wrap_future(self.process.end()))

    async def send_signal(self, signum: int) -> None:
        if self.process:
            self.process.send_signal(signum)

    async def kill(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGTERM)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Put the wire into a private folder. Sets it on the manager: its clients read it there.

        nbgrader's Execute brings its own manager class, so no configuration reaches it.
        """
        manager: Any = self.parent
        if self._folder is None:
            # Absolute, for a notebook's client and its kernel have different working folders.
            self._folder = tempfile.mkdtemp(prefix="k-", dir=scratch())
        manager.transport = "ipc"
        manager.ip = os.path.join(self._folder, "k")
        manager.connection_file = os.path.join(self._folder, "kernel.json")
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        extra = kwargs.pop("extra_arguments", [])
        kwargs["env"] = kwargs.get("env", os.environ)
        return await super().pre_launch(
            cmd=["-f", manager.connection_file, "--HistoryManager.enabled=False", *extra], **kwargs
        )

    def _finalize_env(self, env: dict[str, str]) -> None:
        own = self.kernel_spec.env  # meant for this kernel
        for name in [name for name in env if name not in INHERITED and name not in own]:
            del env[name]
        env |= SERVER_ENV
        env["HOME"] = str(self._folder)  # in confinement it has a better one

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        server = await asyncio.to_thread(ForkServer.shared)
        self.process = await asyncio.to_thread(
            server.start,
            cmd,
            kwargs.get("cwd") or os.getcwd(),
            str(self._folder),
            kwargs["env"],
            self.limits,
            self.pair,
            self.role,
        )
        return self.connection_info

    async def cleanup(self, restart: bool = False) -> None:
        if self._folder and not restart:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
