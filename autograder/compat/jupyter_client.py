"""What is relied on of jupyter_client."""

from __future__ import annotations

from typing import Any

from jupyter_client.manager import AsyncKernelManager

from autograder.compat.check import Member, check_members

MANAGER = "jupyter_client.manager:KernelManager"
MEMBERS = (
    Member(f"{MANAGER}._async_wait", "to be told when a kernel ends", ("self", "pollinterval")),
    Member(
        f"{MANAGER}._async_cleanup_resources", "to close a kernel's sockets", ("self", "restart")
    ),
    Member(
        "jupyter_client.provisioning.provisioner_base:KernelProvisionerBase.pre_launch",
        "to put a kernel's sockets into a private folder",
        ("self", "kwargs"),
    ),
)
check_members("jupyter_client", MEMBERS)


class KernelManager(AsyncKernelManager):
    """A kernel manager that is told when its kernel ends, instead of asking ten times a second."""

    async def ended(self) -> int | None:
        """Return the exit status of the kernel, once it has ended."""
        raise NotImplementedError

    def close_context(self) -> None:
        """Close the sockets of the manager. Called when a kernel's resources are released."""
        raise NotImplementedError

    async def _async_wait(self, pollinterval: float = 0) -> None:
        await self.ended()

    async def _async_cleanup_resources(self, restart: bool = False) -> None:
        await super()._async_cleanup_resources(restart=restart)
        self.close_context()

    cleanup_resources: Any = _async_cleanup_resources
