"""The helpers of course.check that act where a model lives, and return plain data."""

from __future__ import annotations

import linecache
import textwrap

import numpy as np
import pytest
import scipy.ndimage
import scipy.signal
import torch
import torch.nn.functional as F
from torch import nn

from course import check

IMAGES = torch.linspace(-1, 1, 24).reshape(6, 1, 2, 2)
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])


def new_model() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.BatchNorm1d(4), nn.Linear(4, 3))


def one_step(model, images, labels, optimizer, batch_size):
    model.train()
    loss = F.cross_entropy(model(images[:batch_size]), labels[:batch_size])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def test_operations_names_pooling_however_it_is_called():
    for pool in (F.max_pool2d, nn.MaxPool2d(2), lambda x, *_: F.adaptive_avg_pool2d(x, 1)):
        arguments = (IMAGES,) if isinstance(pool, nn.Module) else (IMAGES, 2)
        assert any("pool" in name for name in check.operations(pool, *arguments))


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda x: np.pad(x, 1), "numpy.pad"),
        (lambda x: np.convolve(x[0], x[0]), "numpy.convolve"),
        (lambda x: scipy.signal.correlate2d(x, x), "scipy.signal.correlate2d"),
        (lambda x: scipy.ndimage.maximum_filter(x, 2), "scipy.ndimage.maximum_filter"),
        (lambda x: sum(row.mean() for row in x), "numpy.mean"),
    ],
)
def test_operations_names_what_a_call_asks_of_numpy_and_scipy(call, name):
    assert name in check.operations(call, np.ones((3, 3)))


def test_by_hand_refuses_the_librarys_own():
    image = np.ones((4, 4))
    check.by_hand(lambda x: x[:2] + x[2:], image, without="pad")
    with pytest.raises(AssertionError, match=r"calls numpy\.pad of a library"):
        check.by_hand(lambda x: np.pad(x, 1), image, without="pad")
    with pytest.raises(AssertionError, match="calls pad of a library"):
        check.by_hand(lambda x: F.pad(x, (1, 1)), IMAGES, without="pad")
    with pytest.raises(AssertionError, match="correlate2d"):
        check.by_hand(lambda x: scipy.signal.correlate2d(x, x), image, without="pad")


def test_steps_grow_with_a_loop_and_not_with_an_array():
    names = {"__name__": "__main__", "np": np}
    exec("def loop(x): return sum(a for a in x)\ndef product(x): return x @ x", names)
    few, many = np.ones(3), np.ones(300)
    assert check.steps(names["loop"], many) > check.steps(names["loop"], few) + 1000
    assert check.steps(names["product"], many) == check.steps(names["product"], few) > 0


def test_operations_names_the_parts_of_a_pool_by_hand():
    names = check.operations(lambda x: x.unfold(2, 2, 2).unfold(3, 2, 2).amax((4, 5)), IMAGES)
    assert names == ["unfold", "unfold", "amax"]


def test_a_state_does_not_change_with_its_model():
    model = new_model()
    before = check.state(model)
    assert set(before) == set(model.state_dict())
    assert all(isinstance(value, np.ndarray) for value in before.values())
    model.train()
    model(IMAGES)
    assert before["1.num_batches_tracked"] == 0


def test_an_optimizer_moves_the_model_that_it_was_made_for():
    model = new_model()
    before = check.state(model)
    one_step(model, IMAGES, LABELS, check.optimizer(model, "SGD", lr=0.1, momentum=0.9), 6)
    assert not np.allclose(check.state(model)["2.weight"], before["2.weight"])


def test_training_is_done_on_a_copy_and_returned_as_plain_data():
    model = new_model()
    before = check.state(model)
    run = check.trained(one_step, model, IMAGES, LABELS, batch_size=6, epochs=3, lr=0.1)
    assert len(run["returned"]) == 3
    assert run["returned"][2] < run["returned"][0]
    assert run["state"]["1.num_batches_tracked"] == 3
    assert all(np.array_equal(value, before[name]) for name, value in check.state(model).items())


def test_an_evaluation_that_meddles_is_detected():
    def meddles(model, images, labels):
        F.cross_entropy(model.eval()(images), labels).backward()
        return 0.5

    model = new_model()
    result = check.evaluated(meddles, model, IMAGES, LABELS)
    assert (result["returned"], result["training"], result["gradients"]) == (0.5, False, True)
    assert (result["trainable"], result["enabled"], result["inputs"]) == (True, True, False)
    assert model.training
    assert all(parameter.grad is None for parameter in model.parameters())


