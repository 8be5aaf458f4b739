"""Logins of a class: hashes of passwords, of any characters; processors spread over all."""

from __future__ import annotations

import asyncio
import json
import os
import stat
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

sys.path.insert(0, str(ROOT / "hub"))

import people
import spawners


def authenticated(classroom: Path, name: str, password: str) -> str | None:
    authenticator = people.Passwords(classroom=str(classroom))
    data = {"username": name, "password": password}
    return asyncio.run(authenticator.authenticate(None, data))


def test_a_member_logs_in_with_the_password_of_the_invitation_alone(tmp_path: Path) -> None:
    logins = people.invite(tmp_path, ["lea"], ["ada"])
    password = logins["ada"]["password"]
    assert authenticated(tmp_path, "ada", password) == "ada"
    for name, wrong in (("ada", ""), ("ada", password + "x"), ("lea", password), ("eve", password)):
        assert authenticated(tmp_path, name, wrong) is None
    assert people.people(tmp_path) == ({"lea"}, {"ada"})


def test_no_password_is_stored_where_logins_are_checked(tmp_path: Path) -> None:
    password = people.invite(tmp_path, [], ["ada"])["ada"]["password"]
    (tmp_path / "invitations.json").unlink()
    assert password not in (tmp_path / "logins.json").read_text()
    assert stat.S_IMODE((tmp_path / "logins.json").stat().st_mode) == 0o600
    assert "password" not in people.invite(tmp_path, [], ["ada"])["ada"]  # nor is there a new one
    assert authenticated(tmp_path, "ada", password) == "ada"


@pytest.mark.parametrize("password", ["пароль", "パスワード", "e\u0301 🔑", "\udcff", "x" * 10_000])
def test_a_password_may_hold_any_character(tmp_path: Path, password: str) -> None:
    login = {"ada": {"hash": people.hash_of(password), "teaches": False}}
    (tmp_path / "logins.json").write_text(json.dumps(login))
    assert authenticated(tmp_path, "ada", password) == "ada"
    assert authenticated(tmp_path, "ada", password + "\u0301") is None


def test_the_same_password_has_another_hash_for_each(tmp_path: Path) -> None:
    assert people.hash_of("same") != people.hash_of("same")
    assert people.is_password("e\u0301", people.hash_of("\u00e9"))  # typed on another keyboard


def test_students_are_spread_over_all_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    names = [f"student{number}" for number in range(200)]
    uses = [core for name in names for core in spawners.cores_of(name, 2)]
    assert {len(set(spawners.cores_of(name, 2))) for name in names} == {2}
    assert all(25 <= uses.count(core) <= 80 for core in range(8)), uses  # 50 each in the mean
    assert len(spawners.cores_of("ada", 0)) == 8
