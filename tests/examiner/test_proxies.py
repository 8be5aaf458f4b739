"""Test cells in plain syntax run against answers that live in another process."""

from __future__ import annotations

import ast
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
import torch

from autograder.examiner.codec import ExaminerLimit, Message
from autograder.examiner.examiner_side import ExaminerEndpoint
from autograder.examiner.free_names import free_names
from autograder.examiner.submission_side import SubmissionEndpoint
from autograder.examiner.transport import Transport, TransportClosed

torch.set_num_threads(1)  # threads of the parent are missing in a fork

SETUP = """
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from course import backbone, check
"""


@contextmanager
def examiner(answers: str) -> Iterator[ExaminerEndpoint]:
    """Return the endpoint of tests, with `answers` running in a process of their own."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if not pid:
        try:
            ours.close()
            scope: dict[str, Any] = {"__name__": "__main__"}
            exec(SETUP + answers, scope)
            SubmissionEndpoint(Transport(theirs.detach()), scope).serve()
        finally:
            os._exit(0)
    theirs.close()
    endpoint = ExaminerEndpoint(Transport(ours.detach()))
    try:
        yield endpoint
    finally:
        endpoint.transport.close()
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def run(answers: str, test: str, setup: str = "") -> dict[str, Any]:
    """Run a test cell; return its names."""
    with examiner(answers) as endpoint:
        scope: dict[str, Any] = {"__name__": "__main__"}
        exec(SETUP + setup, scope)
        scope |= endpoint.names(free_names(ast.parse(setup + test).body, scope))
        exec(test, scope)
        endpoint.end()
        return scope


@pytest.mark.parametrize(
    ("answers", "test"),
    [
        ("def double(x):\n    return 2 * x", "assert double(4) == 8\nassert double([1]) == [1, 1]"),
        ("def f(x, *, s=1):\n    return {'a': (x, s)}", "assert f(1, s=3) == {'a': (1, 3)}"),
        ("x = np.arange(6).reshape(2, 3)", "assert x.shape == (2, 3) and x.sum() == 15"),
        ("def f(x):\n    x[0] = 9", "a = np.zeros(3)\nf(a)\nassert a[0] == 9"),
        ("def f(x):\n    x.mul_(2)", "a = torch.ones(3)\nf(a)\nassert a.sum() == 6"),
        ("def f(x):\n    x['b'][0] = 2", "a = {'b': [1]}\nb = a['b']\nf(a)\nassert b == [2]"),
        ("def f(n):\n    raise ValueError(f'not {n}')", "check.raises(ValueError, f, 3)"),
        (
            "class Odd(ValueError):\n    pass\n\ndef f():\n    raise Odd('no')",
            "try:\n    f()\nexcept ValueError as e:\n    error = type(e).__name__, str(e)\n"
            "assert error == ('Odd', 'no')",
        ),
        ("def f(n):\n    yield from range(n)", "assert list(f(3)) == [0, 1, 2]"),
        ("def f(call):\n    return call(3) + 1", "assert f(lambda n: 2 * n) == 7"),
        (
            "class Box:\n    def __init__(self, n):\n        self.n = n\n    def twice(self):\n"
            "        return 2 * self.n\n    def __len__(self):\n        return self.n",
            "box = Box(4)\nassert (box.n, box.twice(), len(box)) == (4, 8, 4)",
        ),
        (
            "def f(x):\n    return x.dtype, x.device.type",
            "assert f(torch.ones(1))[0] is torch.float32",
        ),
    ],
)
def test_a_function_returns_and_changes_the_same_as_in_one_kernel(answers: str, test: str) -> None:
    run(answers, test)


def test_an_exception_of_the_learners_names_the_call_that_raised_it() -> None:
    answers = "def f(x, n, s=1):\n    return g(n // s)\n\ndef g(n):\n    return [1][n]"
    test = "for n in 0, 1, 2:\n    f(np.ones((2, 3)), n, s=n + 1)\nf([1] * 99, 2, s='a' * 99)"
    with pytest.raises(TypeError) as raised:
        run(answers, test)
    notes = "\n".join(raised.value.__notes__)
    assert "In the call f([1, 1, 1, 1, 1, 1, ...], 2, s='aaa" in notes
    assert len(notes) < 300
    with pytest.raises(IndexError) as raised:
        run(answers, "f(np.ones((2, 3)), 5, s=2)")
    assert raised.value.__notes__[-1] == "In the call f(<ndarray (2, 3)>, 5, s=2)"


MODEL = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Linear(4, 3)
        self.two = nn.Linear(3, 2)

    def forward(self, x):
        return self.two(F.relu(self.one(x)))
"""


