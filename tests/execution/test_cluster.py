"""A class graded on a cluster of real processes, which share no files."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
from distributed import Client, KilledWorker
from distributed.scheduler import WorkerState

from autograder.errors import GraderError
from autograder.execution.cluster import settle
from tests.support.small_course import (
    FULL_MARKS,
    LESSON,
    RIGHT,
    Course,
    make_course,
    wait_until,
    with_double,
    with_greeting,
)

# Two workers and their kernels are load enough: these tests run one after the other.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("cluster")]

CLASS = {
    "answers": RIGHT,
    "answers-nothing": {},
    "adds-two": with_double("def double(x):\n    return x + 2"),
    "loops": with_double("def double(x):\n    while True:\n        pass"),
    "kills-the-kernel": with_greeting("import os\ndef greet():\n    os.kill(os.getpid(), 9)"),
    "takes-all-memory": with_double("def double(x):\n    return len(bytearray(2**40))"),
}
LIMITS = ("--limit", "cell_seconds=3")
TAKES_ITS_TIME = RIGHT | {
    "double": "import subprocess\nsubprocess.run(['sleep', '3.0625'])\n" + RIGHT["double"]
}


class Cluster:
    """A scheduler, and workers by their names, each a process with folders of its own."""

    def __init__(self, processes: ExitStack) -> None:
        self.processes = processes
        self.folder = Path(
            processes.enter_context(
                tempfile.TemporaryDirectory(prefix="dask-", ignore_cleanup_errors=True)
            )
        )
        self.workers: dict[str, subprocess.Popen[bytes]] = {}
        description = self.folder / "scheduler.json"
        self.scheduler = self.start(
            "scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(description)
        )
        assert wait_until(lambda: description.exists() and bool(description.read_text()), 60)
        self.address = json.loads(description.read_text())["address"]

    def start(self, what: str, *options: str, name: str = "") -> subprocess.Popen[bytes]:
        """Start a process of Dask on loopback, in a working folder of its own."""
        work = self.folder / (name or what)
        (work / "tmp").mkdir(parents=True)
        process = subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{what}", "--host", "127.0.0.1", *options],
            cwd=work,
            env={**os.environ, "TMPDIR": str(work / "tmp"), "HOME": str(work)},
            stderr=self.processes.enter_context((work / "log").open("wb")),
        )
        self.processes.callback(process.wait)
        self.processes.callback(process.kill)
        return process

    def start_worker(self, name: str) -> None:
        """Start a worker for one notebook at a time; `watched` has Dask's nanny."""
        nanny = "--nanny" if name == "watched" else "--no-nanny"
        options = ("--nthreads", "1", nanny, "--no-dashboard", "--name", name)
        self.workers[name] = self.start("worker", self.address, *options, name=name)

    def ask(self, question: Any) -> dict[str, Any]:
        """Return the result of `question(dask_worker)` on each worker, by name."""
        with Client(self.address, set_as_default=False) as client:
            names = {w["name"]: address for address, w in self.info(client).items()}
            answers = client.run(question)
        return {name: answers[address] for name, address in names.items()}

    def info(self, client: Client) -> dict[str, Any]:
        workers: dict[str, Any] = client.scheduler_info(n_workers=-1)["workers"]
        return workers

    def has(self, workers: int) -> bool:
        """Return whether the scheduler has so many workers."""
        with Client(self.address, set_as_default=False) as client:
            return len(self.info(client)) == workers


@contextmanager
def cluster_of(*names: str) -> Iterator[Cluster]:
    with ExitStack() as processes:
        cluster = Cluster(processes)
        for name in names:
            cluster.start_worker(name)
        assert wait_until(lambda: cluster.has(len(names)), 60)
        yield cluster


