"""Benchmark: what the engine takes beside stock nbgrader, on the same submissions, in one run.

    a class from the bank of answers -> rounds of the contenders -> figures -> bench.json, bench.png

    stock            nbgrader autograde LESSON
    stock, all cores the same once a student, as many at a time as there are cores (xargs -P),
                     with one thread each: with torch's own number they fight for the cores
    engine           autograder grade LESSON
    limit            the processor time of the cells in a warm process, divided by the cores

An examiner doubles the kernels: what that costs is measured on the same submissions, each executed
in one kernel and in two.

The first three are the commands a user would type, from their start to their end, each on a fresh
copy of a course whose gradebook knows the lesson. They take turns within a round, in another order
each round, so that a busy hour of the machine is everybody's. For Linux: it reads /proc.
"""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import chdir, contextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import Any, TextIO

import nbformat
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.utils import is_solution
from rich.table import Table
from traitlets.config import Config

from autograder.authoring.answer_bank import exercise_of
from autograder.authoring.build import build, notebook_path
from autograder.desk.demo import (
    COUNTING,
    LENET,
    STUDENTS,
    choose,
    copy_lesson,
    right_and_wrong,
    submit,
)
from autograder.errors import LessonError, UsageError, one_line
from autograder.execution.execute import ExecuteBounded, execute
from autograder.grading.course import imports_of, open_course, prepare
from autograder.limits import Limits
from autograder.sandbox.fork_client import PRELOAD, SERVER_ENV, ForkServer
from autograder.sandbox.fork_server import preload

SERIAL, PARALLEL, ENGINE, LIMIT = "stock", "stock, all cores", "engine", "limit"
CONTENDERS = (SERIAL, PARALLEL, ENGINE, LIMIT)
LIGHT = "00_doubling"
CORES = os.cpu_count() or 1
EXAMINED = 6  # submissions that are executed both ways
SEED = 1998
UNIQUE = ("Private_Clean", "Private_Dirty")  # of /proc/PID/smaps_rollup: shared with no process
COLOURS = dict(zip(CONTENDERS, ("#D55E00", "#E69F00", "#0072B2", "#009E73"), strict=True))

Marks = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Plan:
    """How much is measured: submissions of a lesson, rounds, class sizes, kernels started."""

    counting: int = 48
    lenet: int = 16
    rounds: int = 3
    sizes: tuple[int, ...] = (50, 200, 1000)
    kernels: int = 10

    @property
    def lessons(self) -> dict[str, tuple[str, int]]:
        """By its name in bench.json: the lesson, and how many submissions it has."""
        return {"lenet": (LENET, self.lenet), "counting": (COUNTING, self.counting)}

    @property
    def steps(self) -> int:
        """How often run_bench() calls `step`."""
        return 2 * (2 + self.rounds * len(CONTENDERS)) + len(self.sizes) + 1


QUICK = Plan(counting=2, lenet=2, rounds=1, sizes=(2, 4), kernels=3)


@dataclass(frozen=True)
class Run:
    """One contender's turn: seconds it took, and the most memory its own process held at a time."""

    seconds: float
    peak_mb: float = 0.0
    marks: Marks = field(default_factory=dict)
    said: str = ""


Round = dict[str, Run]


@dataclass(frozen=True)
class Bench:
    """All that was measured; `growth` by class size, `starts` in seconds, `unique` in MB."""

    plan: Plan
    lessons: dict[str, list[Round]]
    growth: dict[int, Run]
    starts: list[float]
    unique: list[float]
    examined: dict[str, list[float]]  # by lesson: how many times as long two kernels take as one


def run_bench(root: Path, plan: Plan, step: Callable[[], None]) -> Bench:
    """Measure everything in a scratch folder; `step` is called `plan.steps` times.

    Raises UsageError outside the repository, LessonError where a contender could not grade.
    """
    if not (root / "answers").is_dir():
        raise UsageError(f"no bank of answers in {root}: run this in the course's repository")
    with tempfile.TemporaryDirectory(prefix="bench-") as scratch:
        folder = Path(scratch)
        lessons, examined = {}, {}
        for name, (lesson, size) in plan.lessons.items():
            make_class(root, folder / name, lesson, size)
            lessons[name] = compare(folder / name, lesson, plan.rounds, step)
            examined[name] = two_kernels(folder / name, lesson, plan.rounds)
            step()
        make_light_class(root, folder / "light", max(plan.sizes))
        growth = grow(folder / "light", plan.sizes, step)
        starts, unique = start_kernels(modules(folder / "counting", COUNTING), plan.kernels)
        step()
    return Bench(plan, lessons, growth, starts, unique, examined)