@pytest.mark.parametrize(
    "test",
    [
        "assert isinstance(Net(), nn.Module)",
        "assert sum(p.numel() for p in Net().parameters()) == 23",
        "check.equal(sum(c for _, c in check.parameter_counts(Net())), 23, 'parameters')",
        "assert [n for n, _ in Net().named_parameters()][0] == 'one.weight'",
        "assert Net()(torch.ones(5, 4)).shape == (5, 2)",
        "model = Net()\nassert model.training and not model.eval().training and not model.one.training",  # noqa: E501
        "model = Net()\ns = check.state(model)\nx = torch.randn(5, 4)\n"
        "y = F.relu(x @ torch.tensor(s['one.weight']).T + torch.tensor(s['one.bias']))\n"
        "check.close(model(x), y @ torch.tensor(s['two.weight']).T + torch.tensor(s['two.bias']), 'y')",  # noqa: E501
        "assert [s for _, s in check.layer_shapes(Net(), torch.ones(1, 4))] == [(1, 3), (1, 2)]",
        "model = check.filled(Net(), 1.0)\nassert model(torch.ones(1, 4)).tolist() == [[12.0, 12.0]]",  # noqa: E501
        "model = Net()\nmodel(torch.ones(2, 4)).sum().backward()\n"
        "assert all(p.grad is not None for p in model.parameters())",
        "x = torch.ones(2, 4, requires_grad=True)\nmodel = check.filled(Net(), 1.0)\n"
        "model(x).square().sum().backward()\n"
        "assert x.grad.shape == (2, 4) and x.grad.abs().sum() > 0",
        "model = check.filled(Net(), 0.1)  # so that no ReLU is dead\nbefore = check.state(model)\n"
        "opt = check.optimizer(model, 'SGD', lr=0.1)\n"
        "sched = torch.optim.lr_scheduler.OneCycleLR(opt, 0.1, total_steps=5)\n"
        "for _ in range(3):\n    opt.zero_grad()\n    model(torch.ones(2, 4)).square().sum().backward()\n"  # noqa: E501
        "    opt.step()\n    sched.step()\n"
        "assert (check.state(model)['one.weight'] != before['one.weight']).any()",
        "assert hasattr(Net(), 'one') and not hasattr(Net(), 'three')",
        "import copy\nmodel = Net()\ntwin = copy.deepcopy(model)\nassert twin is not model\n"
        "check.close(twin(torch.ones(1, 4)), model(torch.ones(1, 4)), 'twin')",
        "with torch.no_grad():\n    assert not Net()(torch.ones(1, 4)).requires_grad",
        "model = Net()\nmodel.to('meta')\nassert next(iter(model.parameters())).is_meta",
    ],
)
def test_a_model_is_a_module(test: str) -> None:
    run(MODEL, test)


def test_a_lazy_model_has_no_parameters_before_it_ran() -> None:
    run(
        "def model():\n    return nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d())",
        "lazy = model()\n"
        "for tensors in (lazy.parameters(), lazy.buffers()):\n"
        "    try:\n        next(tensors).numel()\n"
        "    except ValueError as error:\n        assert 'uninitialized' in str(error)\n"
        "    else:\n        assert False\n"
        "lazy(torch.ones(2, 4))\n"
        "assert [p.numel() for p in lazy.parameters()] == [12, 3, 3, 3]\n"
        "assert [b.numel() for b in lazy.buffers()] == [3, 3, 1]",
    )


def test_a_model_that_miscounts_its_parameters_is_not_believed() -> None:
    lie = "\n    def parameters(self, *_, **__):\n        return iter([])\n\n    named_parameters = parameters"  # noqa: E501
    run(
        MODEL + lie,
        "check.equal(sum(c for _, c in check.parameter_counts(Net())), 23, 'parameters')\n"
        "assert sum(p.numel() for p in Net().parameters()) == 23",
    )


def test_a_test_that_writes_into_a_model_fails_with_advice() -> None:
    with pytest.raises(ExaminerLimit, match=r"check\.filled"):
        run(
            MODEL,
            "model = Net()\nwith torch.no_grad():\n    next(model.parameters()).fill_(1)\nmodel.eval()",  # noqa: E501
        )


def test_models_of_the_test_travel_and_come_back_changed() -> None:
    run(
        "def train(model, x):\n    model.train()\n    opt = torch.optim.SGD(model.parameters(), lr=0.1)\n"  # noqa: E501
        "    model(x).sum().backward()\n    opt.step()\n    return model.training",
        "model = nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2)).eval()\nb = check.state(model)\n"
        "assert train(model, torch.randn(4, 3)) and model.training\n"
        "assert any((check.state(model)[k] != v).any() for k, v in b.items())\n"
        "lite = backbone.efficientnet_lite0()\n",
    )
    run(
        "def ask(model, x):\n    return model(x)",
        "seen = []\nclass Own(nn.Module):\n    def forward(self, x):\n        seen.append(len(x))\n"
        "        return x + 1\nassert ask(Own(), torch.zeros(3)).sum() == 3 and seen == [3]",
    )


