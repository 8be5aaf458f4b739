"""Names of the learner's stand for references of a test, in one kernel and in two."""

from __future__ import annotations

import socket

import nbformat
import pytest

from autograder.examiner.examiner_side import ExaminerEndpoint
from autograder.examiner.submission_side import SubmissionEndpoint
from autograder.examiner.transport import Transport
from autograder.execution.cells import ENDED
from autograder.execution.execute import execute
from autograder.execution.kernels import PRINTED
from autograder.limits import Limits
from tests.support.notebooks import cell, text_of

SETUP = """
import inspect
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from course import check

def area(n):
    return square(n)
"""
# Right in one exercise, wrong in the other, which it uses; keeps all that it can reach.
ANSWER = """
kept = []

def square(n):
    return -1

def grid(n):
    kept.append(square)
    return [square(n)] * 2

def uses_cube():
    return cube(2)
"""
REFERENCE = "def reference(n):\n    return n ** 2  # the secret line\n"


def run(*tests: str, answer: str = ANSWER, one_kernel: bool = False, **limits: float) -> list[str]:
    """Return how each test ended, its output, and what the learner's work printed."""
    cells = [cell(SETUP, "setup", locked=True), cell(answer, "answer", solution=True)]
    cells += [cell(t, f"test-{k}", grade=True, locked=True) for k, t in enumerate(tests)]
    done = execute(nbformat.v4.new_notebook(cells=cells), {}, Limits(**limits), one_kernel)
    return [
        " ".join([t.metadata[ENDED], *map(text_of, t.outputs), t.metadata.get(PRINTED, "")]).strip()
        for t in done.cells[2:]
    ]


@pytest.mark.parametrize("one_kernel", [True, False])
@pytest.mark.parametrize(
    "test",
    [
        """
with check.using(square=reference):
    assert grid(3) == [9, 9]
assert grid(3) == [-1, -1]
""",
        """
with check.using(square=reference):
    assert area(3) == square(3) == 9
assert area(3) == square(3) == -1
""",
        """
with check.using(square=lambda n: 5):
    with check.using(square=reference):
        assert grid(3) == [9, 9]
    assert grid(3) == [5, 5]
assert grid(3) == [-1, -1]
""",
        """
try:
    with check.using(square=reference):
        check.equal(grid(3), 0, 'x')
except AssertionError:
    pass
assert grid(3) == [-1, -1]
""",
        """
with check.using(cube=reference):
    assert uses_cube() == 4
try:
    uses_cube()
except NameError:
    pass
else:
    assert False
""",
    ],
)
def test_a_name_stands_for_a_reference_while_the_context_lasts(test: str, one_kernel: bool) -> None:
    assert run(REFERENCE + test, one_kernel=one_kernel) == ["ok"]


def test_a_test_that_fails_within_the_context_gives_the_name_back() -> None:
    failing = REFERENCE + "with check.using(square=reference):\n    assert grid(3) == 0"
    outcomes = run(failing, "assert grid(3) == [-1, -1]")
    assert [outcome.split()[0] for outcome in outcomes] == ["error", "ok"], outcomes


def test_a_call_without_end_gives_the_name_back() -> None:
    answer = ANSWER.replace("kept.append(square)", "while square(n) == 4:\n        pass")
    looping = REFERENCE + "with check.using(square=reference):\n    grid(2)"
    outcomes = run(looping, "assert grid(2) == [-1, -1]", answer=answer, cell_seconds=2)
    assert [outcome.split(" ")[0] for outcome in outcomes] == ["timed", "ok"], outcomes


LOOKS = """
kept = []

def square(n):
    return -1

def closure(f):
    return [cell.cell_contents for cell in f.__closure__ or ()]

def grid(n):
    kept.append(square)
    try:
        print(inspect.getsource(square))
    except OSError:
        pass
    print(square.__code__.co_consts, vars(square))
    for part in closure(square):
        print(part, getattr(part, "__dict__", ""))
    try:
        square("no number")
    except TypeError as error:
        print(repr(error), getattr(error, "__notes__", ""))
    return [square(n)] * 2
"""