# The classes


def make_class(root: Path, folder: Path, lesson: str, size: int) -> None:
    """A course in `folder`: `size` students like those of the demo answer from the bank."""
    copy_lesson(root, folder, lesson)
    choices, dice = right_and_wrong(root, lesson), random.Random(SEED)
    for number, ability in enumerate(islice(cycle(STUDENTS.values()), size), 1):
        submit(folder, lesson, f"student-{number:04}", choose(choices, *ability, dice))
    register(folder, lesson)


def make_light_class(root: Path, folder: Path, size: int) -> None:
    """A course in `folder` with the smallest lesson: every other student answers nothing."""
    (folder / "lessons").mkdir(parents=True)
    shutil.copy(root / "benchmarks" / "lessons" / f"{LIGHT}.py", folder / "lessons")
    shutil.copy(root / "nbgrader_config.py", folder)
    build(folder, tell=lambda line: None)
    source = nbformat.read(notebook_path(folder / "source", LIGHT), as_version=4)
    solutions = {exercise_of(cell): cell.source for cell in source.cells if is_solution(cell)}
    for number in range(1, size + 1):
        submit(folder, LIGHT, f"student-{number:04}", solutions if number % 2 else {})
    register(folder, LIGHT)


def register(folder: Path, lesson: str) -> None:
    """Enter the lesson in the gradebook of the course in `folder`: nobody's turn pays for it."""
    with chdir(folder):
        prepare(open_course(), lesson)


def modules(folder: Path, lesson: str) -> set[str]:
    """What the engine imports before it forks the lesson's kernels."""
    with chdir(folder):
        return {*PRELOAD, *imports_of(open_course(), [lesson])}


@contextmanager
def fresh_copy(course: Path, size: int | None = None) -> Iterator[Path]:
    """A copy of `course`, with its first `size` students (all), for as long as it is needed."""

    def left_out(folder: str, names: list[str]) -> list[str]:
        return sorted(names)[size:] if size and Path(folder) == course / "submitted" else []

    with tempfile.TemporaryDirectory(prefix="turn-", dir=course.parent) as copy:
        yield Path(shutil.copytree(course, copy, ignore=left_out, dirs_exist_ok=True))


# The contenders


def compare(course: Path, lesson: str, rounds: int, step: Callable[[], None]) -> list[Round]:
    """Rounds in which all contenders grade the class of `course`, in another order each time.

    The engine grades it once before the clock runs: then files are in memory for all, and its
    notebooks hold the cells that everybody executes.
    """
    found: list[Round] = []
    with fresh_copy(course) as graded:
        grade(ENGINE, graded, lesson)
        notebooks = sorted((graded / "autograded").glob(f"*/{lesson}/*.ipynb"))
        step()
        for number in range(rounds):
            turns: Round = {}
            for contender in rotated(CONTENDERS, number):
                if contender == LIMIT:
                    turns[contender] = limit(notebooks, modules(course, lesson))
                else:
                    turns[contender] = contend(contender, course, lesson)
                step()
            found.append(turns)
    return found


def rotated(names: Sequence[str], by: int) -> list[str]:
    """`names`, beginning with another one for each `by`."""
    first = by % len(names)
    return [*names[first:], *names[:first]]


def contend(contender: str, course: Path, lesson: str, size: int | None = None) -> Run:
    """One turn of a contender on a fresh copy of `course`, or of its first `size` students."""
    with fresh_copy(course, size) as folder:
        return grade(contender, folder, lesson)


def grade(contender: str, folder: Path, lesson: str) -> Run:
    """Let a contender grade the course in `folder`.

    Raises LessonError where it did not grade everybody; but under xargs stock may lose some.
    """
    done = run(command(contender, lesson), folder)
    marks = marks_in(folder, lesson)
    missing = {path.name for path in (folder / "submitted").iterdir()} - marks.keys()
    if missing and contender != PARALLEL:
        ending = done.said.strip()[-500:]
        raise LessonError(f"{lesson}: {contender} did not grade {min(missing)}: {ending}")
    return replace(done, marks=marks)


