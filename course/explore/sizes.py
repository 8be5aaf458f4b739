"""The size of an output: the positions of a filter, and the formula with its numbers.

Sizes are computed by torch; the result of the learner's own function is shown beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any, NamedTuple

import ipywidgets as widgets
import numpy as np
import torch
import torch.nn.functional as F
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from course.draw import COLOURS, PADDING, blank, grid, show
from course.explore.picture import picture

TITLE = 2  # cells above a grid, for two lines of text


class Setting(NamedTuple):
    """A filter f on an image n: padding p, stride s, dilation d."""

    n: int
    f: int
    p: int = 0
    s: int = 1
    d: int = 1

    @property
    def side(self) -> int:
        """Width of the padded image."""
        return self.n + 2 * self.p

    @property
    def reach(self) -> int:
        """Width that the dilated filter covers."""
        return self.d * (self.f - 1) + 1


def positions(*settings: Sequence[int]) -> None:
    """The positions of a filter, for each (n, f, p, s, d): padded input left, output right.

    A dot marks the centre of a position, a cross a pixel that no position reads. Raises
    ValueError if a filter is larger than its padded image. Source: slides 16 to 18.
    """
    chosen = [Setting(*setting) for setting in settings]
    sizes = [_torch_size(setting) for setting in chosen]
    if 0 in sizes:
        raise ValueError("positions(): a filter is larger than its padded image")
    show(_draw(chosen, sizes, [0] * len(chosen)), " ".join(map(_words, chosen, sizes)))


class SizeExplorer(widgets.VBox):
    """Sliders for n, f, p, s, d and the position; the figure and the formula follow.

    `yours`, the learner's output_size, is called with each setting, and its result is shown.
    """

    def __init__(self, *, yours: Callable[..., object] | None = None) -> None:
        self._yours = yours
        self._sliders = {
            name: widgets.IntSlider(value, low, high, description=label)
            for name, value, low, high, label in (
                ("n", 5, 1, 12, "image n"),
                ("f", 3, 1, 7, "filter f"),
                ("p", 1, 0, 4, "padding p"),
                ("s", 2, 1, 5, "stride s"),
                ("d", 1, 1, 3, "dilation d"),
            )
        }
        self._at = widgets.IntSlider(1, 1, 9, description="position")
        self._view = widgets.HTML()
        for slider in (*self._sliders.values(), self._at):
            slider.observe(lambda _: self._update(), names="value")
        super().__init__([*self._sliders.values(), self._at, self._view])
        self._update()

    def __repr__(self) -> str:
        n, f, p, s, d = setting = self._setting()
        size = _answer(_torch_size(setting))
        return f"SizeExplorer: n={n} f={f} p={p} s={s} d={d}: {size} (a live kernel adds sliders)"

    def _setting(self) -> Setting:
        return Setting(**{name: slider.value for name, slider in self._sliders.items()})

    def _update(self) -> None:
        setting = self._setting()
        size = _torch_size(setting)
        self._at.max = max(size**2, 1)  # also clamps the position
        picture = _picture(setting, size, self._at.value - 1) if size else ""
        self._view.value = "".join((_formula(setting, size), self._compare(setting), picture))

    def _compare(self, setting: Setting) -> str:
        if self._yours is None:
            return ""
        n, f, p, s, d = setting
        try:
            outcome = f"says {self._yours(n, f, p=p, s=s, d=d)!r}"
        except NotImplementedError:
            outcome = "is still to be written"
        except Exception as error:  # an exception of the learner's function is shown as its result
            outcome = f"raises {type(error).__name__}"
        return f"<p>Your output_size {escape(outcome)}.</p>"


def _torch_size(setting: Setting) -> int:
    """The number of positions of torch's convolution along one side; 0 if it raises."""
    n, f, p, s, d = setting
    try:
        return F.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, f), None, s, p, d).shape[-1]
    except RuntimeError:
        return 0


def _answer(size: int) -> str:
    return f"out {size} x {size}" if size else "does not fit"


