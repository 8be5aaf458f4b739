"""A live view of training: a progress bar with the time left, and the curves as they grow.

    run(one_epoch, epochs, held=None, title="")    the losses and accuracies, epoch by epoch

It does not train: it calls the learner's own functions and records what they return. Bar and
curves are the value of one HTML widget, which adds no output to the notebook, so that the stored
outputs are the same in every run; a figure of `course.draw` shows the same afterwards.
"""

from __future__ import annotations

import base64
import math
import time
from collections.abc import Callable, Sequence
from html import escape

import ipywidgets as widgets
import torch
from IPython.display import display

from course.draw import COLOURS

__all__ = ["run"]

WIDTH, HEIGHT = 300, 130  # of a curve, in pixels
PAUSE = 0.1  # least number of seconds between two updates of the view


def run(
    one_epoch: Callable[[], object],
    epochs: int,
    held: Callable[[], object] | None = None,
    title: str = "",
) -> dict[str, list[float]]:
    """Return the loss of each epoch and, with `held`, the validation accuracy before and after it.

    one_epoch  trains for one epoch and returns its mean loss
    epochs     how often it is called, at least once
    held       returns the accuracy, from 0 to 1, on the validation set
    title      what is trained, in a word or two

    The result is {"loss": epochs numbers, "held": epochs + 1 numbers, or [] without `held`}.
    Meanwhile the page shows a bar with the time left and the curves. Raises TypeError if a
    function does not return a number, ValueError for an accuracy outside 0 to 1 or less than one
    epoch.
    """
    if epochs < 1:
        raise ValueError(f"run(): at least one epoch is needed, not {epochs}")
    view = _View(epochs, title)
    history: dict[str, list[float]] = {"loss": [], "held": []}
    display(view)
    try:
        if held:
            history["held"].append(_accuracy(held()))
        for _ in range(epochs):
            view.update(history)
            history["loss"].append(_number(one_epoch(), "one_epoch()", "its mean loss"))
            if held:
                history["held"].append(_accuracy(held()))
    except BaseException:  # also when the learner interrupts: the bar must not show time left
        view.finish(history, "stopped")
        raise
    view.finish(history, "done")
    return history


class _View(widgets.HTML):
    """The progress bar and the curves of one run."""

    def __init__(self, epochs: int, title: str) -> None:
        super().__init__()
        self._epochs, self._title = epochs, title
        self._start, self._drawn = time.monotonic(), -math.inf

    def __repr__(self) -> str:
        name = f"{self._title[:40]}, " if self._title else ""
        return f"Training: {name}{self._epochs} epochs (a live kernel shows how it goes)"

    def update(self, history: dict[str, list[float]]) -> None:
        """Show the next epoch, unless the view was updated within PAUSE."""
        now, done = time.monotonic(), len(history["loss"])
        if now - self._drawn < PAUSE:
            return
        self._drawn = now
        left = (now - self._start) / done * (self._epochs - done) if done else math.nan
        status = f"epoch {done + 1}" + (f", {_duration(left)} left" if done else "")
        self._show(history, status)

    def finish(self, history: dict[str, list[float]], outcome: str) -> None:
        """Show the end of the run: "done" or "stopped"."""
        self._show(history, f"{outcome} after {_duration(time.monotonic() - self._start)}")

    def _show(self, history: dict[str, list[float]], status: str) -> None:
        done = len(history["loss"])
        head = escape(self._title or "Training")
        self.value = (
            f'<p><b>{head}</b>: <progress max="{self._epochs}" value="{done}"></progress> '
            f"{done} of {self._epochs} epochs, {status}</p>{_picture(history, self._epochs)}"
        )


def _number(value: object, what: str, meaning: str) -> float:
    """`value`, a number or a tensor that holds one, as a float."""
    if isinstance(value, torch.Tensor):
        value = value.detach()
    try:
        return float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, RuntimeError):
        returned = "nothing (is a return missing?)" if value is None else repr(value)[:60]
        raise TypeError(
            f"{what} should return {meaning}, a number; it returned {returned}"
        ) from None


def _accuracy(value: object) -> float:
    """`value` as an accuracy from 0 to 1."""
    accuracy = _number(value, "held()", "an accuracy")
    if not 0 <= accuracy <= 1:
        raise ValueError(f"held() should return an accuracy from 0 to 1, it returned {accuracy:g}")
    return accuracy


def _duration(seconds: float) -> str:
    """Whole seconds, and minutes from a hundred seconds on: "7 s", "3 min"."""
    return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _picture(history: dict[str, list[float]], epochs: int) -> str:
    """The curves as an image with a text alternative; "" while there are none."""
    finite = [loss for loss in history["loss"] if math.isfinite(loss)]
    panels, words = [], []
    if finite:
        panels.append(_panel(history["loss"], 1, epochs, max(finite), COLOURS[0], "mean loss"))
        words.append(f"The last epoch's loss is {history['loss'][-1]:.3g}.")
    if history["held"]:
        panels.append(_panel(history["held"], 0, epochs, 1, COLOURS[3], "validation accuracy"))
        words.append(f"The validation accuracy is {100 * history['held'][-1]:.0f} %.")
    if not panels:
        return ""
    side_by_side = "".join(
        f'<g transform="translate({k * (WIDTH + 20)} 0)">{panel}</g>'
        for k, panel in enumerate(panels)
    )
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{len(panels) * (WIDTH + 20)}" '
        f'height="{HEIGHT + 24}" font-family="sans-serif" font-size="12">{side_by_side}</svg>'
    )
    data = base64.b64encode(svg.encode()).decode()
    return f'<img alt="{" ".join(words)}" src="data:image/svg+xml;base64,{data}">'


def _panel(
    values: Sequence[float], first: int, epochs: int, high: float, colour: str, name: str
) -> str:
    """One curve as SVG, from epoch `first`, scaled to 0 to `high`; name and last value above."""
    points = [
        (4 + (WIDTH - 8) * (first + k) / epochs, 20 + HEIGHT * (1 - value / (high or 1)))
        for k, value in enumerate(values)
        if math.isfinite(value)
    ]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.5"/>' for x, y in points[-60:])
    return (
        f'<text x="4" y="13" fill="{colour}">{name}: {values[-1]:.3g} (top {high:.3g})</text>'
        f'<path d="M2 20V{20 + HEIGHT}H{WIDTH}" fill="none" stroke="#888"/>'
        f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
        f'<g fill="{colour}">{dots}</g>'
    )