def command(contender: str, lesson: str) -> list[str]:
    """What a user would type, with this environment's programs."""
    autograde = [sys.executable, "-m", "nbgrader", "autograde", lesson]
    if contender == SERIAL:
        return autograde
    if contender == ENGINE:
        return [str(Path(sys.executable).parent / "autograder"), "grade", lesson]
    each = ["env", "OMP_NUM_THREADS=1", "xargs", "-P", str(CORES), "-I{}"]
    each += [*autograde, "--student", "{}"]
    return ["sh", "-c", 'ls submitted | "$@"', "sh", *each]


def marks_in(folder: Path, lesson: str) -> Marks:
    """The points of each graded cell of each student who was graded, from the gradebook."""
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        return {
            entry.student.id: {g.cell.name: g.score for n in entry.notebooks for g in n.grades}
            for entry in gradebook.assignment_submissions(lesson)
            if notebook_path(folder / "autograded" / entry.student.id, lesson).exists()
        }


def run(argv: Sequence[str], folder: Path) -> Run:
    """Run a command in `folder`, without a setting that would lend stock the engine's kernels."""
    environment = {k: v for k, v in os.environ.items() if k != "JUPYTER_DEFAULT_PROVISIONER_NAME"}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    peak = 0.0
    with tempfile.TemporaryFile("w+") as said:
        began = time.monotonic()
        process = subprocess.Popen(
            argv,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            process_group=0,
        )
        ended = os.pidfd_open(process.pid)
        try:
            while not select.select([ended], [], [], 0.1)[0]:
                peak = max(peak, memory_mb(process.pid, "status", "VmHWM"))
            seconds = time.monotonic() - began
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
        finally:
            os.close(ended)
            process.wait()
        said.seek(0)
        return Run(seconds, peak, said=said.read())


def memory_mb(pid: int, file: str, *fields: str) -> float:
    """The sum of `fields` in /proc/`pid`/`file`, in MB; 0 where they cannot be read."""
    with suppress(OSError):
        lines = [line.split() for line in Path(f"/proc/{pid}/{file}").read_text().splitlines()]
        return sum(int(line[1]) for line in lines if line[0].rstrip(":") in fields) / 1024
    return 0.0


# The limit


def limit(notebooks: Sequence[Path], preloaded: set[str]) -> Run:
    """What the cells of the executed `notebooks` cost at least: their processor time by the cores.

    Each notebook has a process of its own, forked from one that has imported what the engine's
    server imports, with one thread for arithmetic as the engine's kernels have. As many run at a
    time as there are cores: a core is slower when its neighbour works, and in a class it does.
    Counted is from before the first cell to after the last. Within it, IPython runs each cell, as
    cells are written for it, and turns into data what they show: tables, pictures. Left out is
    what a grader adds: start, messages, the pages of a traceback, reading and writing.
    """
    with tempfile.TemporaryDirectory(prefix="ipython-") as settings:
        asked = {"notebooks": [str(path) for path in notebooks], "preload": sorted(preloaded)}
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.bench"],
            input=json.dumps(asked),
            env={**os.environ, **SERVER_ENV, "IPYTHONDIR": settings},
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    answers = json.loads(done.stdout)
    for answer in answers:
        if "error" in answer:
            raise LessonError(f"{answer['notebook']} in a warm process: {answer['error']}")
    cpu = sum(answer["seconds"] for answer in answers)
    otherwise = sum(
        answer["failed"] != failed_cells(nbformat.read(answer["notebook"], as_version=4))
        for answer in answers
    )
    said = f"other cells failed in {otherwise} notebooks" if otherwise else ""
    return Run(cpu / CORES, said=said)


def failed_cells(notebook: NotebookNode) -> list[int]:
    """The numbers of the code cells of an executed notebook that ended with an error."""
    return [
        number
        for number, cell in enumerate(c for c in notebook.cells if c.cell_type == "code")
        if any(output.output_type == "error" for output in cell.outputs)
    ]


