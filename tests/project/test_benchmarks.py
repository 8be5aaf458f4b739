"""The figures of the benchmark, from given measurements."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from benchmarks.chart import draw
from benchmarks.figures import as_json, ratios, remarks, tables
from benchmarks.plan import (
    COURSE,
    GRADER,
    LOWER_BOUND,
    PARALLEL,
    QUICK,
    RUN_ALL,
    SERIAL,
    SYSTEMS,
    Bench,
    Marks,
    Round,
    Run,
    order,
)

MARKS: Marks = {"ada": {"test": 2.0}, "alan": {"test": 0.0}}


def make_round(*seconds: float, marks: Mapping[str, Marks] | None = None) -> Round:
    """A round with the seconds of SYSTEMS in order; all give MARKS but those in `marks`."""
    return {
        system: Run(value, marks=(marks or {}).get(system, MARKS))
        for system, value in zip(SYSTEMS, seconds, strict=True)
    }


def make_bench(*rounds: Round) -> Bench:
    """A benchmark whose lessons both had these rounds."""
    growth = {50: Run(10.0, peak_mb=100.0), 1000: Run(220.0, peak_mb=180.0)}
    classes = {name: list(rounds) for name in ("lenet", "counting", "course")}
    ratios = {"lenet": [1.5], "counting": [1.2]}
    student = {SERIAL: 50.0, GRADER: 10.0}
    starts, unique = [0.25, 0.27], [21.0, 22.0]
    return Bench(QUICK, classes, student, growth, starts, unique, ratios, [3.0], [4.0, 5.0, 9.0])


def test_ratios_compare_the_grader_with_the_baselines_and_the_bound() -> None:
    assert ratios({SERIAL: 100, PARALLEL: 60, GRADER: 25, RUN_ALL: 50, LOWER_BOUND: 20}) == {
        "vs_serial": 4,
        "vs_parallel": 2.4,
        "of_limit": 0.8,
        "overhead": 8,
        "vs_run_all": 2,
    }


def test_the_json_has_the_medians_of_the_rounds() -> None:
    figures = as_json(make_bench(*(make_round(s, 60, 25, 50, 20) for s in (100, 125, 500))))
    assert figures["lenet"] == {
        "vs_serial": 5,
        "vs_parallel": 2.4,
        "of_limit": 0.8,
        "overhead": 8,
        "vs_run_all": 2,
    }
    assert figures["course"] == figures["lenet"]
    assert figures["one_student"] == 0.2
    assert figures["growth_1000"] == pytest.approx(1.1)
    assert figures["coordinator_mb"] == 80
    assert figures["fork_s"] == 0.26
    assert figures["examiner_counting"] == 1.2
    assert figures["first_result_s"] == 3
    assert figures["immediate_s"] == 5


def test_the_json_lacks_what_was_not_measured() -> None:
    rounds = {"course": [make_round(100, 60, 25, 50, 20)]}
    figures = as_json(Bench(COURSE, rounds, {}, {}, [], [], {}, [], []))
    assert figures.keys() == {"course"}


def test_systems_with_the_same_marks_are_reported_as_such() -> None:
    assert remarks(make_bench(make_round(100, 60, 25, 50, 20))) == [
        "lenet: same marks: yes",
        "counting: same marks: yes",
        "course: same marks: yes",
    ]


def test_other_marks_of_the_grader_in_any_round_are_named() -> None:
    wrong = {**MARKS, "alan": {"test": 2.0}}
    bench = make_bench(make_round(1, 1, 1, 1, 1), make_round(1, 1, 1, 1, 1, marks={GRADER: wrong}))
    assert remarks(bench)[0] == "lenet: same marks: no: alan"


def test_submissions_that_parallel_stock_lost_are_named_apart() -> None:
    lost = {"ada": MARKS["ada"]}
    lines = remarks(make_bench(make_round(1, 1, 1, 1, 1, marks={PARALLEL: lost})))
    assert lines[0] == "lenet: same marks: yes"
    assert lines[1] == "lenet: stock, all cores: no or other marks for alan"


def test_each_system_comes_first_in_turn() -> None:
    orders = [order(number) for number in range(6)]
    assert [first for first, *_ in orders] == [*SYSTEMS, SYSTEMS[0]]
    assert all(sorted(systems) == sorted(SYSTEMS) for systems in orders)


def test_tables_and_chart_are_made_of_any_measurement(tmp_path: Path) -> None:
    bench = make_bench(make_round(100, 60, 25, 50, 20), make_round(110, 50, 24, 40, 21))
    assert [table.row_count for table in tables(bench)] == [3, 17, 2, 6]
    draw(bench, tmp_path / "bench.png")
    assert (tmp_path / "bench.png").read_bytes().startswith(b"\x89PNG")
