"""Training with a live view: it records what the learner's functions return, and shows it."""

from __future__ import annotations

import base64
import re
import time
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from course import train


@pytest.fixture
def pages(monkeypatch):
    """Return the views that would be displayed."""
    caught = []
    monkeypatch.setattr(train, "display", caught.append)
    return caught


@pytest.fixture
def no_throttle(monkeypatch):
    """Draw every epoch, however short it is."""
    monkeypatch.setattr(train, "PAUSE", 0)


def returns(*values):
    """Return a function that returns these values, one per call."""
    following = iter(values)
    return lambda: next(following)


def seen(view):
    """Return a list that collects all later values of a view."""
    values = []
    view.observe(lambda change: values.append(change["new"]), names="value")
    return values


def svg(html):
    data = re.search(r"base64,([^\"]+)", html)
    assert data is not None
    return ElementTree.fromstring(base64.b64decode(data[1]))


def test_what_the_functions_return_is_recorded_in_order(pages):
    history = train.run(returns(2.0, 1.5, 1.0), 3, returns(0.1, 0.5, 0.8, 0.9))
    assert history == {"loss": [2.0, 1.5, 1.0], "held": [0.1, 0.5, 0.8, 0.9]}


def test_accuracy_is_measured_before_the_first_epoch_and_after_each(pages):
    calls = []
    train.run(lambda: calls.append("train") or 1, 2, lambda: calls.append("held") or 0)
    assert calls == ["held", "train", "held", "train", "held"]


def test_without_a_validation_function_there_is_no_accuracy(pages):
    assert train.run(returns(1, 0.5), 2) == {"loss": [1.0, 0.5], "held": []}


def test_numbers_of_any_kind_become_plain_floats(pages):
    loss = torch.tensor(2.0, requires_grad=True)
    history = train.run(returns(loss, np.float32(0.5)), 2, returns(0, torch.tensor(0.5), 1))
    assert history == {"loss": [2.0, 0.5], "held": [0.0, 0.5, 1.0]}
    assert {type(value) for values in history.values() for value in values} == {float}


def test_a_run_is_one_view_that_says_the_same_on_every_machine(pages):
    train.run(returns(1.0, 0.7), 2, title="LeNet")
    train.run(returns(3.0, 0.2), 2, title="LeNet")
    one, other = pages
    assert (
        repr(one) == repr(other) == ("Training: LeNet, 2 epochs (a live kernel shows how it goes)")
    )
    train.run(returns(1.0), 1, title="x" * 200)
    assert len(repr(pages[-1])) <= 110, "ipywidgets would cut it"


def test_the_bar_counts_epochs_and_says_how_much_time_is_left(pages, no_throttle, monkeypatch):
    now = iter(range(0, 100, 10))  # ten seconds between two readings
    monkeypatch.setattr(train.time, "monotonic", lambda: next(now))
    heads = []
    train.run(lambda: heads.append(pages[0].value) or 1.0, 4)
    bars = [re.search(r'value="(\d)".*, (epoch.*)</p>', head).groups() for head in heads]
    assert bars == [
        ("0", "epoch 1"),
        ("1", "epoch 2, 60 s left"),
        ("2", "epoch 3, 30 s left"),
        ("3", "epoch 4, 13 s left"),
    ]
    assert "4 of 4 epochs, done after 50 s" in pages[0].value


def test_a_page_is_redrawn_at_most_once_an_epoch_and_not_ten_times_a_second(pages):
    values = []

    def one_epoch():
        if not values:
            values.append(seen(pages[0]))
        return 1.0

    train.run(one_epoch, 500)
    assert len(values[0]) <= 12


def test_without_a_display_it_costs_next_to_nothing(pages, no_throttle):
    start = time.process_time()
    train.run(lambda: 1.0, 100, lambda: 0.5)
    assert time.process_time() - start < 2, "20 ms an epoch, were it many times slower"


def test_the_curves_have_one_point_per_epoch_and_a_description(pages):
    train.run(returns(2.0, 1.0, 0.5), 3, returns(0.1, 0.5, 0.8, 0.9))
    html = pages[0].value
    assert "The last epoch's loss is 0.5. The validation accuracy is 90 %." in html
    lines = [line.get("points").split() for line in svg(html).iter() if "polyline" in line.tag]
    assert [len(points) for points in lines] == [3, 4]
    heights = [float(point.split(",")[1]) for point in lines[0]]
    assert heights == sorted(heights), "y runs down, so a loss that falls sinks"
    assert heights[0] - 20 == pytest.approx(0)
    assert heights[-1] - 20 == pytest.approx(train.HEIGHT * 3 / 4)


def test_a_loss_that_explodes_is_recorded_and_leaves_a_gap(pages, no_throttle):
    history = train.run(returns(float("nan"), 1.0, float("inf"), 0.0), 4)
    assert history["loss"][1::2] == [1.0, 0.0]
    (line,) = [line for line in svg(pages[0].value).iter() if "polyline" in line.tag]
    assert len(line.get("points").split()) == 2
    assert train.run(returns(0.0), 1)["loss"] == [0.0]


def test_an_epoch_that_fails_passes_its_error_on_and_the_bar_stops(pages):
    def one_epoch():
        raise RuntimeError("shapes")

    with pytest.raises(RuntimeError, match="shapes"):
        train.run(one_epoch, 3)
    assert "0 of 3 epochs, stopped after" in pages[0].value


def test_a_title_cannot_write_into_the_page(pages):
    train.run(lambda: 1.0, 1, title="<script>")
    assert "<script>" not in pages[0].value


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((lambda: None, 1), TypeError, "one_epoch.. should return its mean loss.*return missing"),
        ((lambda: "low", 1), TypeError, "it returned 'low'"),
        ((lambda: torch.ones(2), 1), TypeError, "a number"),
        ((lambda: 1.0, 1, lambda: 93), ValueError, "from 0 to 1, it returned 93"),
        ((lambda: 1.0, 1, lambda: None), TypeError, "held.. should return an accuracy"),
        ((lambda: 1.0, 0), ValueError, "at least one epoch"),
    ],
)
def test_an_invalid_loss_or_accuracy_is_refused_with_a_message(pages, arguments, error, message):
    with pytest.raises(error, match=message):
        train.run(*arguments)


def test_it_writes_nothing_but_its_one_view(pages, capsys):
    train.run(lambda: 1.0, 2)
    assert len(pages) == 1
    assert capsys.readouterr() == ("", "")


def test_no_public_name_trains_or_answers_an_exercise():
    assert train.__all__ == ["run"]
