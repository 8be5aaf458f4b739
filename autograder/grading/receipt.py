"""The digest of a hand-in: the student's receipt has it, and the exchange gives the same.

SHA-256 over all files in the order of their paths, which are relative and have slashes:

    path in UTF-8, a zero byte, the length of the content in decimal, a zero byte, the content

Left out is what nbgrader adds when it submits (NOT_HANDED_IN). An instructor computes it with

    python -m autograder.grading.receipt FOLDER...
"""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path

CHUNK = 1 << 20
NOT_HANDED_IN = ("timestamp.txt", "submission_secret.txt")


def digest_of_files(files: Mapping[str, Path]) -> str:
    """Return the digest of files by relative path."""
    digest = hashlib.sha256()
    for name in sorted(files):
        with files[name].open("rb") as file:
            left = os.fstat(file.fileno()).st_size
            digest.update(name.encode("utf-8", "surrogateescape"))
            digest.update(b"\0%d\0" % left)
            while left and (chunk := file.read(min(left, CHUNK))):
                digest.update(chunk)
                left -= len(chunk)
    return digest.hexdigest()


def digest_of_folder(folder: Path) -> str:
    """Return the digest of a hand-in: a folder of inbound/ in the exchange, or of submitted/."""
    return digest_of_files(handed_in(folder))


def handed_in(folder: Path) -> dict[str, Path]:
    """Return the files of a hand-in by relative path, without those that nbgrader adds."""
    return {name: path for name, path in files_in(folder).items() if name not in NOT_HANDED_IN}


def files_in(folder: Path) -> dict[str, Path]:
    """Return all files of a folder by relative path, with slashes; no device or pipe."""
    return {
        Path(where, name).relative_to(folder).as_posix(): Path(where, name)
        for where, _, names in os.walk(folder)
        for name in names
        if Path(where, name).is_file()
    }


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        print(digest_of_folder(Path(folder)), folder)
