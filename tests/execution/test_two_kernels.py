"""Two kernels run a notebook: no submitted line runs in the test kernel."""

from __future__ import annotations

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.authoring.answer_bank import Answer, notebook_for
from autograder.authoring.build import check_as_graded, shared_name
from autograder.errors import LessonError
from autograder.examiner.released import InstructorText
from autograder.execution.cells import ENDED, is_test
from autograder.execution.execute import execute
from autograder.execution.kernels import PRINTED
from autograder.limits import Limits
from tests.support.lessons import source
from tests.support.notebooks import cell, text_of
from tests.support.trials import lost, verdicts


def notebook(setup: str, answer: str, *tests: str) -> NotebookNode:
    """Return a small lesson: setup, an answer, tests."""
    cells = [cell(setup, "setup", locked=True), cell(answer, "answer", solution=True)]
    cells += [
        cell(test, f"test-{k}", grade=True, locked=True, points=1) for k, test in enumerate(tests)
    ]
    return nbformat.v4.new_notebook(cells=cells)


def run(lesson: NotebookNode, files: dict[str, bytes] | None = None, **limits: float) -> list[str]:
    """Return how each test ended, and its output."""
    done = execute(lesson, {"files": files or {}}, Limits(**limits))
    return [
        f"{test.metadata[ENDED]} {''.join(map(text_of, test.outputs))}".strip()
        for test in done.cells[2:]
    ]


def test_answers_and_tests_meet_in_no_process() -> None:
    where = "import os\npid = os.getpid(), open('/proc/sys/kernel/random/boot_id').read()\n"
    where += "import sys\nsys.mine = __import__('time').time_ns()"
    test = "import sys\nassert f() != sys.mine"
    assert run(notebook(where, "import sys\ndef f():\n    return sys.mine", test)) == ["ok"]


def test_the_test_kernel_has_no_submitted_file() -> None:
    files = {"os_path.py": b"raise SystemExit", "check.txt": b"x"}
    seen = "sorted(name for name in os.listdir('.') if name[0] != '.')"  # IPython makes a folder
    test = f"import os\nassert {seen} == [] and f() == ['check.txt', 'os_path.py']"
    answer = f"import os\ndef f():\n    return {seen}"
    assert run(notebook("", answer, test), files) == ["ok"]


def test_a_call_that_never_ends_costs_its_test_alone() -> None:
    answer = "def f(n):\n    while n:\n        pass\n    return n"
    outcomes = run(notebook("", answer, "f(0);", "f(1)", "assert f(0) == 0"), cell_seconds=2)
    assert [outcome.split(" K")[0] for outcome in outcomes] == ["ok", "timed out", "ok"]


def test_a_call_that_no_interrupt_ends_costs_its_test_alone() -> None:
    answer = "import signal\ndef f(n):\n    signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    answer += "    while n:\n        pass\n    return n"
    outcomes = run(notebook("", answer, "f(1)", "assert f(0) == 0"), cell_seconds=2)
    assert [outcome.split(" K")[0] for outcome in outcomes] == ["timed out", "ok"]


def test_a_kernel_that_dies_in_a_call_is_started_again_with_its_test_kernel() -> None:
    answer = "import os\ndef f(n):\n    return os._exit(1) if n else n"
    outcomes = run(notebook("zero = 0", answer, "f(1)", "assert f(0) == zero"))
    assert [outcome.split(" Transport")[0] for outcome in outcomes] == ["crashed", "ok"]


def test_names_of_a_test_stay_for_the_next_and_remote_ones_are_fetched_again() -> None:
    answer = "n = [0]\ndef f():\n    n[0] += 1"
    assert (
        run(notebook("", answer, "mine = n\nf()", "assert (mine, n) == ([0], [1])")) == ["ok"] * 2
    )


CHANGED = "float(sum(np.asarray(x, dtype=float).ravel()))"


