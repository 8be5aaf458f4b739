"""Accounts of the system for a class, and who owns what of its classroom. Needs root.

The grader's account alone reads the course and its gradebook, each student alone their home; in the
exchange a student can lay down work, and neither list nor touch that of others.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

GRADER = "grader-cnn"


def make(logins: Mapping[str, Any], classroom: Path) -> list[str]:
    """Make the accounts that are not there, with their passwords; their names."""
    homes = {GRADER: classroom / "course"} | {name: classroom / "homes" / name for name in logins}
    new = [name for name in homes if not exists(name)]
    for name in new:
        home = ["--home-dir", str(homes[name]), "--no-create-home", "--shell", "/bin/bash"]
        subprocess.run(["useradd", *home, name], check=True)
    passwords = "".join(f"{n}:{logins[n]['password']}\n" for n in new if n in logins)
    if passwords:
        subprocess.run(["chpasswd"], input=passwords, text=True, check=True)
    return new


def remove(names: Iterable[str]) -> None:
    """Remove accounts, and leave their files."""
    for name in names:
        subprocess.run(["userdel", "--force", name], check=True, capture_output=True)


def exists(name: str) -> bool:
    """Whether the system knows this user."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def hand_over(classroom: Path, people: Iterable[str]) -> None:
    """Give each part of a classroom to whom it belongs, and close it to the others."""
    for name in people:
        home = classroom / "homes" / name
        home.mkdir(exist_ok=True)
        give(home, name)
        home.chmod(0o700)
    give(classroom / "course", GRADER)
    (classroom / "course").chmod(0o700)
    (classroom / "hub").chmod(0o700)
    exchange = classroom / "exchange"
    shutil.chown(exchange, GRADER)
    exchange.chmod(0o1777)
    if (inbound := exchange / "cnn" / "inbound").is_dir():
        inbound.chmod(0o1733)  # nbgrader's own 0733 lets whoever guesses a name remove it


def give(folder: Path, name: str) -> None:
    """All of a folder to one user; of links, the links themselves."""
    user = pwd.getpwnam(name)
    for where, _, files in os.walk(folder):
        for path in (where, *(os.path.join(where, file) for file in files)):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
