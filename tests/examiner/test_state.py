"""Modules by value, and what a call changed in its arguments: made so in place, or refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from autograder.examiner.codec import CodecError, decode, encode
from autograder.examiner.nets import acyclic
from autograder.examiner.state import (
    groups_of,
    merged,
    overwrite,
    set_settings,
    set_state,
    settings_of,
    state_of,
    tree_of,
)


def make() -> nn.Module:
    """Return a module with parameters, buffers and a mode; each time the same."""
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return nn.Sequential(nn.Linear(3, 2), nn.BatchNorm1d(2))


def over(value: Any) -> Any:
    """Return a value as it arrives from the other end."""
    return decode(encode(value))


def trained() -> nn.Module:
    """Return such a module after a step, some of it frozen."""
    module = make()
    module(torch.ones(4, 3)).sum().backward()
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(1)
    module[0].bias.requires_grad_(False)
    module[0].bias.grad = None
    module[1].eval()
    return module


def same(one: Any, two: Any) -> bool:
    return encode(one).same(encode(two))


def test_a_module_gets_all_that_a_call_changed_in_place() -> None:
    module, wanted = make(), trained()
    kept = dict(module.named_parameters())
    assert not same(state_of(module), state_of(wanted))
    set_state(module, over(state_of(wanted)))
    assert same(state_of(module), state_of(wanted))
    assert all(kept[name] is parameter for name, parameter in module.named_parameters())
    assert [part.training for part in module.modules()] == [True, True, False]
    assert (module[0].bias.requires_grad, module[0].bias.grad) == (False, None)
    assert module[0].weight.grad is not None


def test_a_state_may_leave_out_what_did_not_change() -> None:
    module, before = trained(), state_of(trained())
    set_state(module, {"values": {}, "requires_grad": {}, "gradients": {}, "modes": {}})
    assert same(state_of(module)["values"], before["values"])
    assert same(state_of(module)["modes"], before["modes"])
    assert all(p.requires_grad and p.grad is None for p in module.parameters())
    set_state(module, {**state_of(module), "values": {"more": torch.ones(1)}})  # of no parameter


WEIGHT = torch.zeros(2, 3)
STATE_WRONG: list[tuple[str, Any]] = [
    ("values", {"0.weight": None}),
    ("values", {"0.weight": np.zeros((2, 3))}),
    ("values", {"0.weight": torch.zeros(2, 3, device="meta")}),
    ("values", {"0.weight": torch.zeros(2, 3, dtype=torch.int64)}),
    ("values", []),
    ("requires_grad", {"0.weight": 1}),
    ("requires_grad", {"0.weight": None}),
    ("requires_grad", None),
    ("gradients", {"0.weight": torch.zeros(3, 2)}),
    ("gradients", {"0.weight": np.zeros((2, 3))}),
    ("gradients", {"0.weight": 1.0}),
    ("gradients", {"0.weight": WEIGHT.double()}),
    ("gradients", {"0.weight": WEIGHT.to("meta")}),
    ("gradients", [1]),
    ("modes", {"": 1}),
    ("modes", {"1": None}),
    ("modes", ()),
    ("more", {}),
]


@pytest.mark.parametrize(("key", "value"), STATE_WRONG)
def test_a_state_that_is_invalid_is_refused(key: str, value: Any) -> None:
    module = make()
    with pytest.raises(CodecError):
        set_state(module, {**state_of(module), key: value})


@pytest.mark.parametrize("missing", ["values", "requires_grad", "gradients", "modes"])
def test_a_state_without_one_of_its_parts_is_refused(missing: str) -> None:
    module = make()
    state = state_of(module)
    del state[missing]
    for wrong in (state, None, [], "values"):
        with pytest.raises(CodecError):
            set_state(module, wrong)


def test_whole_numbers_take_no_gradients() -> None:
    module = nn.Module()
    module.register_parameter("n", nn.Parameter(torch.zeros(2, dtype=torch.int64), False))
    state = state_of(module)
    set_state(module, over(state))
    with pytest.raises(CodecError):
        set_state(module, {**state, "requires_grad": {"n": True}})


Change = tuple[Callable[[], Any], Any]
CHANGES: list[Change] = [
    (lambda: torch.zeros(2), torch.ones(2)),
    (lambda: torch.zeros(2), torch.ones(3)),
    (lambda: torch.zeros(2), torch.ones(2, dtype=torch.float64)),
    (lambda: torch.zeros(2), torch.ones(2, requires_grad=True)),
    (lambda: torch.zeros(2, requires_grad=True), torch.ones(2)),
    (lambda: np.zeros(2), np.ones(2)),
    (lambda: [1, 2, 3], [4]),
    (lambda: [1], [2, 3]),
    (lambda: [], [1]),
    (lambda: {"a": 1, "b": 2}, {"b": 3, "c": 4}),
    (lambda: {1, 2}, {2, 3}),
    (
        lambda: pd.DataFrame({"a": [1, 2], "b": ["x", "y"]}),
        pd.DataFrame({"a": [3, 4], "b": [1, 2]}),
    ),
    (lambda: ([1], np.zeros(2)), ([2], np.ones(2))),
    (lambda: {"a": [np.zeros(2)]}, {"a": [np.ones(2), 3]}),
]


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_an_argument_is_changed_in_place(old: Callable[[], Any], new: Any) -> None:
    argument = old()
    overwrite(argument, over(new))
    assert same(argument, new)


def test_an_array_keeps_its_type() -> None:
    argument = np.zeros(2, np.int8)
    overwrite(argument, np.ones(2))
    assert (argument.dtype, argument.tolist()) == (np.int8, [1, 1])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (lambda: torch.zeros(2), np.zeros(2)),
        (lambda: torch.zeros(2), [0.0, 0.0]),
        (lambda: torch.zeros(2), torch.zeros(2, device="meta")),
        (lambda: torch.zeros(2, requires_grad=True), torch.zeros(2, dtype=torch.int64)),
        (lambda: np.zeros(2), torch.zeros(2)),
        (lambda: np.zeros(2), np.zeros(3)),
        (lambda: np.zeros((2, 1)), np.zeros(2)),
        (lambda: [1], (2,)),
        (lambda: [1], None),
        (lambda: {"a": 1}, [["a", 1]]),
        (lambda: {1}, frozenset([2])),
        (lambda: {1}, [2]),
        (lambda: (1, [2]), (1, [2], 3)),
        (lambda: (1, [2]), [1, [2]]),
        (lambda: pd.DataFrame({"a": [1]}), pd.DataFrame({"a": [1, 2]})),
        (lambda: pd.DataFrame({"a": [1]}), {"a": [1]}),
        (lambda: 1, 2),
        (lambda: "a", "b"),
        (lambda: None, 1),
        (lambda: pd.Series([1]), pd.Series([2])),
        (object, 1),
        (object, pd.DataFrame({"a": [1]})),
    ],
)
def test_what_cannot_be_a_change_is_refused(old: Callable[[], Any], new: Any) -> None:
    argument = old()
    with pytest.raises(CodecError):
        overwrite(argument, new)


def test_what_is_in_a_container_is_changed_in_place_where_it_can_be() -> None:
    array, tensor, inner = np.zeros(2), torch.zeros(2), [1]
    held = {"a": [array, tensor, inner], "b": 1}
    outer = held["a"]
    overwrite(held, {"a": [np.ones(2), torch.ones(2), [2]], "b": "text"})
    assert (held["a"] is outer, held["b"]) == (True, "text")
    assert all(one is two for one, two in zip(outer, (array, tensor, inner), strict=True))
    assert (array.tolist(), tensor.tolist(), inner) == ([1, 1], [1, 1], [2])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (np.zeros(2), np.ones(3)),
        (np.zeros(2), torch.ones(2)),
        ([1], (1,)),
        ({1}, {1: 2}),
        ((1,), (2,)),
        (1, 2),
        (True, 1),
        ("a", None),
    ],
)
def test_what_cannot_be_changed_in_place_is_replaced(old: Any, new: Any) -> None:
    assert merged(old, new) is new
    held = [old]
    overwrite(held, [new])
    assert held[0] is new


def test_hyperparameters_go_and_come_back() -> None:
    first, second = make(), make()
    groups = [{"params": first[0].parameters()}, {"params": first[1].parameters(), "lr": 0.5}]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
    settings = over(settings_of(optimizer))
    assert [group["lr"] for group in settings["groups"]] == [0.1, 0.5]
    assert settings["defaults"]["momentum"] == 0.9
    assert all("params" not in group for group in settings["groups"])
    other = torch.optim.SGD(
        [{"params": second[0].parameters()}, {"params": second[1].parameters()}], lr=1.0
    )
    set_settings(other, settings["groups"])
    assert groups_of(other) == groups_of(optimizer)
    assert [len(group["params"]) for group in other.param_groups] == [2, 2]
    with pytest.raises(ValueError, match="zip"):
        set_settings(other, settings["groups"][:1])


class Shared(nn.Module):
    """Holds the same tensor and the same module twice, and something that is missing."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Linear(2, 2, bias=False)
        self.two = self.one
        self.weight = self.one.weight
        self.register_parameter("none", None)
        self.register_buffer("count", torch.zeros(1))
        self.register_module("gone", None)
        self.lazy = nn.LazyLinear(3)

    def parameters(self, recurse: bool = True) -> Any:
        raise AssertionError("a tree is read from where torch keeps it")

    named_parameters = named_modules = modules = children = parameters


