"""The members of a class, and their passwords where no other system checks them: logins.json."""

from __future__ import annotations

import json
import secrets
from hmac import compare_digest
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Unicode

LOGINS = "logins.json"


def people(classroom: Path) -> tuple[set[str], set[str]]:
    """Return the instructors and the students of a classroom."""
    logins = read(classroom)
    instructors = {name for name, login in logins.items() if login["teaches"]}
    return instructors, logins.keys() - instructors


def read(classroom: Path) -> dict[str, Any]:
    """Return all logins by name: {"password": str, "teaches": bool}."""
    path = classroom / LOGINS
    return dict(json.loads(path.read_text())) if path.exists() else {}


def invite(classroom: Path, instructors: list[str], students: list[str]) -> dict[str, Any]:
    """Create the missing logins. Return all logins."""
    logins = read(classroom)
    for name in (*instructors, *students):
        logins.setdefault(
            name, {"password": secrets.token_urlsafe(6), "teaches": name in instructors}
        )
    path = classroom / LOGINS
    path.touch(mode=0o600)
    path.write_text(json.dumps(logins, indent=1) + "\n")
    return logins


class Passwords(Authenticator):
    """Authenticates the members of the classroom, by the passwords in logins.json."""

    classroom = Unicode(help="The folder of the classroom.").tag(config=True)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        """Return the user's name, None where the password is wrong. Called by JupyterHub."""
        expected = read(Path(self.classroom)).get(data["username"], {}).get("password", "")
        entered = data.get("password", "")
        return data["username"] if expected and compare_digest(expected, entered) else None