def test_an_evaluation_that_freezes_disables_and_overwrites_is_detected():
    def overwrites(model, images, labels):
        torch.set_grad_enabled(False)
        model.requires_grad_(False).zero_grad()
        labels -= 1

    labels = LABELS.clone()
    result = check.evaluated(overwrites, new_model(), IMAGES, labels)
    assert (result["trainable"], result["enabled"], result["inputs"]) == (False, False, True)
    assert result["gradients"]
    assert torch.is_grad_enabled()
    assert torch.equal(labels, LABELS)


def test_training_starts_with_old_gradients_and_shows_the_mode():
    def adds_up(model, images, labels, optimizer):
        F.cross_entropy(model.eval()(images), labels).backward()
        optimizer.step()

    model = new_model()
    run = check.trained(adds_up, model, IMAGES, LABELS, None, epochs=1, lr=0.5)
    assert np.median(run["state"]["2.weight"] - check.state(model)["2.weight"]) < -0.3
    assert not run["training"]


@pytest.mark.parametrize(("epochs", "same"), [(1, True), (2, False)])
def test_momentum_shows_from_the_second_step_on(epochs, same):
    model = new_model()
    plain, fast = (
        check.trained(one_step, model, IMAGES, LABELS, 6, epochs, lr=0.1, momentum=momentum)
        for momentum in (0.0, 0.9)
    )
    assert np.allclose(plain["state"]["2.weight"], fast["state"]["2.weight"]) == same


def a_look(model, layer, image, label):
    """An inspection that leaves every kind of trace."""
    layer.register_forward_hook(lambda *_: None)
    model.eval()
    model.get_parameter("2.bias").requires_grad_(False)
    model(image)[0, label].backward()
    return layer.weight.detach()


def test_an_inspection_reports_all_its_traces_and_leaves_the_model_alone():
    model = new_model()
    result = check.inspected(a_look, model, "2", IMAGES[:1], 1)
    assert torch.equal(result["returned"], model[2].weight)
    assert result["raised"] == ""
    assert (result["hooks"], result["gradients"]) == (1, True)
    assert result["training"] == dict.fromkeys(["", "0", "1", "2"], False)
    assert [name for name, takes in result["trainable"].items() if not takes] == ["2.bias"]
    assert set(result["state"]) == set(model.state_dict())
    clean = check.inspected(lambda model: None, model, None)
    assert (clean["hooks"], clean["gradients"]) == (0, False)
    assert all(clean["training"].values())
    assert all(clean["trainable"].values())


def test_an_inspection_that_raises_reports_the_name_of_its_error():
    result = check.inspected(lambda model: model(IMAGES[0]), new_model(), None)
    assert (result["raised"], result["returned"]) == ("ValueError", None)


def test_an_inspection_that_is_still_to_be_written_says_so():
    def unwritten(model, layer):
        raise NotImplementedError

    with pytest.raises(NotImplementedError):
        check.inspected(unwritten, new_model(), "2")


def test_a_gradient_is_plain_numbers_and_leaves_its_input_alone():
    x = torch.tensor([1.0, -2.0, 3.0])
    result = check.gradient(lambda x, power: (x**power).sum(), x, 2)
    assert isinstance(result, np.ndarray)
    assert result.tolist() == [2, -4, 6]
    assert x.grad is None
    assert not x.requires_grad


def test_what_torch_cannot_differentiate_has_no_gradient():
    x = torch.ones(3)
    for call in (
        lambda x: x.detach().sum(),
        lambda x: 3.0,
        lambda x: torch.ones(1, requires_grad=True).sum(),
    ):
        assert check.gradient(call, x) is None


def test_a_standard_deviation_is_accepted_within_four_standard_errors():
    numbers = np.random.default_rng(0)
    for n in (50, 5000, 500_000):
        check.spread(numbers.normal(0, 3, n), 9, "normal numbers")
        check.spread(torch.tensor(numbers.uniform(-1, 1, n)), 1 / 3, "uniform", kurtosis=1.8)


