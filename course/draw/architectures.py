"""The figures of lesson 06: models drawn from a run, their cost, and their gradients."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch
from matplotlib.ticker import Locator, LogLocator, MaxNLocator, NullLocator
from matplotlib.transforms import Bbox
from torch import nn

from course.draw.style import COLOURS, blank, show
from course.trace import Step, record

WORDS = {
    "add": "+",
    "batch_norm": "norm",
    "cat": "concat",
    "concat": "concat",
    "concatenate": "concat",
    "hardtanh": "ReLU6",  # what torch's ReLU6 calls
    "linear": "dense",
    "relu": "ReLU",
    "relu6": "ReLU6",
    "mean": "average",
}
# Steps with one input that keep its shape are written into the box of that input.
FOLDED = {"norm", "ReLU", "ReLU6", "clamp"}
HUES = {"conv": COLOURS[5], "dense": COLOURS[1], "pool": COLOURS[2], "average": COLOURS[2]}
BLOCK, JOIN = COLOURS[4], COLOURS[6]
COLUMNS = 6  # boxes side by side on a page
WIDTH, HEIGHT, GAP, BETWEEN, LEAD = (
    1.2,
    0.86,
    0.22,
    0.16,
    0.26,
)  # inches; LEAD: at both ends of a line


@dataclass
class _Box:
    words: list[str]
    shape: tuple[int, ...]
    hue: str
    inputs: list[int] = field(default_factory=list)
    parameters: int = 0


def architecture(
    model: nn.Module, x: torch.Tensor, title: str, closed: tuple[type[nn.Module], ...] = ()
) -> None:
    """A model as boxes and arrows, recorded by running it once on a batch `x` (N, C, H, W).

    A box shows the operation, its output shape (C, H, W), and its parameters; parallel steps
    stand side by side. Modules of a class in `closed` are one box each.
    """
    steps = record(model, x)
    boxes = _boxes(steps, closed)
    lines = _lines(_columns(boxes))
    lanes = [max(map(len, line)) * (HEIGHT + BETWEEN) for line in lines]
    tops = [0.35 + sum(lanes[:k]) + 0.22 * k for k in range(len(lines))]
    widest = max(map(len, lines)) * (WIDTH + GAP) - GAP
    figure, ax = blank(widest + 2 * LEAD, tops[-1] + lanes[-1], 1)
    total, work = sum(s.parameters for s in steps), sum(s.multiplications for s in steps)
    ax.text(0, 0.12, f"{title}: {total:,} parameters, {work:,} multiplications", va="center")
    place = {
        item: (LEAD + c * (WIDTH + GAP), top + (r + 0.5) / len(column) * lane)
        for line, lane, top in zip(lines, lanes, tops, strict=True)
        for c, column in enumerate(line)
        for r, item in enumerate(column)
    }
    # The output of the last box of a line enters the next line at the left.
    starts = {k: (place[k][0] + WIDTH, place[k][1]) for k in range(len(boxes))}
    for line, lane, top in zip(lines[:-1], lanes[1:], tops[1:], strict=True):
        end = starts[line[-1][0]]
        _arrow(ax, end, (end[0] + LEAD, end[1]))
        starts[line[-1][0]] = (0.0, top + lane / 2)
    for k, box in enumerate(boxes):
        _draw_box(ax, box, *place[k])
        for source in box.inputs:
            _draw_connection(ax, starts[source], (source, k), place)
    summary = "; ".join(_described(k, box, boxes) for k, box in enumerate(boxes))
    show(figure, f"{title}, {total:,} parameters, step by step: {summary}.")


def accuracy_cost(
    panels: Mapping[str, Mapping[str, tuple[float, float]]],
    fronts: Mapping[str, Collection[str]],
    costs: Mapping[str, str],
    spread: Mapping[str, float],
    alt: str,
) -> None:
    """Accuracy against cost, one panel per family: `panels[title][name]` is (cost, accuracy).

    Accuracies in %, costs in the unit `costs[title]`, on a logarithmic axis. The names in
    `fronts[title]`, the Pareto front, are joined by a line; the others are grey. `spread[title]`,
    if present, is half the length of each error bar, in percentage points.
    """
    figure = Figure(figsize=(9, 4))
    for ax, (title, points) in zip(figure.subplots(1, len(panels)), panels.items(), strict=True):
        front = sorted((points[name] for name in fronts[title]), key=lambda point: point[0])
        if front:
            ax.step(*zip(*front, strict=True), where="post", color=COLOURS[0], lw=1.2, alpha=0.6)
        values = np.array(list(points.values()))
        low, high = values.min(0), values.max(0)
        room = max(high[1] - low[1], 2.0) + 6 * spread.get(title, 0)
        ax.set(xscale="log", xlim=(low[0] / 3, high[0] * 2.2), xlabel=costs[title])
        ax.set(ylim=(low[1] - 0.15 * room, high[1] + 0.2 * room), ylabel="accuracy (%)")
        for axis, locator in (
            (ax.xaxis, LogLocator(subs=(1, 2, 5))),
            (ax.yaxis, MaxNLocator(6, steps=[1, 2, 5, 10])),
        ):
            ticks = _inside(locator, axis)
            axis.set_ticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.xaxis.set_minor_locator(NullLocator())
        for name, (cost, accuracy) in points.items():
            colour = COLOURS[0] if name in fronts[title] else "0.6"
            bar = spread.get(title)
            ax.errorbar(cost, accuracy, bar, fmt="o", ms=7, color=colour, elinewidth=0.8)
        ax.set_title(title, fontsize=11)
    figure.tight_layout(w_pad=3)
    for ax, (title, points) in zip(figure.axes, panels.items(), strict=True):
        _label(figure, ax, points, spread.get(title, 0.0))
    show(figure, alt)


def gradients_by_depth(stacks: Mapping[str, Sequence[float]], title: str, alt: str) -> None:
    """The RMS of the gradient in each block of some stacks, first block first, logarithmic."""
    figure = Figure(figsize=(8, 3.1))
    ax = figure.subplots()
    for marker, (name, sizes) in zip("os^D", stacks.items(), strict=False):
        ax.plot(range(1, len(sizes) + 1), sizes, marker, ms=4, label=name)
    ax.set(yscale="log", xlabel="block, from the input on", ylabel="gradient (RMS)")
    for axis, locator in ((ax.xaxis, MaxNLocator(9, integer=True)), (ax.yaxis, LogLocator())):
        axis.set_ticks(_inside(locator, axis))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_title(title, fontsize=11)
    ax.legend(frameon=False, fontsize=10)
    show(figure, alt)


def _boxes(steps: Sequence[Step], closed: tuple[type[nn.Module], ...]) -> list[_Box]:
    """The boxes: each with its folded steps; inputs are indices of boxes."""
    readers = np.bincount([number for step in steps for number in step.inputs] or [0])
    boxes: list[_Box] = []
    box_of: list[int] = []  # the box of each step
    calls: dict[int, int] = {}  # the box of each call of a closed module
    for step in steps:
        sources = [box_of[number] for number in step.inputs]
        word = _word(step)
        call = next((c for m, c in step.blocks if isinstance(m, closed)), None)
        if call is not None and call in calls:
            box_of.append(calls[call])
            boxes[box_of[-1]].shape = step.shape
            boxes[box_of[-1]].inputs += [
                k for k in sources if k not in (box_of[-1], *calls.values())
            ]
        elif call is None and _is_folded(word, step, readers, boxes, sources):
            box_of.append(sources[0])
            boxes[box_of[-1]].words.append(word)
        else:
            box_of.append(len(boxes))
            if call is not None:
                calls[call] = box_of[-1]
                module = next(m for m, c in step.blocks if c == call)
                boxes.append(_Box([type(module).__name__], step.shape, BLOCK, sources))
            else:
                hue = next((HUES[k] for k in HUES if k in word), JOIN if len(sources) > 1 else "1")
                boxes.append(_Box(word.split(": "), step.shape, hue, sources))
        boxes[box_of[-1]].parameters += step.parameters
    for box in boxes:
        box.inputs = list(dict.fromkeys(box.inputs))
    return boxes


def _is_folded(
    word: str, step: Step, readers: Any, boxes: Sequence[_Box], sources: Sequence[int]
) -> bool:
    """Whether a step is written into the box of its input."""
    return (
        word in FOLDED
        and len(step.inputs) == 1
        and readers[step.inputs[0]] == 1
        and boxes[sources[0]].words[0] != "input"
        and boxes[sources[0]].hue != BLOCK
    )


def _word(step: Step) -> str:
    """The label of a step."""
    name = step.name
    word = WORDS.get(name, name)
    if name == "conv2d":
        word = "conv"
    elif "pool2d" in name:
        word = "max pool" if "max" in name else "average pool"
    if step.window is None:
        return word
    f, stride = step.window
    separator = ": " if word != "conv" else " "  # a pool's window is on a separate line
    return f"{word}{separator}{f}×{f}" + (f", /{stride}" if stride > 1 else "")


def _columns(boxes: Sequence[_Box]) -> list[list[Any]]:
    """Boxes by depth. A connection past a column is an item of it: (source, target, depth)."""
    depth: list[int] = []
    for box in boxes:
        depth.append(1 + max((depth[k] for k in box.inputs), default=-1))
    columns: list[list[Any]] = [[] for _ in range(max(depth) + 1)]
    for k in range(len(boxes)):
        columns[depth[k]].append(k)
    for target, box in enumerate(boxes):
        for source in box.inputs:
            for d in range(depth[source] + 1, depth[target]):
                columns[d].append((source, target, d))
    order: dict[Any, float] = {}
    for column in columns:
        above = {item: _sources(item, boxes, depth) for item in column}
        column.sort(
            key=lambda item: (
                np.mean([order[k] for k in above[item]]) if above[item] else 0.0,
                isinstance(item, tuple),
                item if isinstance(item, int) else item[1],
            )
        )
        for r, item in enumerate(column):
            order[item] = (r + 0.5) / len(column)
    return columns


def _sources(item: Any, boxes: Sequence[_Box], depth: Sequence[int]) -> list[Any]:
    """The items of the previous column that lead to an item."""
    if isinstance(item, tuple):
        source, target, d = item
        return [source if depth[source] == d - 1 else (source, target, d - 1)]
    return [
        k if depth[k] == depth[item] - 1 else (k, item, depth[item] - 1) for k in boxes[item].inputs
    ]


def _lines(columns: list[list[Any]]) -> list[list[list[Any]]]:
    """The columns split into lines that fit the page, only where a single box connects them."""
    lines = []
    while len(columns) > COLUMNS:
        cuts = [k for k in range(1, len(columns)) if len(columns[k - 1]) == 1]
        cut = max([k for k in cuts if k <= COLUMNS and k > 1] or cuts[:1])
        lines.append(columns[:cut])
        columns = columns[cut:]
    return [*lines, columns]


def _draw_box(ax: Axes, box: _Box, left: float, middle: float) -> None:
    ax.add_patch(
        FancyBboxPatch(
            (left + 0.05, middle - HEIGHT / 2 + 0.05),
            WIDTH - 0.1,
            HEIGHT - 0.1,
            boxstyle="round,pad=0.05,rounding_size=0.06",
            fc=_pale(box.hue),
            ec="0.3",
        )
    )
    words = [box.words[0], *([", ".join(box.words[1:])] if box.words[1:] else [])]
    words.append(f"({', '.join(map(str, box.shape))}{',' * (len(box.shape) == 1)})")
    words += [f"{box.parameters:,}"] if box.parameters else []
    ax.text(left + WIDTH / 2, middle, "\n".join(words), ha="center", va="center", fontsize=9)


def _draw_connection(
    ax: Axes,
    start: tuple[float, float],
    connection: tuple[int, int],
    place: Mapping[Any, tuple[float, float]],
) -> None:
    """The connection from `start` to the box connection[1], past the boxes between."""
    passed = sorted(item for item in place if isinstance(item, tuple) and item[:2] == connection)
    points = [start]
    for item in passed:
        x, y = place[item]
        points += [(x, y), (x + WIDTH, y)]
    if passed:
        ax.plot(*zip(*points, strict=True), color="0.3", lw=1, solid_joinstyle="round")
    _arrow(ax, points[-1], place[connection[1]])


def _arrow(ax: Axes, start: tuple[float, float], end: tuple[float, float]) -> None:
    ax.annotate(
        "",
        end,
        start,
        arrowprops={"arrowstyle": "-|>", "color": "0.3", "lw": 1, "shrinkA": 0, "shrinkB": 0},
    )


def _pale(hue: str) -> tuple[float, ...]:
    return tuple(0.65 + 0.35 * part for part in to_rgb(hue))


def _described(k: int, box: _Box, boxes: Sequence[_Box]) -> str:
    """A box as text, with its inputs unless it is only the box before it."""
    words = f"{', '.join(box.words)} {box.shape}"
    if not box.inputs or box.inputs == [k - 1]:
        return words
    return f"{words} from {' and '.join(', '.join(boxes[s].words) for s in box.inputs)}"


def _inside(locator: Locator, axis: Axis) -> list[float]:
    """The ticks of `locator` within the limits of the axis."""
    low, high = axis.get_view_interval()
    locator.set_axis(axis)
    return [float(tick) for tick in locator.tick_values(low, high) if low <= tick <= high]


def _label(figure: Figure, ax: Axes, points: Mapping[str, tuple[float, float]], bar: float) -> None:
    """Write each point's name beside it, away from other names, points and error bars."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    taken = []
    for cost, accuracy in points.values():
        (x, low), (_, high) = ax.transData.transform([(cost, accuracy + k * bar) for k in (-1, 1)])
        middle = (low + high) / 2
        taken += [Bbox([[x - 2, low], [x + 2, high]])]
        taken += [Bbox([[x - 6, middle - 6], [x + 6, middle + 6]])]
    places = [(-7, 9, "right"), (7, -11, "left"), (-7, -11, "right"), (7, 11, "left")]
    places += [(-9, 0, "right"), (9, 0, "left"), (-7, 21, "right"), (7, -23, "left")]
    end = ax.transData.transform((1, bar))[1] - ax.transData.transform((1, 0))[1] + 9
    places += [(0, -end, "center"), (0, end, "center"), (0, -2 * end, "center")]
    for name, point in points.items():
        for dx, dy, align in places:
            text = ax.annotate(
                name, point, (dx, dy), textcoords="offset pixels", ha=align, va="center", fontsize=9
            )
            box = text.get_window_extent(renderer)
            inside = ax.bbox.x0 <= box.x0 and box.x1 <= ax.bbox.x1
            free = inside and not any(box.overlaps(other) for other in taken)
            if free or (dx, dy, align) == places[-1]:
                break
            text.remove()
        taken.append(box)