def warm_process() -> None:
    """Runs as __main__, for limit(): a child for each notebook that standard input names."""
    asked = json.load(sys.stdin)
    preload(asked["preload"])
    read, write = os.pipe()
    answers = []
    with os.fdopen(read) as lines:
        for number, notebook in enumerate(asked["notebooks"]):
            if number >= CORES:
                answers.append(next_answer(lines))
            if not os.fork():
                run_notebook(Path(notebook), write)
        while len(answers) < len(asked["notebooks"]):
            answers.append(next_answer(lines))
    print(json.dumps(answers))


def next_answer(lines: TextIO) -> Any:
    """What the next child that ends has to say."""
    if os.wait()[1]:
        return {"notebook": "", "error": "a cell ended the process"}
    return json.loads(lines.readline())


def run_notebook(path: Path, answer: int) -> None:
    """Run all code cells and write to the file `answer` what they took; does not return."""
    try:
        said = {"notebook": str(path), **time_cells(path)}
    except BaseException as error:  # a child must not go on as its parent would
        said = {"notebook": str(path), "error": one_line(error)}
    os.write(answer, f"{json.dumps(said)}\n".encode())
    os._exit(0)


def time_cells(path: Path) -> dict[str, Any]:
    """Processor seconds of the code cells of a notebook, and the numbers of those that failed."""
    notebook = nbformat.read(path, as_version=4)
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    os.chdir(path.parent)
    null = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(null, number)
    shell = QuietShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
    shell.enable_matplotlib("inline")
    began = time.process_time()
    ended = [shell.run_cell(source, store_history=True).success for source in cells]
    seconds = time.process_time() - began
    failed = [number for number, success in enumerate(ended) if not success]
    return {"seconds": seconds, "failed": failed}


class QuietShell(InteractiveShell):
    """IPython without its pages about an error: they are no work of the cell's."""

    def showtraceback(self, *_: object, **__: object) -> None:
        pass

    def enable_gui(self, gui: object = None) -> None:
        """There are no windows here; IPython wants to know before it draws figures inline."""


# The engine by itself


def two_kernels(course: Path, lesson: str, rounds: int) -> list[float]:
    """How many times as long two kernels take as one, in each round of a few submissions."""
    paths = sorted((course / "submitted").glob(f"*/{lesson}/{lesson}.ipynb"))[:EXAMINED]
    graded = nbformat.read(notebook_path(course / "source", lesson), as_version=4)
    ForkServer.shared(modules(course, lesson))
    execute(graded, {}, Limits())  # the server is warm
    found = []
    for number in range(rounds):
        seconds = {True: 0.0, False: 0.0}
        for path in paths:
            notebook = nbformat.read(path, as_version=4)
            for one_kernel in (True, False) if number % 2 else (False, True):
                done = execute(with_tests(notebook, graded), {}, Limits(), one_kernel)
                seconds[one_kernel] += done.metadata["seconds"]
        found.append(seconds[False] / seconds[True])
    return found


def with_tests(notebook: NotebookNode, source: NotebookNode) -> NotebookNode:
    """A submission with the hidden tests of its lesson."""
    texts = {cell["id"]: cell.source for cell in source.cells if cell.metadata.get("nbgrader")}
    made = deepcopy(notebook)
    for cell in made.cells:
        if cell.cell_type == "code" and not is_solution(cell):
            cell.source = texts.get(cell["id"], cell.source)
    return made


def grow(course: Path, sizes: Sequence[int], step: Callable[[], None]) -> dict[int, Run]:
    """The engine's turn on the first so many students of `course`, by their number."""
    found = {}
    for size in sizes:
        found[size] = contend(ENGINE, course, LIGHT, size)
        step()
    return found


def start_kernels(preloaded: set[str], count: int) -> tuple[list[float], list[float]]:
    """Seconds from asking for a kernel to its being ready, and its unique memory then, in MB.

    One after the other, from a warm server: a first kernel, which waits for it, is not counted.
    """
    ForkServer.shared(preloaded)
    found = [start_kernel() for _ in range(count + 1)][1:]
    ForkServer.shared().close()
    return [seconds for seconds, _ in found], [memory for _, memory in found]


