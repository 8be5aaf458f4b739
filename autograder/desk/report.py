"""A page that shows a class how it did: histogram, marks by exercise, what went wrong most.

One HTML file with its pictures inside: it opens anywhere, and every word of a submission in it
is escaped.
"""

from __future__ import annotations

import base64
import io
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import matplotlib.ticker as ticker
from jinja2 import Environment, PackageLoader
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from autograder.authoring.answer_bank import exercise_named
from autograder.grading.results import Result
from autograder.grading.verdict import NO_ANSWER, PASSED

# Okabe and Ito's palette, safe for the colour-blind.
ENOUGH, LITTLE = "#0072B2", "#E69F00"
MOST = 8


@dataclass(frozen=True)
class Complaint:
    """A test that answers failed: how many, and what it said most often."""

    test: str
    learners: int
    message: str


@dataclass(frozen=True)
class Chapter:
    """What the page says of one assignment."""

    name: str
    histogram: str
    histogram_alt: str
    exercises: str
    exercises_alt: str
    complaints: list[Complaint]
    results: list[Result]


def write_report(results: Iterable[Result], path: Path, title: str) -> None:
    """Write the page about `results`, a section for each assignment, to `path`."""
    by_assignment: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_assignment[result.assignment].append(result)
    chapters = [chapter(name, found) for name, found in sorted(by_assignment.items())]
    templates = Environment(loader=PackageLoader("autograder.desk"), autoescape=True)
    page = templates.get_template("report.html.j2").render(title=title, chapters=chapters)
    path.write_text(page, encoding="utf-8")


def chapter(name: str, results: list[Result]) -> Chapter:
    """The pictures and lists of one assignment."""
    shares = [share(result.score, result.max_score) for result in results]
    earned = earned_by_exercise(results)
    return Chapter(
        name,
        picture(draw_histogram(shares)),
        f"Histogram of {len(shares)} marks: the middle one is {100 * middle(shares):.0f} per cent.",
        picture(draw_exercises(earned)),
        "Average marks by exercise: "
        + ", ".join(f"{name} {100 * value:.0f} per cent" for name, value in earned.items()),
        complaints(results),
        sorted(results, key=lambda result: result.student),
    )


def share(score: float, max_score: float) -> float:
    """A mark between 0 and 1."""
    return score / max_score if max_score else 0.0


def middle(values: list[float]) -> float:
    """The median; the lower one of two."""
    return sorted(values)[(len(values) - 1) // 2]


def earned_by_exercise(results: list[Result]) -> dict[str, float]:
    """The average share of the points of each exercise, in the order of the lesson."""
    points: dict[str, float] = defaultdict(float)
    possible: dict[str, float] = defaultdict(float)
    for cell in (cell for result in results for cell in result.cells):
        points[exercise_named(cell.grade_id)] += cell.points or 0
        possible[exercise_named(cell.grade_id)] += cell.max_points
    return {name: share(points[name], possible[name]) for name in possible}


def complaints(results: list[Result]) -> list[Complaint]:
    """The tests that most answers failed; what was not answered is another matter."""
    said: dict[str, Counter[str]] = defaultdict(Counter)
    for cell in (cell for result in results for cell in result.cells):
        if cell.outcome != PASSED and cell.message not in ("", NO_ANSWER):
            said[cell.grade_id][cell.message] += 1
    worst = sorted(said.items(), key=lambda item: -item[1].total())[:MOST]
    return [Complaint(test, said.total(), said.most_common(1)[0][0]) for test, said in worst]


def draw_histogram(shares: list[float]) -> Figure:
    """How many learners earned how much."""
    figure = new_figure(5.2, 2.6)
    axes = figure.subplots()
    bins = [step / 10 for step in range(11)]
    axes.hist(shares, bins=bins, color=ENOUGH, edgecolor="white")
    axes.set(xlabel="share of the points", ylabel="learners", xlim=(0, 1))
    axes.xaxis.set_major_formatter(ticker.PercentFormatter(1))
    axes.yaxis.set_major_locator(ticker.MaxNLocator(integer=True))
    return tidy(figure, axes)


def draw_exercises(earned: dict[str, float]) -> Figure:
    """The average share of the points, an exercise a bar, the first on top."""
    figure = new_figure(5.2, 0.9 + 0.28 * len(earned))
    axes = figure.subplots()
    names = list(earned)[::-1]
    values = [earned[name] for name in names]
    axes.barh(names, values, color=[ENOUGH if value >= 0.5 else LITTLE for value in values])
    for place, value in enumerate(values):
        axes.text(value + 0.01, place, f"{100 * value:.0f} %", va="center", fontsize=9)
    axes.set(xlabel="average share of the points", xlim=(0, 1.12))
    axes.xaxis.set_major_formatter(ticker.PercentFormatter(1))
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1])
    return tidy(figure, axes)


def new_figure(width: float, height: float) -> Figure:
    """A figure of its own, not pyplot's: this may run beside other threads."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def tidy(figure: Figure, axes: Axes) -> Figure:
    """Take away the lines that say nothing."""
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def picture(figure: Figure) -> str:
    """A figure as the source of an img element."""
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=160)
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