@pytest.mark.parametrize(
    ("change", "argument"),
    [
        ("x['total'] = 0.0", "pd.DataFrame({'a': [1.0, 3.0]})"),
        ("x.loc[2] = 0.0", "pd.DataFrame({'a': [1.0, 3.0]})"),
        ("x[2] = 0.0", "pd.Series([1.0, 3.0])"),
        ("x.shape = (2, 1)", "np.array([1.0, 3.0])"),
        ("x -= 0", "np.broadcast_to(np.array([2.0]), (2,))"),
        ("x -= 0", "torch.full((1,), 2.0).expand(2)"),
    ],
)
def test_a_change_of_an_argument_that_the_test_cannot_see_ends_nothing(
    change: str, argument: str
) -> None:
    lesson = notebook(
        "import numpy as np\nimport pandas as pd\nimport torch",
        f"def double(x):\n    {change}\n    return {CHANGED}",
        f"x = {argument}\nassert double(x) == 4",
    )
    assert run(lesson) == ["ok"]


def test_what_is_printed_in_a_call_is_for_instructors_alone() -> None:
    lesson = notebook("", "def f(n):\n    print('given', n)", "f(7)\nprint('seen')")
    test = execute(lesson, {}, Limits()).cells[2]
    assert test.metadata[PRINTED] == "given 7\n"
    assert [output.text for output in test.outputs] == ["seen\n"]


LYING_MODEL = """
class LeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.all = nn.Linear(784, 10)

    def forward(self, x):
        return self.all(x.flatten(1))

    def modules(self):
        yield from (Layer(count) for count in (260, 5020, 32100, 1010))

    def parameters(self, recurse=True):
        return iter([torch.nn.Parameter(torch.zeros(38390))])


class Layer(nn.Module):
    def __init__(self, count):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(count))
"""
LYING_TENSOR = """
class Liar(torch.Tensor):
    @property
    def shape(self):
        return torch.Size([5, 3, 4, 6])

    def __eq__(self, other):
        return True


def max_pool(x, f, s):
    return torch.zeros(5, 3, 4, 5).as_subclass(Liar)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("exercise", "answer", "truth"),
    [("LeNet", LYING_MODEL, "7850"), ("max_pool", LYING_TENSOR, "has shape (5, 3, 4, 5)")],
)
def test_a_model_and_a_tensor_that_lie_earn_nothing(exercise: str, answer: str, truth: str) -> None:
    tests = frozenset({f"test-{exercise}", f"hidden-{exercise}"})
    lesson = notebook_for(source("04_lenet"), Answer(False, exercise, "lies", answer, tests))
    messages = lost(verdicts(lesson))
    assert messages.keys() == tests
    assert [message for message in messages.values() if truth not in message] == []


@pytest.mark.parametrize(
    ("answer", "test"),
    [
        ("def f(x):\n    return x", "f(open('/dev/null'))"),
        ("import math\ndef f(x):\n    return x", "math.sqrt(f(4))"),
        ("def f(x):\n    return x", "assert f.__globals__"),
    ],
)
def test_a_test_that_cannot_be_moved_is_reported_at_build_time(answer: str, test: str) -> None:
    with pytest.raises(LessonError, match="test-0 passes in one kernel"):
        check_as_graded(notebook("", answer, test), "00_some")


def test_a_name_that_tests_and_answers_make_is_reported_at_build_time() -> None:
    lesson = notebook("", "def f():\n    return 1", "f = 2", "assert f == 2")
    assert shared_name(lesson) == "test-1 reads f, which test-0 and an answer both define"


@pytest.mark.parametrize(("answer", "ended"), [("import math", "ok"), ("# nothing", "error")])
def test_an_import_that_is_the_answer_is_not_made_for_the_learner(answer: str, ended: str) -> None:
    instructor = InstructorText(imports=("import math",))
    cells = notebook("", answer, "assert math.pi > 3")
    executed = execute(cells, {"instructor": instructor}, Limits())
    assert [cell.metadata.get(ENDED) for cell in executed.cells if is_test(cell)] == [ended]


def test_an_empty_test_cell_does_not_stop_the_notebook() -> None:
    executed = execute(notebook("", "x = 1", "", "assert x == 1"), {}, Limits())
    assert [cell.metadata.get(ENDED) for cell in executed.cells if is_test(cell)] == [None, "ok"]