def test_a_wrong_standard_deviation_is_reported():
    sample = np.random.default_rng(1).normal(0, 3, 40_000)
    with pytest.raises(AssertionError, match=r"deviation [23][.]\d+, 3.3 was expected. fan_in"):
        check.spread(sample, 3.3**2, "normal numbers", "fan_in?")
    with pytest.raises(AssertionError, match=r"has mean 1[.].*, 0 was expected"):
        check.spread(sample + 1.5, 9, "normal numbers")
    with pytest.raises(AssertionError, match=r"has standard deviation [89]"):
        check.spread(3 * sample + 0.1, 9, "numbers that are too wide")
    with pytest.raises(AssertionError, match="should hold numbers"):
        check.spread("random", 1, "normal numbers")


def test_of_two_thousand_correct_samples_hardly_any_is_refused():
    numbers, strays = np.random.default_rng(2), 0
    for _ in range(2000):
        try:
            check.spread(numbers.uniform(-1, 1, 300), 1 / 3, "uniform", kurtosis=1.8)
        except AssertionError:
            strays += 1
    assert strays <= 2


def test_a_filled_model_is_the_same_model_with_constants() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(2, 3))
    assert check.filled(model, weight=2.0, bias=-1.0, scale=0.5) is model
    assert not model.training
    result = check.state(model)
    assert (result["0.weight"] == 2).all()
    assert (result["3.weight"] == 2).all()
    assert (result["1.weight"] == 0.5).all()
    assert all((result[f"{k}.bias"] == -1).all() for k in (0, 1, 3))
    assert (result["1.running_var"] == 1).all()
    assert check.filled(model, weight=2.0, training=True).training


def test_stack_gradients_reports_each_block_and_leaves_the_random_state_alone() -> None:
    x = torch.ones(2, 4)
    state = torch.random.get_rng_state()
    halved = check.stack_gradients(Halve, (4,), 6, x)
    assert torch.equal(state, torch.random.get_rng_state())
    assert halved == check.stack_gradients(Halve, (4,), 6, x)
    assert np.allclose(halved, halved[0]), "nothing fades, nothing grows"