def start_kernel() -> tuple[float, float]:
    """Seconds until a kernel was ready, and what memory its processes share with no other."""
    steps, before = ExecuteBounded(Limits()), descendants(os.getpid())
    with tempfile.TemporaryDirectory(prefix="w-") as scratch:
        began = time.monotonic()
        with steps.setup_kernel(cwd=scratch):
            seconds = time.monotonic() - began
            started = descendants(os.getpid()) - before
            unique = [memory_mb(pid, "smaps_rollup", *UNIQUE) for pid in started]
    return seconds, sum(unique)


def descendants(pid: int) -> set[int]:
    """The processes that `pid` started, and those that they did."""
    children: dict[int, set[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            # The name, in brackets, may hold anything; then come the state and the parent.
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, set()).add(int(folder.name))
    found, front = set[int](), {pid}
    while front:
        front = set[int]().union(*(children.get(parent, ()) for parent in front))
        found |= front
    return found


# The figures


@dataclass(frozen=True)
class Spread:
    """The median of some rounds, with the least and the most."""

    least: float
    median: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """The spread of `values`, of which there is at least one."""
        return cls(min(values), median(values), max(values))

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.least:.2f} to {self.most:.2f})"


def ratios(seconds: Mapping[str, float]) -> dict[str, float]:
    """What the seconds of one round say of the engine, by the names of bench.json.

    vs_serial and vs_parallel: how many times faster it is than stock; of_limit: the share of its
    time that no grader could save; overhead: how many times less it adds to the limit than stock
    on all cores adds.
    """
    engine, least = seconds[ENGINE], seconds[LIMIT]
    return {
        "vs_serial": seconds[SERIAL] / engine,
        "vs_parallel": seconds[PARALLEL] / engine,
        "of_limit": least / engine,
        "overhead": (seconds[PARALLEL] - least) / (engine - least),
    }