def without_seconds(results: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return results without the time they took."""
    return {student: {**result, "seconds": 0} for student, result in results.items()}


def new_class(folder: Path, answers: dict[str, dict[str, str]]) -> Course:
    folder.mkdir()
    course = make_course(folder)
    for student, work in answers.items():
        course.hand_in(student, work)
    return course


def the_one_line(done: subprocess.CompletedProcess[str]) -> str:
    """Return the single line on stderr of a command."""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def running_in(worker: subprocess.Popen[bytes], command: str) -> bool:
    """Return whether the command line of a descendant of a worker contains `command`."""
    for process in psutil.Process(worker.pid).children(recursive=True):
        try:
            if command in " ".join(process.cmdline()):
                return True
        except psutil.NoSuchProcess:
            continue
    return False


def test_a_cluster_gives_the_marks_of_one_machine_and_all_of_it_works(tmp_path: Path) -> None:
    local, remote = new_class(tmp_path / "here", CLASS), new_class(tmp_path / "there", CLASS)
    with cluster_of("one", "watched") as cluster:
        results = remote.grade(*LIMITS, "--scheduler", cluster.address)
        shares = cluster.ask(lambda dask_worker: dask_worker.state.executed_count)
    assert set(shares) == {"one", "watched"}
    assert all(shares.values()), shares
    assert sum(shares.values()) == len(CLASS) + 1  # the source is graded first
    expected = local.grade(*LIMITS)
    assert without_seconds(results) == without_seconds(expected)
    assert {cell["outcome"] for result in results.values() for cell in result["cells"]} >= {
        "passed", "failed", "timed out", "crashed", "out of memory",
    }  # fmt: skip


def test_a_worker_that_is_killed_at_work_costs_nothing(tmp_path: Path) -> None:
    answers = {f"student-{n}": TAKES_ITS_TIME for n in range(3)} | {"adds-two": CLASS["adds-two"]}
    course = new_class(tmp_path / "course", answers)
    with cluster_of("one", "two") as cluster:
        engine = course.start(
            "autograder", "grade", LESSON, "--json", "out.json", "--scheduler", cluster.address
        )
        lost = cluster.workers["one"]
        assert wait_until(lambda: running_in(lost, "sleep 3.0625"), 120)
        lost.kill()
        _, errors = engine.communicate(timeout=300)
    assert engine.returncode == 0, errors
    results = {r["student"]: r for r in json.loads((course.folder / "out.json").read_text())}
    assert {result["status"] for result in results.values()} == {"graded"}
    earned = {student: result["score"] for student, result in results.items()}
    full = sum(FULL_MARKS.values())
    assert earned == dict.fromkeys(answers, full) | {"adds-two": full - 2}


def test_a_scheduler_that_is_lost_is_named_and_the_next_run_goes_on(tmp_path: Path) -> None:
    course = new_class(tmp_path / "course", {f"student-{n}": TAKES_ITS_TIME for n in range(3)})
    with cluster_of("one") as cluster:
        engine = course.start("autograder", "grade", LESSON, "--scheduler", cluster.address)
        assert wait_until(lambda: running_in(cluster.workers["one"], "sleep 3.0625"), 120)
        cluster.scheduler.kill()
        _, errors = engine.communicate(timeout=300)
    assert engine.returncode == 1
    assert "Traceback" not in errors, errors
    assert errors.count("not graded: the scheduler of the cluster was lost") == 3
    results = course.grade()
    assert {(r["status"], r["score"]) for r in results.values()} == {("graded", 7)}


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (KilledWorker("examine-1", WorkerState, 3), "4 workers were lost while they ran it"),
        (CancelledError(), "the scheduler of the cluster was lost"),
        (OSError("comm closed"), "OSError: comm closed"),
        (GraderError("this machine cannot confine kernels"), "this machine cannot confine kernels"),
    ],
)
def test_a_failure_of_the_cluster_is_named_as_such(error: Exception, says: str) -> None:
    class Done:
        def result(self) -> None:
            raise error

    future: Future[Any] = Future()
    settle(future, Done())  # type: ignore[arg-type]
    with pytest.raises(GraderError, match=says):
        future.result()


def test_no_scheduler_is_one_line(tmp_path: Path) -> None:
    course = new_class(tmp_path / "course", {"ada": RIGHT})
    # Port 1 of loopback: only root could listen there, and no program does.
    done = course.run("autograder", "grade", LESSON, "--scheduler", "tcp://127.0.0.1:1")
    assert done.returncode == 2
    assert "no Dask scheduler at tcp://127.0.0.1:1" in the_one_line(done)


def test_an_invalid_address_is_one_line(tmp_path: Path) -> None:
    course = new_class(tmp_path / "course", {"ada": RIGHT})
    done = course.run("autograder", "grade", LESSON, "--scheduler", "hal://9000")
    assert done.returncode == 2
    assert "no Dask scheduler at hal://9000" in the_one_line(done)


def test_a_cluster_without_workers_is_one_line(tmp_path: Path) -> None:
    course = new_class(tmp_path / "course", {"ada": RIGHT})
    with cluster_of() as cluster:
        done = course.run("autograder", "grade", LESSON, "--scheduler", cluster.address)
    assert done.returncode == 2
    assert the_one_line(done).endswith("has no workers")


def test_without_dask_one_line_says_what_to_install(tmp_path: Path) -> None:
    course = new_class(tmp_path / "course", {"ada": RIGHT})
    program = (
        "import sys; sys.modules['distributed'] = None\n"
        f"sys.argv = ['autograder', 'grade', '{LESSON}', '--scheduler', 'tcp://127.0.0.1:1']\n"
        "from autograder.cli import app; app()"
    )
    done = course.run("python", "-c", program)
    assert done.returncode == 2
    assert "pip install 'nbgrader-autograder[cluster]'" in the_one_line(done)


def looks_around(folder: Path) -> dict[str, str]:
    """Return an answer that says hello where it cannot see a file of the machine, else hi."""
    secret = folder / "secret"
    secret.write_text("the answers")
    return with_greeting(
        f"import os\ndef greet():\n    return 'hi' if os.path.exists({str(secret)!r}) else 'hello'"
    )


def test_kernels_of_workers_are_confined(tmp_path: Path) -> None:
    course = new_class(tmp_path / "course", {"ada": looks_around(tmp_path)})
    with cluster_of("one") as cluster:
        assert course.grade("--scheduler", cluster.address)["ada"]["score"] == 7


def test_workers_that_cannot_confine_are_refused_and_may_be_used_all_the_same(
    tmp_path: Path,
) -> None:
    def lose_confinement(dask_worker: Any) -> None:
        from autograder.sandbox.fork_client import ForkServer, shared_server

        shared_server.use(ForkServer(confine=False))

    course = new_class(tmp_path / "course", {"ada": looks_around(tmp_path)})
    with cluster_of("one") as cluster:
        cluster.ask(lose_confinement)
        done = course.run("autograder", "grade", LESSON, "--scheduler", cluster.address)
        assert done.returncode == 2
        assert re.search("the worker .* cannot confine submissions", the_one_line(done))
        unconfined = course.grade("--scheduler", cluster.address, "--no-confine")
        assert unconfined["ada"]["score"] == 4.5  # it saw the secret
