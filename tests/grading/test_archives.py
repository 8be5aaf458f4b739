"""Archives of a learning platform are extracted as data, each within the budget of a submission."""

from __future__ import annotations

import gzip
import io
import logging
import stat
import tarfile
import time
import tracemalloc
import zipfile
from pathlib import Path
from typing import Any

import pytest
from nbgrader.apps.zipcollectapp import ZipCollectApp
from nbgrader.plugins.zipcollect import FileNameCollectorPlugin

from autograder.grading import collect
from autograder.grading.archives import Extractor

SECRET = "hidden tests, and everybody's marks"


def zip_of(path: Path, **members: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def extract(folder: Path) -> Path:
    """Return the folder with what was extracted of the archives in `folder`."""
    target = folder.parent / "extracted"
    Extractor().extract(str(folder), str(target))
    return target


@pytest.fixture
def archives(tmp_path: Path) -> Path:
    folder = tmp_path / "archives"
    folder.mkdir()
    return folder


def test_an_archive_is_extracted_into_a_folder_of_its_name(archives: Path) -> None:
    zip_of(archives / "ada_ps1.zip", **{"ps1.ipynb": b"work", "data/t.csv": b"1,2"})
    (archives / "alan_ps1.ipynb").write_text("work")
    extracted = extract(archives)
    assert (extracted / "ada_ps1" / "ps1.ipynb").read_bytes() == b"work"
    assert (extracted / "ada_ps1" / "data" / "t.csv").read_bytes() == b"1,2"
    assert (extracted / "alan_ps1.ipynb").read_text() == "work"


def test_the_name_of_an_archive_says_whose_it_is_and_when(archives: Path) -> None:
    app = ZipCollectApp()
    pattern = r".*_(?P<student_id>\w+)_attempt_(?P<timestamp>[0-9-]+)_(?P<file_id>\w+)"
    app.config.FileNameCollectorPlugin.named_regexp = pattern
    app.collector_plugin = FileNameCollectorPlugin
    names = {
        "ps1.ipynb": b"own",
        "x_bob_attempt_2026-01-02_ps1.ipynb": b"in the name of bob",
        "x_eve_attempt_2020-01-01_ps1.ipynb": b"earlier",
        "x_eve_attempt_99_ps1.ipynb": b"no time",
        "x_eve_attempt_2026-01-01_ps1.ipynb": b"the same once more",
    }
    zip_of(archives / "x_eve_attempt_2026-01-01_ps1.zip", **names)
    target = archives.parent / "extracted"
    Extractor(parent=app).extract(str(archives), str(target))
    assert [path.read_bytes() for path in target.rglob("*.ipynb")] == [b"own"]


def test_a_member_without_a_name_harms_no_other_archive(
    archives: Path, caplog: pytest.LogCaptureFixture
) -> None:
    zip_of(archives / "eve.zip", **{"x": b""})
    zip_of(archives / "zoe.zip", **{"ps1.ipynb": b"work"})
    whole = (archives / "eve.zip").read_bytes()
    entry, end = whole.index(b"PK\1\2"), whole.index(b"PK\5\6")
    nameless = bytearray(whole[entry : end - 1] + whole[end:])
    nameless[28] = 0  # the length of its name
    nameless[end - 1 - entry + 12] -= 1  # the length of all entries
    (archives / "eve.zip").write_bytes(whole[:entry] + nameless)
    extracted = extract(archives)
    assert (extracted / "zoe" / "ps1.ipynb").read_bytes() == b"work"
    assert not (extracted / "eve").exists()
    assert "eve.zip: not extracted: IndexError" in caplog.text


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside-of-it", "a/../../outside"])
def test_a_member_that_leads_outside_is_left_out(archives: Path, name: str) -> None:
    zip_of(archives / "mallory.zip", **{name: b"x", "ps1.ipynb": b"work"})
    with tarfile.open(archives / "eve.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    extracted = extract(archives)
    found = sorted(str(p.relative_to(archives.parent)) for p in archives.parent.rglob("*outside*"))
    assert not found
    assert not Path("/tmp/outside-of-it").exists()
    assert (extracted / "mallory" / "ps1.ipynb").exists()


def test_links_in_archives_are_left_out(archives: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    link = zipfile.ZipInfo("key")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(archives / "mallory.zip", "w") as archive:
        archive.writestr(link, str(tmp_path / "secret"))
    with tarfile.open(archives / "eve.tar.gz", "w:gz") as tar:
        info = tarfile.TarInfo("key")
        info.type, info.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        tar.addfile(info)
    (archives / "plain.ipynb").symlink_to(tmp_path / "secret")
    extracted = extract(archives)
    assert not [path for path in extracted.rglob("*") if not path.is_dir()]


def test_a_bomb_is_refused_and_the_next_archive_extracted(
    archives: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(collect, "MAX_BYTES", 1_000_000)
    zip_of(archives / "bomb.zip", large=bytes(50_000_000))
    (archives / "broken.zip").write_bytes(b"PK\x03\x04 no archive")
    zip_of(archives / "work.zip", **{"ps1.ipynb": b"work"})
    extractor = Extractor()
    extractor.log = logging.getLogger("autograder.test")
    extractor.extract(str(archives), str(archives.parent / "extracted"))
    assert "bomb.zip: not extracted: its files have more than 0 MB" in caplog.text
    assert "broken.zip: not extracted" in caplog.text
    assert (archives.parent / "extracted" / "work" / "ps1.ipynb").exists()
    assert not (archives.parent / "extracted" / "bomb").exists()


def tar_of(path: Path, kind: bytes, content: bytes, count: int = 1) -> None:
    """Write an archive that begins with `count` headers of a kind, each with its content."""
    info = tarfile.TarInfo("header")
    info.type, info.size = kind, len(content)
    padding = bytes(-len(content) % tarfile.BLOCKSIZE)
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(count):
            file.write(info.tobuf(tarfile.GNU_FORMAT) + content + padding)


@pytest.mark.parametrize(
    ("kind", "content", "count"),
    [
        (tarfile.XHDTYPE, b"9" * 100_000, 1),  # a number with many digits: quadratic time
        (tarfile.XHDTYPE, b"20 a=\n" * 1_000_000, 1),
        (tarfile.XGLTYPE, b"1 " * 10_000_000, 1),
        (tarfile.GNUTYPE_LONGNAME, b"a" * 100_000_000, 1),
        (tarfile.GNUTYPE_LONGNAME, b"a" * 512, 20_000),
        (tarfile.REGTYPE, b"", 200_000),
    ],
)
def test_headers_of_an_archive_are_bounded(
    archives: Path, kind: bytes, content: bytes, count: int, caplog: pytest.LogCaptureFixture
) -> None:
    tar_of(archives / "bomb.tar.gz", kind, content, count)
    extractor = Extractor()
    extractor.log = logging.getLogger("autograder.test")
    began = time.process_time()
    tracemalloc.start()
    try:
        extractor.extract(str(archives), str(archives.parent / "extracted"))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert "bomb.tar.gz: not extracted" in caplog.text
    assert peak < 50_000_000
    assert time.process_time() - began < 5


@pytest.mark.parametrize("mode", ["w:", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_archive_is_extracted_whatever_compressed_it(archives: Path, mode: Any) -> None:
    with tarfile.open(archives / "ada.tar.gz", mode, format=tarfile.PAX_FORMAT) as tar:
        for name in ("ps1.ipynb", "d" * 150 + "/é.csv"):  # the second one needs a pax header
            info = tarfile.TarInfo(name)
            info.size = 300_000
            tar.addfile(info, io.BytesIO(bytes(300_000)))
    extracted = extract(archives)
    sizes = [path.stat().st_size for path in (extracted / "ada").rglob("*") if path.is_file()]
    assert sizes == [300_000, 300_000]