def _formula(setting: Setting, size: int) -> str:
    """The formula with its numbers, or an explanation if the filter does not fit."""
    n, f, p, s, d = setting
    reach = f"d(f&minus;1)+1 = {d}&middot;({f}&minus;1)+1 = {setting.reach}"
    if not size:
        return (
            f"<p>The filter covers {reach} pixels, and the padded image has only n+2p = "
            f"{setting.side}: give it more image, more padding or a smaller filter.</p>"
        )
    quotient = (setting.side - setting.reach) / s
    return (
        f"<p>The filter covers {reach} pixels.<br>"
        f"&lfloor;({n} + 2&middot;{p} &minus; {setting.reach}) / {s}&rfloor; + 1 = "
        f"&lfloor;{quotient:.4g}&rfloor; + 1 = <b>{size}</b> positions a side</p>"
    )


def _picture(setting: Setting, size: int, at: int) -> str:
    return picture(_draw([setting], [size], [at]), _words(setting, size))


def _words(setting: Setting, size: int) -> str:
    n, f, p, s, d = setting
    unread = n * n - int(_read(setting, size).sum()) ** 2
    spread = f", dilation {d}" if d > 1 else ""
    blind = f" {unread} of the {n * n} pixels are never read." if unread else ""
    return (
        f"A {f} by {f} filter on a {n} by {n} image, padding {p}, stride {s}{spread}: "
        f"{size} positions a side, so the output is {size} by {size}.{blind}"
    )


def _read(setting: Setting, size: int) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which of the n pixels along one side are read by any tap of any position."""
    n, f, p, s, d = setting
    read = np.zeros(n, dtype=bool)
    for x in (k * s + i * d - p for k in range(size) for i in range(f)):
        if 0 <= x < n:
            read[x] = True
    return read


def _draw(settings: Sequence[Setting], sizes: Sequence[int], at: Sequence[int]) -> Figure:
    """Input and output side by side for each setting, all cells of the same size."""
    sides = [side for one, size in zip(settings, sizes, strict=True) for side in (one.side, size)]
    widths = [max(side, 5) + 1 for side in sides]  # room for a title above a small output
    figure, ax = blank(sum(widths), max(sides) + 2, min(0.34, 8.5 / sum(widths)))
    left = 0
    for k, (setting, size, index) in enumerate(zip(settings, sizes, at, strict=True)):
        place = divmod(index, size)
        _draw_input(ax, left, setting, size, place)
        _draw_output(ax, left + widths[2 * k], size, place)
        left += widths[2 * k] + widths[2 * k + 1]
    return figure


def _draw_input(ax: Axes, left: int, setting: Setting, size: int, place: tuple[int, int]) -> None:
    n, f, p, s, d = setting
    x0, y0 = left, TITLE
    ax.add_patch(Rectangle((x0, y0), setting.side, setting.side, fc=PADDING))
    ax.add_patch(Rectangle((x0 + p, y0 + p), n, n, fc="white"))
    x, y = x0 + place[1] * s, y0 + place[0] * s
    for i, j in np.ndindex(f, f):
        ax.add_patch(Rectangle((x + d * i, y + d * j), 1, 1, fc=COLOURS[5], alpha=0.55))
    grid(ax, x0, y0, setting.side)
    reach = setting.reach
    ax.add_patch(Rectangle((x, y), reach, reach, fill=False, ec=COLOURS[0], lw=2.2, zorder=3))
    read = _read(setting, size)
    ys, xs = np.nonzero(~np.logical_and.outer(read, read))
    ax.plot(x0 + p + xs + 0.5, y0 + p + ys + 0.5, "x", color="0.35", ms=6)
    ys, xs = np.indices((size, size)) * s + reach / 2
    ax.plot(x0 + xs.ravel(), y0 + ys.ravel(), "o", color=COLOURS[3], ms=4)
    spread = f"  d={d}" if d > 1 else ""
    ax.text(x0, y0 - 0.3, f"in (1, {n}, {n})\nf={f}  p={p}  s={s}{spread}", fontsize=10)


def _draw_output(ax: Axes, left: int, size: int, place: tuple[int, int]) -> None:
    ax.add_patch(Rectangle((left, TITLE), size, size, fc="#F6D9C6"))
    grid(ax, left, TITLE, size)
    corner = (left + place[1], TITLE + place[0])
    ax.add_patch(Rectangle(corner, 1, 1, fc=COLOURS[5], ec=COLOURS[0], lw=2.2, zorder=3))
    ax.text(left, TITLE - 0.3, f"out (1, {size}, {size})", fontsize=10)