def test_a_tree_has_each_tensor_and_module_once() -> None:
    module = Shared()
    module.training = False
    module.one.weight.grad = torch.ones(2, 2)
    exported: list[Any] = []
    tree = tree_of(module, lambda part: exported.append(part) or len(exported))
    assert exported == [module, module.one, module.lazy]
    assert [None if t is None else tuple(t.shape) for t in tree["tensors"]] == [
        (2, 2), (1,), None, None,
    ]  # fmt: skip
    assert [g is not None for g in tree["gradients"]] == [True, False, False, False]
    assert tree["modules"] == [
        [1, "Shared", "", False, {"weight": 0, "none": None}, {"count": 1},
         {"one": 1, "two": 1, "gone": None, "lazy": 2}],
        [2, "Linear", "Linear", True, {"weight": 0, "bias": None}, {}, {}],
        [3, "LazyLinear", "LazyLinear", True, {"weight": 2, "bias": 3}, {}, {}],
    ]  # fmt: skip
    own = type("Own", (nn.Conv2d,), {})(1, 1, 1)
    whole = tree_of(nn.Sequential(own), lambda part: 0)["modules"]
    assert [entry[1:3] for entry in whole] == [["Sequential", ""], ["Own", "Conv2d"]]


@pytest.mark.parametrize(
    ("inside", "fine"),
    [
        ([[]], True),
        ([[0]], False),
        ([[1], [0]], False),
        ([[1], [2], [0]], False),
        ([[], [2], [1]], False),
        ([[1, 2], [3], [3], []], True),
        ([[1], [2], [1]], False),
        ([[3, 1], [2], [], []], True),
        ([[1]] + [[k + 2] for k in range(5000)] + [[]], True),
        ([[1]] + [[k + 2] for k in range(5000)] + [[0]], False),
    ],
)
def test_a_module_that_contains_itself_is_found(inside: list[list[int]], fine: bool) -> None:
    assert acyclic(inside) is fine
