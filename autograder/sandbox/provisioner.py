"""A jupyter_client kernel provisioner whose kernels are forked from a warm server.

Entry point `forked`: name it in a kernelspec's metadata, or set the environment variable
JUPYTER_DEFAULT_PROVISIONER_NAME=forked, and nbgrader, nbval or the validate button start their
kernels with it. Its sockets are unix sockets in a private folder (transport `ipc`).

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
from autograder.sandbox import CONNECTION_FILE
from autograder.sandbox.fork_client import (
    INHERITED,
    SERVER_ENV,
    ForkedProcess,
    scratch_folder,
    shared_server,
)


class ForkProvisioner(KernelProvisionerBase):
    """Starts, signals and ends one forked kernel for its KernelManager."""

    limits = Dict(Limits().of_process(), help="see autograder.limits.Limits").tag(config=True)
    pair = Unicode(help="what the two kernels of a notebook have in common").tag(config=True)
    kernel_class = Unicode(help="import path of the class of one of the two").tag(config=True)

    process: ForkedProcess | None = None
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
        """Return the exit status, once the kernel has ended."""
        if self.process is None:
            return 0
        return await asyncio.shield(asyncio.wrap_future(self.process.exit_status))

    async def send_signal(self, signum: int) -> None:
        if self.process:
            self.process.send_signal(signum)

    async def kill(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGKILL)

    async def terminate(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGTERM)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Put the sockets into a private folder, and set it on the manager for its clients.

        nbgrader's Execute brings its own manager class, so no configuration reaches it.
        """
        manager: Any = self.parent
        if self._folder is None:
            # Absolute, since a notebook's client and its kernel have different working folders.
            self._folder = tempfile.mkdtemp(prefix="k-", dir=scratch_folder())
        manager.transport = "ipc"
        manager.ip = os.path.join(self._folder, "k")
        manager.connection_file = os.path.join(self._folder, CONNECTION_FILE)
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        extra = kwargs.pop("extra_arguments", [])
        kwargs["env"] = kwargs.get("env", os.environ)
        return await super().pre_launch(
            cmd=["-f", manager.connection_file, "--HistoryManager.enabled=False", *extra], **kwargs
        )

    def environment(self, env: dict[str, str]) -> dict[str, str]:
        """Return the environment of the kernel: no token, path or name of the grader's own."""
        of_kernel = self.kernel_spec.env  # meant for this kernel
        kept = {name: env[name] for name in env if name in INHERITED or name in of_kernel}
        # In confinement it has a better HOME.
        return {**kept, **SERVER_ENV, "HOME": str(self._folder)}

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Fork the kernel. Called by jupyter_client. Raise RuntimeError where that fails."""
        server = await asyncio.to_thread(shared_server.get)
        self.process = await asyncio.to_thread(
            server.start,
            cmd,
            kwargs.get("cwd") or os.getcwd(),
            str(self._folder),
            self.environment(kwargs["env"]),
            self.limits,
            self.pair,
            self.kernel_class,
        )
        return self.connection_info

    async def cleanup(self, restart: bool = False) -> None:
        if self._folder and not restart:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None
