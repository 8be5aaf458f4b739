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
    passwords = "".join(
        f"{name}:{logins[name]['password']}\n" for name in new if "password" in logins.get(name, {})
    )
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
        home.mkdir(mode=0o700, exist_ok=True)
        if home.lstat().st_uid != ids_of(name)[0]:  # one that is in use is never touched
            home.chmod(0o700)  # only root could put anything else in its place
            give(home, name)
    give(classroom / "course", GRADER)
    (classroom / "course").chmod(0o700)
    if (courses := classroom / "courses").is_dir():
        give(courses, GRADER)
        courses.chmod(0o700)
    (classroom / "hub").chmod(0o700)
    exchange = classroom / "exchange"
    shutil.chown(exchange, GRADER)
    exchange.chmod(0o1777)
    for inbound in exchange.glob("*/inbound"):
        inbound.chmod(0o1733)  # with nbgrader's 0733, any user can remove a file by its name


def give(folder: Path, name: str) -> None:
    """Make one user the owner of a folder and all in it, by descriptors: no link is followed."""
    user, group = ids_of(name)
    for _, folders, files, descriptor in os.fwalk(folder):
        os.fchown(descriptor, user, group)
        for entry in (*folders, *files):
            os.chown(entry, user, group, dir_fd=descriptor, follow_symlinks=False)


def ids_of(name: str) -> tuple[int, int]:
    """Return the numbers of a user and of its group."""
    user = pwd.getpwnam(name)
    return user.pw_uid, user.pw_gid
