"""System accounts for a class, and the ownership of files in its classroom. Needs root.

Only the grader's account can read the course and its gradebook, only a student their home. In the
exchange students can submit work, but neither list nor change that of others.
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
    """Create the missing accounts, with their passwords. Return the names of the new ones."""
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
    """Remove accounts, but not their files."""
    for name in names:
        subprocess.run(["userdel", "--force", name], check=True, capture_output=True)


def exists(name: str) -> bool:
    """Whether this user exists on the system."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True


def hand_over(classroom: Path, people: Iterable[str]) -> None:
    """Set owner and mode of each part of a classroom, closed to other users."""
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
        inbound.chmod(0o1733)  # with nbgrader's 0733, any user can remove a file by its name


def give(folder: Path, name: str) -> None:
    """Make one user the owner of a folder and all in it; links are not followed."""
    user = pwd.getpwnam(name)
    for where, _, files in os.walk(folder):
        for path in (where, *(os.path.join(where, file) for file in files)):
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)
