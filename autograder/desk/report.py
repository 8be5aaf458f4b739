"""The report on a class: histogram of marks, marks by exercise, most frequent failures.

One HTML file with embedded pictures, readable anywhere. All text of submissions is escaped.
"""

from __future__ import annotations

import base64
import io
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import median_low

import matplotlib.ticker as ticker
from jinja2 import Environment, PackageLoader
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from autograder.authoring.answer_bank import exercise_named
from autograder.grading.results import Result
from autograder.grading.verdict import NO_ANSWER, PASSED

# Okabe and Ito's palette, safe for the colour-blind.
HIGH, LOW = "#0072B2", "#E69F00"
MAX_FAILURES = 8


@dataclass(frozen=True)
class Failure:
    """A failed test: number of learners, and the most frequent message."""

    test: str
    learners: int
    message: str


@dataclass(frozen=True)
class Section:
    """The contents of the report for one assignment."""

    name: str
    histogram: str
    histogram_alt: str
    exercises: str
    exercises_alt: str
    failures: list[Failure]
    results: list[Result]


def write_report(results: Iterable[Result], path: Path, title: str) -> None:
    """Write the report on `results` to `path`, with one section per assignment."""
    by_assignment: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_assignment[result.assignment].append(result)
    sections = [section(name, group) for name, group in sorted(by_assignment.items())]
    templates = Environment(loader=PackageLoader("autograder.desk"), autoescape=True)
    page = templates.get_template("report.html.j2").render(title=title, sections=sections)
    path.write_text(page, encoding="utf-8")


def section(name: str, results: list[Result]) -> Section:
    """Return the section of one assignment."""
    fractions = [fraction(result.score, result.max_score) for result in results]
    earned = earned_by_exercise(results)
    return Section(
        name,
        data_url(draw_histogram(fractions)),
        f"Histogram of {len(fractions)} marks: the median is {100 * median_low(fractions):.0f} %.",
        data_url(draw_exercises(earned)),
        "Average marks by exercise: "
        + ", ".join(f"{name} {100 * value:.0f} %" for name, value in earned.items()),
        most_frequent_failures(results),
        sorted(results, key=lambda result: result.student),
    )


def fraction(score: float, max_score: float) -> float:
    """Return a mark between 0 and 1."""
    return score / max_score if max_score else 0.0


def earned_by_exercise(results: list[Result]) -> dict[str, float]:
    """Return the average fraction of the points of each exercise, in the order of the lesson."""
    points: dict[str, float] = defaultdict(float)
    possible: dict[str, float] = defaultdict(float)
    for cell in (cell for result in results for cell in result.cells):
        points[exercise_named(cell.grade_id)] += cell.points or 0
        possible[exercise_named(cell.grade_id)] += cell.max_points
    return {name: fraction(points[name], possible[name]) for name in possible}


def most_frequent_failures(results: list[Result]) -> list[Failure]:
    """Return the tests that most answers failed; missing answers do not count."""
    messages: dict[str, Counter[str]] = defaultdict(Counter)
    for cell in (cell for result in results for cell in result.cells):
        if cell.outcome != PASSED and cell.message not in ("", NO_ANSWER):
            messages[cell.grade_id][cell.message] += 1
    worst = sorted(messages.items(), key=lambda item: -item[1].total())[:MAX_FAILURES]
    return [Failure(test, counts.total(), counts.most_common(1)[0][0]) for test, counts in worst]


def draw_histogram(fractions: list[float]) -> Figure:
    """Return a histogram of the learners' marks."""
    figure = new_figure(5.2, 2.6)
    axes = figure.subplots()
    bins = [step / 10 for step in range(11)]
    axes.hist(fractions, bins=bins, color=HIGH, edgecolor="white")
    axes.set(xlabel="points earned (%)", ylabel="learners", xlim=(0, 1))
    axes.xaxis.set_major_formatter(ticker.PercentFormatter(1))
    axes.yaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    return tidy(figure, axes)


def draw_exercises(earned: dict[str, float]) -> Figure:
    """Return a bar chart of the average marks: one bar per exercise, the first on top."""
    figure = new_figure(5.2, 0.9 + 0.28 * len(earned))
    axes = figure.subplots()
    names = list(earned)[::-1]
    values = [earned[name] for name in names]
    axes.barh(names, values, color=[HIGH if value >= 0.5 else LOW for value in values])
    for place, value in enumerate(values):
        axes.text(value + 0.01, place, f"{100 * value:.0f} %", va="center", fontsize=9)
    axes.set(xlabel="points earned, average (%)", xlim=(0, 1.12))
    axes.xaxis.set_major_formatter(ticker.PercentFormatter(1))
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    return tidy(figure, axes)


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure without pyplot, which is not thread-safe."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy(figure: Figure, axes: Axes) -> Figure:
    """Remove the top and right spines; return the figure."""
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def data_url(figure: Figure) -> str:
    """Return a figure as a data URL, for an img element."""
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=160)
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
