"""The simulation of a large term, against what queueing theory says."""

from __future__ import annotations

from math import factorial
from pathlib import Path

import numpy as np
import pytest

from benchmarks.chart import draw_term
from benchmarks.term import (
    COSTS,
    SOON,
    WEEK,
    Class,
    Costs,
    cores_needed,
    finish,
    hand_ins,
    simulate,
    table_of,
)


def erlang_wait(arrival_rate: float, service_rate: float, cores: int) -> float:
    """The mean time in the queue of M/M/c (Erlang C)."""
    load = arrival_rate / service_rate
    busy = load**cores / factorial(cores) / (1 - load / cores)
    waiting = busy / (sum(load**k / factorial(k) for k in range(cores)) + busy)
    return waiting / (cores * service_rate - arrival_rate)


@pytest.mark.parametrize("cores", [1, 3])
def test_the_queue_waits_as_erlang_says(cores: int) -> None:
    rng = np.random.default_rng(7)
    arrivals = np.cumsum(rng.exponential(1 / (0.7 * cores), 100_000))
    work = rng.exponential(1.0, 100_000)
    waits = finish(arrivals, work, cores) - arrivals - work
    assert waits.mean() == pytest.approx(erlang_wait(0.7 * cores, 1.0, cores), rel=0.08)


def test_the_coordinator_serves_one_at_a_time() -> None:
    assert finish(np.zeros(4), np.ones(4), 4, coordinator=0.5).tolist() == [1.5, 2, 2.5, 3]


def test_most_hand_in_shortly_before_the_deadline() -> None:
    times = hand_ins(Class(students=20_000), np.random.default_rng(7))
    assert len(times) == pytest.approx(32_000, rel=0.02)
    assert (np.diff(times) >= 0).all()
    assert times.min() >= 0
    assert times.max() <= WEEK
    rush = (times > WEEK - 4 * 3600).mean()
    assert rush == pytest.approx(0.7 * (1 - np.exp(-1)) + 0.3 * 4 / 168, abs=0.02)


def test_more_cores_wait_less_until_the_coordinator_is_what_is_waited_for() -> None:
    group = Class(students=500)
    waits = [simulate([8.0, 12.0], group, cores, 0.01) for cores in (1, 4, 16)]
    assert waits[0].last == pytest.approx(5000, rel=0.03)
    assert waits[0].last > 3 * waits[1].last > 9 * waits[2].last
    assert waits[0].most >= waits[1].most >= waits[2].most
    assert simulate([8.0], group, 500, 1.0).last == pytest.approx(508, rel=0.01)


def test_the_measured_costs_give_a_table_and_a_chart(tmp_path: Path) -> None:
    costs = Costs.read(COSTS)
    waits = table_of(costs, Class(students=50), costs.cluster)
    lesson = next(iter(costs.lessons))
    fewest = cores_needed(waits, lesson)
    assert fewest is not None
    assert waits[fewest][lesson].most <= SOON
    draw_term(waits, waits, tmp_path / "term.png")
    assert (tmp_path / "term.png").read_bytes().startswith(b"\x89PNG")
