"""The members of a class, and their passwords where no other system checks them.

logins.json       who belongs to the class, each with a hash of the password (scrypt)
invitations.json  the passwords themselves, to be handed out; delete it when that is done
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import secrets
import unicodedata
from hmac import compare_digest
from pathlib import Path
from typing import Any

from jupyterhub.auth import Authenticator
from traitlets import Unicode

LOGINS, INVITATIONS = "logins.json", "invitations.json"
# As OWASP advises: 16 MB and some 50 ms for each try.
SCRYPT = {"n": 2**14, "r": 8, "p": 1, "dklen": 32}


def people(classroom: Path) -> tuple[set[str], set[str]]:
    """Return the instructors and the students of a classroom."""
    logins = read(classroom)
    instructors = {name for name, login in logins.items() if login["teaches"]}
    return instructors, logins.keys() - instructors


def course_of(classroom: Path, name: str, first: str) -> str:
    """Return the course that a member belongs to; `first` is the classroom's own."""
    return str(read(classroom).get(name, {}).get("course", first))


def members(classroom: Path, course: str, first: str) -> tuple[set[str], set[str]]:
    """Return the instructors and the students of one course of a classroom."""
    logins = read(classroom)
    of_course = {name for name in logins if course_of(classroom, name, first) == course}
    instructors = {name for name in of_course if logins[name]["teaches"]}
    return instructors, of_course - instructors


def read(classroom: Path) -> dict[str, Any]:
    """Return all logins by name: {"hash": str, "teaches": bool}, "course" where it is another."""
    return load(classroom / LOGINS)


def load(path: Path) -> dict[str, Any]:
    """Return the dictionary in a JSON file; an empty one where it is missing."""
    return dict(json.loads(path.read_text())) if path.exists() else {}


def save(path: Path, data: dict[str, Any]) -> None:
    """Write a JSON file that only its owner can read."""
    path.touch(mode=0o600)
    path.write_text(json.dumps(data, indent=1) + "\n")


def invite(
    classroom: Path, instructors: list[str], students: list[str], course: str = ""
) -> dict[str, Any]:
    """Create the missing logins, in a `course` of their own if it is named.

    Return all, those that may still be invited with a password.
    """
    logins, invitations = read(classroom), load(classroom / INVITATIONS)
    for name in (*instructors, *students):
        if name not in logins:
            invitations[name] = secrets.token_urlsafe(9)
            logins[name] = {"hash": hash_of(invitations[name]), "teaches": name in instructors}
            logins[name] |= {"course": course} if course else {}
    save(classroom / LOGINS, logins)
    if invitations:
        save(classroom / INVITATIONS, invitations)
    return {
        name: {**login, **({"password": invitations[name]} if name in invitations else {})}
        for name, login in logins.items()
    }


def hash_of(password: str, salt: str = "") -> str:
    """Return salt and hash of a password, which may hold any character."""
    salt = salt or secrets.token_hex(16)
    text = unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
    return f"{salt}${hashlib.scrypt(text, salt=bytes.fromhex(salt), **SCRYPT).hex()}"


def is_password(password: str, known: str) -> bool:
    """Return whether this password has the known hash."""
    return compare_digest(hash_of(password, known.partition("$")[0]), known)


NO_LOGIN = hash_of(secrets.token_hex(16))  # an unknown name takes as long as a wrong password


class Passwords(Authenticator):
    """Authenticates the members of the classroom, by the hashes in logins.json.

    The file is read at each login: who joins or leaves needs no restart.
    """

    classroom = Unicode(help="The folder of the classroom.").tag(config=True)

    def check_allowed(self, username: str, authentication: Any = None) -> bool:
        """Return whether this is a member. Called by JupyterHub."""
        return username in read(Path(self.classroom))

    async def authenticate(self, handler: Any, data: dict[str, str]) -> str | None:
        """Return the user's name, None where the password is wrong. Called by JupyterHub."""
        known = read(Path(self.classroom)).get(data["username"], {}).get("hash", "")
        entered = data.get("password", "")
        # In a thread: the hub serves others meanwhile.
        right = await asyncio.to_thread(is_password, entered, known or NO_LOGIN)
        return data["username"] if known and right else None