class Halve(nn.Module):
    """Multiplies by a weight of 1/2 and by 2: gradients neither fade nor grow."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((size,), 0.5))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * self.weight * x


def test_stack_gradients_is_zero_where_none_arrives() -> None:
    class Cut(Halve):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x.detach())

    sizes = check.stack_gradients(Cut, (4,), 3, torch.ones(2, 4))
    assert sizes[:2] == [0, 0]
    assert sizes[2] > 0


def test_a_silenced_part_gives_zeros_and_the_model_is_left_alone():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.BatchNorm1d(3), nn.Linear(3, 2))
    before = check.state(model)
    whole = check.silenced(model, IMAGES, ())
    assert np.allclose(whole, model.eval()(IMAGES).detach())
    without = check.silenced(model.train(), IMAGES, ("2",))
    assert np.allclose(without, before["3.bias"])
    assert np.allclose(check.silenced(model, IMAGES, ("1", "2")), before["3.bias"])
    assert model.training
    for name, value in check.state(model).items():
        assert np.array_equal(value, before[name])


def test_a_part_that_a_model_lacks_is_named():
    with pytest.raises(AssertionError, match="Sequential has no part named middle"):
        check.silenced(new_model(), IMAGES, ("middle",))


def test_a_call_on_copies_returns_what_it_changed_and_leaves_the_modules_alone():
    backbone, head = new_model(), nn.Linear(3, 2)
    before = check.state(backbone), check.state(head)

    def meddle(model, other, images, factor):
        model.train()(images)
        with torch.no_grad():
            other.weight.mul_(factor)
        return len(images)

    run = check.on_copies(meddle, [backbone, head], IMAGES, 2)
    assert run["returned"] == 6
    assert run["states"][0]["1.num_batches_tracked"] == 1
    assert np.allclose(run["states"][1]["weight"], 2 * before[1]["weight"])
    assert check.state(backbone)["1.num_batches_tracked"] == 0
    assert np.array_equal(check.state(head)["weight"], before[1]["weight"])


def test_dtype_says_what_came():
    check.dtype(torch.ones(2, dtype=torch.float64), torch.float64, "the result")
    with pytest.raises(AssertionError, match=r"of torch\.float64, it is of torch\.float32"):
        check.dtype(torch.ones(2), torch.float64, "the result")
    with pytest.raises(AssertionError, match="it is a ndarray"):
        check.dtype(np.ones(2), torch.float64, "the result")


def test_close_says_that_nothing_came():
    with pytest.raises(AssertionError, match="is a return missing"):
        check.close(None, [1.0], "the result")


def test_reuses_memory_finds_a_buffer_that_is_kept_between_calls():
    buffer, x = torch.zeros(3), torch.ones(3, requires_grad=True)
    assert check.reuses_memory(lambda x: buffer[1:].copy_(x[1:].detach()), x)
    assert not check.reuses_memory(lambda x: 2 * x, x)
    assert not check.reuses_memory(lambda x: x[1:], x), "a view of what came in"


def test_shares_memory_tells_a_copy_from_a_view():
    x = torch.ones(2, 3)
    assert check.shares_memory(lambda x: x, x)
    assert check.shares_memory(lambda x: x[1:].numpy(), x)
    assert not check.shares_memory(lambda x: x.clone(), x)


def test_reseeded_names_the_generators_that_a_call_resets():
    def own(n):
        return torch.randperm(n, generator=torch.Generator().manual_seed(3))

    def reseeds(n):
        torch.manual_seed(3)
        yield from range(n)

    assert check.reseeded(own, 5) == []
    assert check.reseeded(reseeds, 5) == ["torch"]
    assert check.reseeded(lambda: np.random.seed(1)) == ["NumPy"]


def test_reseeded_names_the_generators_that_a_call_resets_for_a_while_or_to_anything():
    def puts_back(n):
        state = torch.get_rng_state()
        torch.manual_seed(3)
        yield from range(n)
        torch.set_rng_state(state)

    assert check.reseeded(puts_back, 5) == ["torch"]
    assert check.reseeded(torch.seed) == ["torch"]
    assert check.reseeded(lambda: torch.rand(3)) == []


def test_variable_is_the_value_in_the_notebook(monkeypatch):
    monkeypatch.setattr("__main__.TABLE", [1], raising=False)
    assert check.variable(check.variable, "TABLE") == [1]


def test_a_dictionary_that_differs_is_reported_by_its_entry():
    expected = {f"entry {k}": k for k in range(40)}
    check.equal(dict(expected), expected, "the counts")
    with pytest.raises(AssertionError, match=r"^the counts: 'entry 33' is 7, 33 was expected\.$"):
        check.equal({**expected, "entry 33": 7}, expected, "the counts")
    with pytest.raises(AssertionError, match="the counts is"):
        check.equal({"entry 1": 1}, expected, "the counts")


def notebook_function(monkeypatch, source):
    """The function f of a cell, whose text linecache has, as in a kernel."""
    monkeypatch.setitem(
        linecache.cache, "cell", (len(source), None, source.splitlines(True), "cell")
    )
    names = {"__name__": "__main__"}
    exec(compile(source, "cell", "exec"), names)
    return names["f"]


def test_line_runs_counts_the_busiest_line_of_the_notebook_alone(monkeypatch):
    f = notebook_function(
        monkeypatch, "def f(n):\n    total = 0\n    for k in range(n):\n        total += k\n"
    )
    assert check.line_runs(f, 9) == 9
    model = new_model()
    optimizer = torch.optim.SGD(model.parameters())
    assert check.line_runs(one_step, model, IMAGES, LABELS, optimizer, 6) == 0


@pytest.mark.parametrize(
    ("body", "runs"),
    [
        (
            "for k in range(n):\n    total = (\n        total\n        + g(\n            k)\n    )",
            9,
        ),
        ("for k in range(n):\n    with open(\n        '/dev/null'\n    ):\n        total += k", 9),
        ("for k in range(\n    n\n):\n    if (k > 2\n        and k < 5):\n        total += k", 9),
        ("for k in range(n): total += k", 1),
        ("k = 0\nwhile k < n:\n    k += 1", 9),
        ("total = sum(\n    k\n    for k in range(n)\n)", 1),
        ("total = [[j * k\n    for j in range(n)]\n    for k in range(n)]", 1),
        ("total = [*map(\n    lambda k: k + 1,\n    range(n))]", 1),
        ("total = sum(g(k) for k in range(n))", 9),
    ],
)
def test_a_statement_runs_once_over_however_many_lines_it_is_written(monkeypatch, body, runs):
    lines = "total = 0\n" + body + "\nreturn total"
    source = "def g(k):\n    return k\n\n\ndef f(n):\n" + textwrap.indent(lines, "    ")
    assert check.line_runs(notebook_function(monkeypatch, source), 9) == runs
