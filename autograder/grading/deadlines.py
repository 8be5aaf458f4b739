"""deadlines.toml: when each lesson is due, what lateness costs, and who has an extension.

read_deadlines -> Deadlines.lateness (of one student, in one lesson)

Times without a time zone are in the file's own. A day is 24 hours, counted from the deadline; with
a budget, days late are free in the order in which lessons are due, until it is used up.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from autograder.errors import UsageError

FILE = "deadlines.toml"
PUBLIC_FILE = "deadlines.json"  # in the exchange, for all students
DAY = 86_400
EARNED, POSSIBLE = "earned", "possible"
EXTENSION_KEYS = {"student", "lesson", "due", "days", "reason"}


@dataclass(frozen=True)
class Policy:
    """What lateness costs.

    grace_minutes         late by no more than this is on time
    percent_per_day       deducted for each day, or part of one, that is not free
    percent_of            of the points "earned", or of those "possible"
    max_percent           the most that is deducted before the cut-off
    cutoff_days           later than this, nothing is earned
    late_days             free days of each student in the term
    late_days_per_lesson  the most of them that one lesson takes
    better_counts         the last hand-in on time counts where it is worth more than the late one
    """

    grace_minutes: float = 0
    percent_per_day: float = 0
    percent_of: str = EARNED
    max_percent: float = 100
    cutoff_days: float | None = None
    late_days: int = 0
    late_days_per_lesson: int | None = None
    better_counts: bool = True

    def days_late(self, seconds: float) -> int:
        """Return the days, begun ones too, that so many seconds after the deadline are."""
        beyond = seconds - 60 * self.grace_minutes
        return math.ceil(beyond / DAY) if beyond > 0 else 0

    def is_cut_off(self, seconds: float) -> bool:
        """Whether so many seconds after the deadline are too late to earn anything."""
        if self.cutoff_days is None or not self.days_late(seconds):
            return False
        return seconds - 60 * self.grace_minutes > self.cutoff_days * DAY

    @property
    def sentence(self) -> str:
        """What lateness costs, for students."""
        of = "the points earned" if self.percent_of == EARNED else "all points"
        parts = ["Late work costs nothing"]
        if self.percent_per_day:
            parts = [f"Each day late, or part of one, costs {self.percent_per_day:g} % of {of}"]
            if self.max_percent < 100:
                parts.append(f"at most {self.max_percent:g} %")
        if self.grace_minutes:
            parts.append(f"{self.grace_minutes:g} minutes late are on time")
        if self.late_days:
            most = self.late_days_per_lesson
            limit = "" if most is None else f", at most {most} per lesson"
            parts.append(f"{self.late_days} days in the term are free{limit}")
        if self.cutoff_days is not None:
            parts.append(f"later than {self.cutoff_days:g} days earns nothing")
        return "; ".join(parts) + "."

    def penalty(self, days: int, is_cut_off: bool, score: float, max_score: float) -> float:
        """Return the points that so many charged days cost."""
        if is_cut_off:
            return score
        percent = min(days * self.percent_per_day, self.max_percent)
        return min(score, percent / 100 * (score if self.percent_of == EARNED else max_score))


@dataclass(frozen=True)
class Extension:
    """A later deadline for one student in one lesson, and why."""

    due: datetime
    reason: str = ""


@dataclass(frozen=True)
class Lateness:
    """How late a hand-in is: by its deadline, in days that cost and that are free."""

    due: datetime
    extension: Extension | None
    seconds: float
    charged_days: int
    free_days: int
    free_days_left: int
    is_cut_off: bool


@dataclass(frozen=True)
class Deadlines:
    """The deadlines of a course, in UTC; the zone is for showing them."""

    zone: ZoneInfo
    policy: Policy
    due: Mapping[str, datetime]
    policies: Mapping[str, Policy] = field(default_factory=dict)
    extensions: Mapping[tuple[str, str], Extension] = field(default_factory=dict)

    def policy_of(self, lesson: str) -> Policy:
        """Return what lateness costs in a lesson."""
        return self.policies.get(lesson, self.policy)

    def due_for(self, student: str, lesson: str) -> datetime:
        """Return when a lesson is due for a student."""
        extension = self.extensions.get((student, lesson))
        return extension.due if extension else self.due[lesson]

    def lateness(self, student: str, lesson: str, times: Mapping[str, datetime]) -> Lateness:
        """Return how late a lesson is; `times` are those of the student's hand-ins, by lesson."""
        left, days, free = self.policy.late_days, 0, 0
        for name in sorted(self.due, key=lambda name: (self.due[name], name)):
            if name not in times:
                continue
            seconds, policy = self.seconds_late(student, name, times[name]), self.policy_of(name)
            days = policy.days_late(seconds)
            limit = policy.late_days_per_lesson
            free = 0 if policy.is_cut_off(seconds) else min(days, left)
            free = free if limit is None else min(free, limit)
            left -= free
            if name == lesson:
                break
        return Lateness(
            self.due_for(student, lesson),
            self.extensions.get((student, lesson)),
            self.seconds_late(student, lesson, times[lesson]),
            days - free,
            free,
            left,
            self.policy_of(lesson).is_cut_off(self.seconds_late(student, lesson, times[lesson])),
        )

    def seconds_late(self, student: str, lesson: str, when: datetime) -> float:
        """Return by how many seconds a hand-in is late; 0 where it is on time."""
        return max(0.0, (when - self.due_for(student, lesson)).total_seconds())

    def show(self, when: datetime) -> str:
        """Return a time as people read it."""
        return f"{when.astimezone(self.zone):%a %d %b %Y, %H:%M} ({self.zone.key})"