def test_the_same_seed_draws_the_same_numbers() -> None:
    run(
        "def draw():\n    return torch.rand(3), np.random.rand()",
        "torch.manual_seed(5)\na = draw()\nb = draw()\ntorch.manual_seed(5)\nc = draw()\n"
        "assert (a[0] == c[0]).all() and (a[0] != b[0]).all() and a[1] != b[1]",
    )


def test_a_seed_of_the_learners_stays_where_the_test_draws_nothing() -> None:
    run(
        "def seed():\n    torch.manual_seed(7)\n\ndef draw():\n    return torch.rand(3)",
        "draw()\nseed()\na = draw()\nseed()\nassert (draw() == a).all()",
    )


@pytest.mark.parametrize(
    "expression", ["torch.rand(1).item()", "np.random.rand()", "random.random()"]
)
def test_a_seed_of_check_sets_every_generator(expression: str) -> None:
    run(
        f"import random\ndef draw():\n    return {expression}",
        "check.seed(5)\na = draw()\nb = draw()\ncheck.seed(5)\nc = draw()\nassert a == c != b",
    )


def test_gradients_reach_the_learners_loss() -> None:
    run(
        "def loss(x, t):\n    return (x - t).square().mean()",
        "x = torch.ones(4, requires_grad=True)\nl = loss(x, torch.zeros(4))\nl.backward()\n"
        "check.close(x.grad, np.full(4, 0.5), 'gradient')\nassert not loss(torch.ones(2), 0).requires_grad",  # noqa: E501
    )


def test_a_helper_acts_where_the_work_is() -> None:
    run(
        "def f(x):\n    return torch.relu(x)",
        "assert 'relu' in check.operations(f, torch.ones(2))\nassert check.gradient("
        "lambda x: f(x).sum(), torch.ones(2)).tolist() == [1, 1]",
    )


@pytest.mark.parametrize(
    ("claim", "error"),
    [
        ("x == 3", "a All of the learner's cannot be compared"),
        ("3 == x", "a All of the learner's cannot be compared"),
        ("x != 3", "a All of the learner's cannot be compared"),
        ("3 in [x]", "a All of the learner's cannot be compared"),
        ("np.asarray(x) == 3", "a All of the learner's cannot be compared"),
        ("x", "a All of the learner's has no truth value"),
        ("x > 3", "'>' not supported"),
        ("float(x)", "float\\(\\) argument must be"),
    ],
)
def test_an_object_that_is_equal_to_everything_satisfies_no_claim(claim: str, error: str) -> None:
    lie = "class All:\n    def __eq__(self, other):\n        return True\n"
    lie += "    __ne__ = __gt__ = __eq__\n"
    lie += "    __bool__ = lambda self: True\n    __float__ = lambda self: 3.0\nx = All()"
    with pytest.raises(TypeError, match=f"^{error}"):
        run(lie, f"assert {claim}")


def test_a_dead_kernel_is_reported() -> None:
    with examiner("import os\ndef f():\n    os._exit(1)") as endpoint:
        f = endpoint.names(["f"])["f"]
        with pytest.raises(TransportClosed):
            f()


def test_after_the_end_of_a_test_no_request_is_answered() -> None:
    ours, theirs = map(Transport, (end.detach() for end in socket.socketpair()))
    ours.send(Message("end"))
    ours.send(Message("request", {"number": 1, "verb": "names", "names": ["x"]}))
    ours.socket.shutdown(socket.SHUT_WR)
    SubmissionEndpoint(theirs, {"x": 1}).serve()
    theirs.close()
    with pytest.raises(TransportClosed):
        ours.receive()
    ours.close()


def test_a_test_fetches_no_more_names_than_it_needs() -> None:
    cell = "import math\nx = f(y)\nx += g\ndef h():\n    return later + remote\n"
    cell += "later = sorted([z for z in x])"
    assert free_names(ast.parse(cell).body, ["y"]) == ["f", "g", "remote"]


def test_a_thousand_digits_through_a_model_are_quick() -> None:
    with examiner(MODEL.replace("Linear(4, 3)", "Linear(784, 3)")) as endpoint:
        model = endpoint.names(["Net"])["Net"]()
        digits = torch.randn(1000, 784)
        model(digits)
        began = time.monotonic()
        for _ in range(10):
            assert isinstance(model(digits), torch.Tensor)
        assert time.monotonic() - began < 5  # on a busy machine; it takes a tenth of a second
        assert np.asarray(model(digits).detach()).shape == (1000, 2)
