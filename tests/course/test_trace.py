"""The recorded steps of a model: the same steps and costs, however it is written."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torchvision import models

from course import trace


class Block(nn.Module):
    """A residual block, by layers or by functions, in place or not."""

    def __init__(self, by_layers: bool) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(3)
        self.relu = nn.ReLU(inplace=True) if by_layers else F.relu

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.norm(self.conv(x))
        y += x
        return self.relu(y)


def steps(model: nn.Module) -> list[tuple[str, tuple[int, ...]]]:
    return [(step.name, step.inputs) for step in trace.record(model, torch.zeros(2, 3, 8, 6))]


@pytest.mark.parametrize("by_layers", [True, False])
def test_a_skip_is_seen_as_the_second_input_of_a_sum(by_layers: bool) -> None:
    steps_found = steps(Block(by_layers))
    assert [name for name, _ in steps_found] == ["input", "conv2d", "batch_norm", "add", "relu"]
    assert [inputs for _, inputs in steps_found] == [(), (0,), (1,), (2, 0), (3,)]


def test_steps_hold_shapes_windows_and_costs_without_the_batch() -> None:
    model = nn.Sequential(nn.Conv2d(3, 4, 3, 2, 1), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8, 5))
    _, conv, pool, dense = trace.record(model, torch.zeros(2, 3, 8, 6))
    assert (conv.shape, conv.window, conv.parameters) == ((4, 4, 3), (3, 2), 112)
    assert conv.multiplications == 4 * 4 * 3 * 27
    assert (pool.shape, pool.window, pool.parameters) == ((4, 2, 1), (2, 2), 0)
    assert (dense.shape, dense.window, dense.multiplications) == ((5,), None, 40)


def test_weights_that_are_used_twice_are_counted_once_and_work_twice() -> None:
    conv = nn.Conv2d(3, 3, 1, bias=False)
    steps_found = trace.record(nn.Sequential(conv, conv), torch.zeros(1, 3, 2, 2))
    assert [step.parameters for step in steps_found] == [0, 9, 0]
    assert [step.multiplications for step in steps_found] == [0, 36, 36]
    assert trace.price(nn.Sequential(conv, conv), torch.zeros(1, 3, 2, 2)) == (9, 72)


def test_a_step_knows_the_blocks_that_it_ran_in() -> None:
    block = Block(True)
    steps_found = trace.record(nn.Sequential(block, block), torch.zeros(1, 3, 4, 4))
    calls = {call for step in steps_found for module, call in step.blocks if module is block}
    assert len(calls) == 2, "one module called twice is two blocks of the drawing"


def test_a_model_is_left_as_it_was() -> None:
    model = Block(True).train()
    model.conv.eval()
    trace.record(model, torch.randn(2, 3, 8, 6))
    assert model.training
    assert not model.conv.training
    assert model.norm.num_batches_tracked == 0
    assert not model._forward_hooks
    assert not model._forward_pre_hooks


def test_a_model_that_fails_fails_with_its_own_error_and_without_hooks() -> None:
    model = nn.Sequential(nn.Linear(3, 2), nn.Linear(5, 2))
    with pytest.raises(RuntimeError, match="shapes"):
        trace.record(model, torch.zeros(1, 3))
    assert not any(module._forward_hooks for module in model.modules())


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "resnet18", "resnet152"])
def test_the_cost_of_a_published_model_is_the_published_one(name: str) -> None:
    about = models.get_model_weights(name).IMAGENET1K_V1.meta
    with torch.device("meta"):
        model = models.get_model(name)
        parameters, work = trace.price(model, torch.empty(1, 3, 224, 224))
    assert parameters == about["num_params"]
    assert work / 1e9 == pytest.approx(about["_ops"], abs=0.002)