def read_deadlines(root: Path) -> Deadlines | None:
    """Return the deadlines of the course at `root`, None where it has no such file.

    Raise UsageError, which names the place, where the file is wrong.
    """
    try:
        text = (root / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{FILE} cannot be read: {error}") from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{FILE}: {error}") from None
    return parse_deadlines(data)


def parse_deadlines(data: dict[str, Any]) -> Deadlines:
    """Return the deadlines in the data of a file."""
    refuse_unknown(data, {"timezone", "policy", "lessons", "extensions"}, "")
    zone = zone_of(data.get("timezone", "UTC"))
    policy = policy_of(table(data, "policy"), Policy(), "policy")
    due, policies = {}, {}
    for name, entry in table(data, "lessons").items():
        where = f"lessons.{name}"
        if not isinstance(entry, dict):
            raise UsageError(f"{FILE}: {where} is not a table: [lessons.{name}], due = ...")
        refuse_unknown(entry, {"due", "policy"}, where)
        due[name] = time_of(entry.get("due"), zone, f"{where}.due")
        if "policy" in entry:
            wanted = table(entry, "policy", where)
            if "late_days" in wanted:
                raise UsageError(f"{FILE}: {where}: late_days is of the term: set it in [policy]")
            policies[name] = policy_of(wanted, policy, f"{where}.policy")
    extensions: dict[tuple[str, str], Extension] = {}
    entries = data.get("extensions", [])
    if not isinstance(entries, list):
        raise UsageError(f"{FILE}: extensions are written as [[extensions]]")
    for number, entry in enumerate(entries, 1):
        key, extension = extension_of(entry, due, zone, f"extension {number}")
        if key in extensions:
            raise UsageError(f"{FILE}: {key[0]} has two extensions of {key[1]}")
        extensions[key] = extension
    return Deadlines(zone, policy, due, policies, extensions)