def test_no_line_of_a_reference_is_in_the_learners_kernel() -> None:
    test = REFERENCE + "with check.using(square=reference):\n    assert grid(3) == [9, 9]"
    (two,), (one,) = run(test, answer=LOOKS), run(test, answer=LOOKS, one_kernel=True)
    assert two.startswith("ok")
    assert "TypeError" in two  # it looked
    assert "secret" not in two
    assert "secret" in one  # in one kernel there is no such promise


USES_LATER = """
kept = []

def square(n):
    try:
        return kept[0](n) if kept else -1
    except Exception:
        return -2

def grid(n):
    kept.append(square)
    return [square(n)] * 2
"""


@pytest.mark.parametrize(
    "later",
    ["\nassert square(3) == -2", None],
    ids=["after the context", "in the next test"],
)
def test_a_reference_that_was_kept_answers_nothing_later(later: str | None) -> None:
    test = REFERENCE + "with check.using(square=reference):\n    assert grid(3) == [9, 9]"
    tests = [test + later] if later else [test, "assert square(3) == -2"]
    assert run(*tests, answer=USES_LATER) == ["ok"] * len(tests)
    # The control: within the context the kept function answers.
    control = test + "\n    assert kept_answer(3) == 9"
    assert run(control, answer=USES_LATER + "\ndef kept_answer(n):\n    return kept[0](n)") == [
        "ok"
    ]


def test_a_reference_that_was_kept_fails_at_once_where_no_test_listens() -> None:
    test = REFERENCE + "with check.using(square=reference):\n    grid(3)"
    cells = [cell(SETUP, "setup", locked=True), cell(USES_LATER, "answer", solution=True)]
    cells += [cell(test, "test-0", grade=True, locked=True)]
    cells += [cell("print(square(3))", "later", solution=True)]
    cells += [cell("assert square(3) == -2", "test-1", grade=True, locked=True)]
    done = execute(nbformat.v4.new_notebook(cells=cells), {}, Limits(cell_seconds=5))
    assert text_of(done.cells[3].outputs[0]).strip() == "-2"
    assert done.cells[4].metadata[ENDED] == "ok"


TRAINING = """
def train(model, x, y, optimizer):
    raise NotImplementedError

def experiment(x, y):
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    first = F.cross_entropy(model(x), y).item()
    losses = [train(model, x, y, optimizer) for _ in range(30)]
    return first, losses, F.cross_entropy(model(x), y).item()

def twins():
    net = build()
    net(torch.ones(1, 3)).sum().backward()
    return type(net).__name__, [p.grad is not None for p in net.parameters()]
"""


def test_a_reference_trains_a_net_of_the_learners() -> None:
    test = """
def step(model, x, y, optimizer):
    loss = F.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()

check.seed(1)
x, y = torch.randn(8, 3), torch.arange(8) % 2
with check.using(train=step):
    first, losses, last = experiment(x, y)
check.close(losses[0], first, "first loss", rtol=1e-4)
assert last < losses[-1] < losses[0]
with check.using(build=lambda: nn.Sequential(nn.Linear(3, 2))):
    check.equal(twins(), ("Sequential", [True, True]), "the net")
"""
    assert run(test, answer=TRAINING) == ["ok"]
    assert run(test, answer=TRAINING, one_kernel=True) == ["ok"]


def test_names_are_the_learners_again_where_the_test_kernel_is_gone() -> None:
    ours, theirs = socket.socketpair()
    names = {"square": 1}
    examiner = ExaminerEndpoint(Transport(ours.detach()))
    examiner.use({"square": 4})
    examiner.transport.close()
    SubmissionEndpoint(Transport(theirs.detach()), names).serve()
    assert names == {"square": 1}
