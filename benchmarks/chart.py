"""Charts: seconds per submission by system and class size; waits in a large term by cores."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import median

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from benchmarks.figures import Spread, cost, size_of
from benchmarks.plan import CORES, GRADER, SYSTEMS, Bench
from benchmarks.term import SOON, Waits

COLOURS = dict(zip(SYSTEMS, ("#D55E00", "#E69F00", "#0072B2", "#56B4E9", "#009E73"), strict=True))


def draw(bench: Bench, path: Path) -> None:
    """Write the chart to `path`."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    draw_systems(left, bench)
    if bench.growth:
        draw_growth(right, bench)
    else:
        right.set_axis_off()
    figure.savefig(path, dpi=120)


def draw_systems(axes: Axes, bench: Bench) -> None:
    """Draw bars on a logarithmic scale: the median, with a whisker from minimum to maximum."""
    height = 0.8 / len(SYSTEMS)
    labels = []
    for row, (name, rounds) in enumerate(bench.classes.items()):
        size = size_of(bench, name)
        labels.append(f"{name}\n({size} submissions)")
        for place, system in enumerate(SYSTEMS):
            each = Spread.of([runs[system].seconds / size for runs in rounds])
            y = row + (place - (len(SYSTEMS) - 1) / 2) * height
            axes.barh(y, each.median, height, color=COLOURS[system], label="" if row else system)
            axes.plot([each.least, each.most], [y, y], color="black", linewidth=1)
            axes.annotate(
                f"{each.median:.2f}",
                (each.most, y),
                (4, 0),
                textcoords="offset points",
                va="center",
                fontsize=9,
            )
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.margins(x=0.15)
    axes.set_xlabel("seconds per submission (logarithmic)")
    axes.set_title(f"{CORES} cores: median, whisker min to max")
    axes.legend(fontsize=9)


def draw_growth(axes: Axes, bench: Bench) -> None:
    """Draw the grader's seconds per light submission, over the size of the class."""
    costs = cost(bench.growth)
    axes.plot(list(costs), list(costs.values()), "o-", color=COLOURS[GRADER])
    for size, each in costs.items():
        axes.annotate(
            f"{each:.2f}",
            (size, each),
            (0, 7),
            textcoords="offset points",
            ha="center",
            fontsize=9,
        )
    axes.set_xscale("log")
    axes.set_xticks(list(costs), [str(size) for size in costs])
    axes.minorticks_off()
    axes.margins(x=0.12)
    axes.set_ylim(0, 1.25 * max(costs.values()))
    axes.set_xlabel("submissions in the class (logarithmic)")
    axes.set_ylabel("seconds per submission")
    axes.set_title("Light submissions, grader, start-up included")


def draw_term(
    one: Mapping[int, Mapping[str, Waits]], cluster: Mapping[int, Mapping[str, Waits]], path: Path
) -> None:
    """Write the chart of a large term to `path`: the waits over the number of cores."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2)
    draw_waits(left, one, cluster, "last", 3600.0)
    left.set_ylabel("hours (logarithmic)")
    left.set_title("From the deadline to the last mark, if graded at once")
    draw_waits(right, one, cluster, "most", 60.0)
    right.axhline(SOON / 60, color="black", linewidth=1, linestyle=":")
    right.set_ylabel("minutes (logarithmic)")
    right.set_title("Hand-in to feedback, 99 of 100, last six hours")
    left.legend(fontsize=9)
    figure.savefig(path, dpi=120)


def draw_waits(
    axes: Axes,
    one: Mapping[int, Mapping[str, Waits]],
    cluster: Mapping[int, Mapping[str, Waits]],
    name: str,
    unit: float,
) -> None:
    """Draw one kind of wait: the middle lesson and the longest one, on a machine and a cluster."""
    for label, waits, style in (("one machine", one, "-"), ("Dask cluster", cluster, "--")):
        for which, pick, colour in (
            ("longest lesson", max, "#D55E00"),
            ("median lesson", median, "#0072B2"),
        ):
            values = [
                pick(getattr(wait, name) for wait in lessons.values()) / unit
                for lessons in waits.values()
            ]
            axes.plot(
                list(waits), values, "o" + style, color=colour, label=f"{which}, {label}", alpha=0.9
            )
    axes.set_xscale("log", base=2)
    axes.set_xticks(list(one), [str(cores) for cores in one])
    axes.set_yscale("log")
    axes.set_xlabel("cores (logarithmic)")
    axes.grid(alpha=0.3)