def spreads(rounds: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    """The spread of each ratio over the rounds, given as seconds by contender."""
    by_round = [ratios(seconds) for seconds in rounds]
    return {name: Spread.of([found[name] for found in by_round]) for name in by_round[0]}


def seconds_of(rounds: Sequence[Round]) -> list[dict[str, float]]:
    """The seconds by contender, of each round."""
    return [{name: turn.seconds for name, turn in turns.items()} for turns in rounds]


def cost(growth: Mapping[int, Run]) -> dict[int, float]:
    """Seconds a submission, by class size."""
    return {size: turn.seconds / size for size, turn in growth.items()}


def as_json(bench: Bench) -> dict[str, object]:
    """The medians, as they stand in bench.json."""
    costs, least, most = cost(bench.growth), min(bench.growth), max(bench.growth)
    figures: dict[str, object] = {
        name: {key: round(value.median, 4) for key, value in spreads(seconds_of(rounds)).items()}
        for name, rounds in bench.lessons.items()
    }
    coordinator = bench.growth[most].peak_mb - bench.growth[least].peak_mb
    return figures | {
        "growth_1000": round(costs[most] / costs[least], 4),
        "kernel_mb": round(median(bench.unique), 2),
        "coordinator_mb": round(coordinator, 2),
        "fork_s": round(median(bench.starts), 4),
        **{f"examiner_{name}": round(median(ways), 4) for name, ways in bench.examined.items()},
    }


def remarks(bench: Bench) -> list[str]:
    """Whether all gave the same marks, and what else a reader has to know of the run."""
    said = []
    for name, rounds in bench.lessons.items():
        wrong = differing(rounds, SERIAL) | differing(rounds, ENGINE)
        said.append(
            f"{name}: same marks: " + (f"no: {', '.join(sorted(wrong))}" if wrong else "yes")
        )
        if lost := differing(rounds, PARALLEL):
            locked = any("database is locked" in turns[PARALLEL].said for turns in rounds)
            why = ": its gradebook was locked" if locked else ""
            said.append(f"{name}: {PARALLEL}: no or other marks for {', '.join(sorted(lost))}{why}")
        if other := {turns[LIMIT].said for turns in rounds} - {""}:
            said.append(f"{name}: {LIMIT}: {'; '.join(sorted(other))}")
    if not any(bench.unique):
        said.append("the memory of a kernel is not for this user to read: 0 stands for unknown")
    return said


def differing(rounds: Sequence[Round], contender: str) -> set[str]:
    """The students to whom a contender did not always give the marks of stock's first turn."""
    stock = rounds[0][SERIAL].marks
    return {
        student
        for turns in rounds
        for student in {*stock, *turns[contender].marks}
        if turns[contender].marks.get(student) != stock.get(student)
    }


def tables(bench: Bench) -> list[Table]:
    """The figures as a reader wants them: ratios, seconds, class sizes, a kernel."""
    return [ratio_table(bench), seconds_table(bench), growth_table(bench), kernel_table(bench)]


def ratio_table(bench: Bench) -> Table:
    """How the engine compares, lesson by lesson: median, least and most of the rounds."""
    heads = ("faster than stock", "than stock, all cores", "of the limit", "overhead: times less")
    title = f"The engine, {bench.plan.rounds} rounds on {CORES} cores: median (least to most)"
    table = Table("lesson", "submissions", *heads, title=title)
    for name, rounds in bench.lessons.items():
        found = [str(value) for value in spreads(seconds_of(rounds)).values()]
        table.add_row(name, str(bench.plan.lessons[name][1]), *found)
    return table


def seconds_table(bench: Bench) -> Table:
    """What a round took each contender."""
    heads = ("seconds", "seconds a submission", "peak MB of the command")
    table = Table("lesson", "contender", *heads, title="A round: median (least to most)")
    for name, rounds in bench.lessons.items():
        for contender in CONTENDERS:
            turns = [turns[contender] for turns in rounds]
            seconds = Spread.of([turn.seconds for turn in turns])
            each = seconds.median / bench.plan.lessons[name][1]
            peak = f"{median(turn.peak_mb for turn in turns):.0f}" if contender == ENGINE else ""
            table.add_row(name, contender, str(seconds), f"{each:.2f}", peak)
    return table


def growth_table(bench: Bench) -> Table:
    """What a light submission costs the engine in classes of different size."""
    heads = ("seconds", "seconds a submission", "peak MB of the engine")
    table = Table("submissions", *heads, title="Light submissions")
    for size, each in cost(bench.growth).items():
        turn = bench.growth[size]
        figures = (f"{turn.seconds:.1f}", f"{each:.3f}", f"{turn.peak_mb:.0f}")
        table.add_row(str(size), *figures)
    return table


def kernel_table(bench: Bench) -> Table:
    """What a kernel costs when the server is warm."""
    table = Table("", "median (least to most)", title=f"A kernel, {len(bench.starts)} times")
    table.add_row("seconds from asking for it to its being ready", str(Spread.of(bench.starts)))
    table.add_row("MB of its own when it is ready", str(Spread.of(bench.unique)))
    for name, ways in bench.examined.items():
        table.add_row(f"{name}: seconds in two kernels, of those in one", str(Spread.of(ways)))
    return table


def draw(bench: Bench, path: Path) -> None:
    """Write the chart: a submission's seconds by lesson and contender, and by class size."""
    figure = Figure(figsize=(11, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    draw_contenders(left, bench)
    draw_growth(right, bench)
    figure.savefig(path, dpi=120)


def draw_contenders(axes: Axes, bench: Bench) -> None:
    """Bars on a logarithmic scale: median, with a whisker from the least to the most."""
    height = 0.8 / len(CONTENDERS)
    labels = []
    for row, (name, rounds) in enumerate(bench.lessons.items()):
        size = bench.plan.lessons[name][1]
        labels.append(f"{name}\n({size} submissions)")
        for place, contender in enumerate(CONTENDERS):
            each = Spread.of([turns[contender].seconds / size for turns in rounds])
            y = row + (place - (len(CONTENDERS) - 1) / 2) * height
            axes.barh(
                y, each.median, height, color=COLOURS[contender], label="" if row else contender
            )
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
    axes.set_xlabel("seconds a submission (logarithmic)")
    axes.set_title(
        f"One class, {CORES} cores: median of {bench.plan.rounds}, whisker least to most"
    )
    axes.legend(fontsize=9)


def draw_growth(axes: Axes, bench: Bench) -> None:
    """What a light submission costs the engine, over the size of the class."""
    costs = cost(bench.growth)
    axes.plot(list(costs), list(costs.values()), "o-", color=COLOURS[ENGINE])
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
    axes.set_ylabel("seconds a submission")
    axes.set_title("Light submissions, engine, its start included")


if __name__ == "__main__":
    warm_process()
