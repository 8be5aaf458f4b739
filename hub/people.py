"""Who is in the class, and with which password, where nothing else knows: logins.json."""

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
    """The instructors and the students of a classroom."""
    logins = read(classroom)
    instructors = {name for name, who in logins.items() if who["teaches"]}
    return instructors, logins.keys() - instructors


def read(classroom: Path) -> dict[str, Any]:
    """All logins by name: {"password", "teaches"}."""
    path = classroom / LOGINS
    return dict(json.loads(path.read_text())) if path.exists() else {}


def invite(classroom: Path, instructors: list[str], students: list[str]) -> dict[str, Any]:
    """Make logins for those who have none; all logins."""
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
    """Lets in who is in the classroom's list, with the password that stands there."""

    classroom = Unicode(help="The folder of the classroom.").tag(config=True)

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        known = read(Path(self.classroom)).get(data["username"], {}).get("password", "")
        given = data.get("password", "")
        return data["username"] if known and compare_digest(known, given) else None
