"""Check that a library has the members that are relied on."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module, metadata

from autograder.errors import CompatibilityError


@dataclass(frozen=True)
class Member:
    """A member of another library.

    path        "module:qualified.name"
    purpose     what the grader needs it for
    parameters  names of its first parameters, for a function or method that is called or overridden
    """

    path: str
    purpose: str
    parameters: tuple[str, ...] | None = None


def check_members(distribution: str, members: Iterable[Member]) -> None:
    """Raise CompatibilityError unless the installed library has all `members`.

    Called by each module of this package when it is imported.
    """
    for member in members:
        if reason := mismatch(member):
            raise CompatibilityError(
                f"{distribution} {metadata.version(distribution)}: {member.path} {reason}; the"
                f" grader needs it {member.purpose}: install the versions of requirements.lock"
            )


def mismatch(member: Member) -> str:
    """Return in what a member differs from what is relied on; empty if it does not."""
    module, _, name = member.path.partition(":")
    try:
        target = import_module(module)
        for part in name.split("."):
            target = getattr(target, part)
    except (ImportError, AttributeError):
        return "is missing"
    if member.parameters is None:
        return ""
    parameters = tuple(inspect.signature(target).parameters)  # type: ignore[arg-type]
    if parameters[: len(member.parameters)] != member.parameters:
        return f"has the parameters ({', '.join(parameters)})"
    return ""