def extension_of(
    entry: Any, due: Mapping[str, datetime], zone: ZoneInfo, where: str
) -> tuple[tuple[str, str], Extension]:
    """Return whose extension an entry is, and the extension."""
    if not isinstance(entry, dict):
        raise UsageError(f"{FILE}: extensions are written as [[extensions]]")
    refuse_unknown(entry, EXTENSION_KEYS, where)
    student, lesson = entry.get("student"), entry.get("lesson")
    if not isinstance(student, str) or not isinstance(lesson, str):
        raise UsageError(f"{FILE}: {where} needs a student and a lesson, in quotes")
    where = f"the extension of {student} in {lesson}"
    if lesson not in due:
        raise UsageError(f"{FILE}: {where}: no deadline of such a lesson is in the file")
    if ("due" in entry) == ("days" in entry):
        raise UsageError(f"{FILE}: {where} needs either due or days")
    if "due" in entry:
        until = time_of(entry["due"], zone, f"{where}: due")
    else:
        days = number_of(entry["days"], f"{where}: days")
        until = due[lesson] + timedelta(days=days)
    if until < due[lesson]:
        raise UsageError(f"{FILE}: {where} ends before the deadline itself")
    return (student, lesson), Extension(until, str(entry.get("reason", "")))


def policy_of(entry: dict[str, Any], default: Policy, where: str) -> Policy:
    """Return a policy: what an entry says, and for the rest a default."""
    refuse_unknown(entry, {each.name for each in fields(Policy)}, where)
    checked: dict[str, Any] = {}
    for name, value in entry.items():
        if name == "percent_of":
            if value not in (EARNED, POSSIBLE):
                raise UsageError(f'{FILE}: {where}.{name} is "{EARNED}" or "{POSSIBLE}"')
            checked[name] = value
        elif name == "better_counts":
            if not isinstance(value, bool):
                raise UsageError(f"{FILE}: {where}.{name} is true or false")
            checked[name] = value
        else:
            checked[name] = number_of(value, f"{where}.{name}")
            if name.startswith("late_days") and checked[name] != int(checked[name]):
                raise UsageError(f"{FILE}: {where}.{name} is a whole number of days")
    return replace(default, **checked)


def number_of(value: Any, where: str) -> float:
    """Return a number of at least 0."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value < math.inf:
        raise UsageError(f"{FILE}: {where} must be a number, at least 0: {value!r}")
    return value


def time_of(value: Any, zone: ZoneInfo, where: str) -> datetime:
    """Return a time of TOML, or of ISO 8601 in quotes, in UTC; a day alone ends at midnight."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value) if len(value) > 10 else date.fromisoformat(value)
        except ValueError:
            raise UsageError(f"{FILE}: {where}: {value!r} is not a date") from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime.combine(value, time(23, 59, 59))
    if not isinstance(value, datetime):
        raise UsageError(f"{FILE}: {where} must be a date, such as 2026-11-02T23:59:00: {value!r}")
    if value.tzinfo is None:
        local = value.replace(tzinfo=zone)
        if local.astimezone(UTC).astimezone(zone).replace(tzinfo=None) != value:
            raise UsageError(f"{FILE}: {where}: the clocks skip {value} in {zone.key}")
        value = local
    return value.astimezone(UTC)


def zone_of(name: Any) -> ZoneInfo:
    """Return a time zone."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        raise UsageError(
            f"{FILE}: no time zone {name!r}; one is called Europe/Berlin, or UTC"
        ) from None


def table(data: dict[str, Any], key: str, where: str = "") -> dict[str, Any]:
    """Return a table of a file, empty where it is missing."""
    value = data.get(key, {})
    if not isinstance(value, dict):
        raise UsageError(f"{FILE}: {where or key} must be a table: [{key}]")
    return value


def refuse_unknown(entry: dict[str, Any], known: set[str], where: str) -> None:
    """Raise UsageError where a key is unknown: a typing error would change no mark."""
    if unknown := sorted(set(entry) - known):
        place = f" in {where}" if where else ""
        raise UsageError(
            f"{FILE}: no setting {unknown[0]!r}{place}; available: {', '.join(sorted(known))}"
        )


def public(deadlines: Deadlines) -> dict[str, dict[str, str]]:
    """Return what all students may read: when each lesson is due, and what lateness costs."""
    return {
        lesson: {"due": due.isoformat(), "policy": deadlines.policy_of(lesson).sentence}
        for lesson, due in deadlines.due.items()
    }
