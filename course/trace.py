"""The operations of a model on one input, recorded from outside, however the model is written.

    record(model, x)    each operation: its name, shape, parameters, multiplications and inputs
    price(model, x)     the cost of the whole: parameters, and multiplications per image

The model runs once, in evaluation mode and without gradients. On the meta device
(`with torch.device("meta"):` around model and x) it computes shapes only, so even VGG16
takes milliseconds and no memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

__all__ = ["Step", "price", "record"]

# Operations that do not change values in inference: not recorded.
IGNORED = {"dropout", "detach", "clone", "contiguous", "flatten", "reshape", "view", "squeeze"}


@dataclass(frozen=True)
class Step:
    """One operation: `name` as torch calls it ("conv2d"), the `inputs` as numbers of steps.

    shape            of its output, (C, H, W) or (features,), without the batch dimension
    window           (f, stride) of a convolution or pool; None for others, or if it is not square
    parameters       of the operation that no earlier step used
    multiplications  for one image
    blocks           the modules that it ran in, outermost first, each with the number of its call
    """

    name: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    window: tuple[int, int] | None
    parameters: int
    multiplications: int
    blocks: tuple[tuple[nn.Module, int], ...]


def record(model: nn.Module, x: torch.Tensor) -> list[Step]:
    """Return the steps of `model` on a batch `x` (N, ...), in order; step 0 is the input.

    Only torch's functions, methods and operators are recorded. The model's mode and buffers are
    restored.
    """
    recorder = _Recorder(x)
    modes = [(module, module.training) for module in model.modules()]
    handles = [
        handle
        for module in model.modules()
        for handle in (
            module.register_forward_pre_hook(recorder.enter),
            module.register_forward_hook(recorder.leave, always_call=True),
        )
    ]
    try:
        with torch.no_grad(), recorder:
            model.eval()(x)
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module.training = training
    return recorder.steps


def price(model: nn.Module, x: torch.Tensor) -> tuple[int, int]:
    """Return the parameters of `model` and its multiplications for one image of `x` (N, ...).

    Only the multiplications (each with an addition: "MAC") of convolutions and dense layers, as
    the papers count them.
    """
    work = sum(step.multiplications for step in record(model, x))
    return sum(p.numel() for p in model.parameters()), work


class _Recorder(TorchFunctionMode):
    """Records each torch function that works on the input or on values computed from it."""

    def __init__(self, x: torch.Tensor) -> None:
        super().__init__()
        self.steps = [Step("input", (), tuple(x.shape[1:]), None, 0, 0, ())]
        self.step_of = {id(x): 0}
        self.alive: list[object] = [x]  # an id is unique only while its object is alive
        self.counted: set[int] = set()
        self.calls = 0
        self.blocks: list[tuple[nn.Module, int]] = []

    def enter(self, module: nn.Module, _: Any) -> None:
        self.calls += 1
        self.blocks.append((module, self.calls))

    def leave(self, module: nn.Module, _: Any, output: Any) -> None:
        self.blocks.pop()

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        before = [(t, self.step_of.get(id(t))) for t in _tensors((*args, *kwargs.values()))]
        output = func(*args, **kwargs)
        inputs = tuple(number for _, number in before if number is not None)
        if isinstance(output, torch.Tensor) and inputs:
            name = getattr(func, "__name__", str(func)).strip("_")
            self.alive.append(output)
            if name in IGNORED:
                self.step_of[id(output)] = inputs[0]
            else:
                self.step_of[id(output)] = len(self.steps)
                self.steps.append(self._step(name, inputs, before, output, args, kwargs))
        return output

    def _step(
        self,
        name: str,
        inputs: tuple[int, ...],
        tensors: list[tuple[torch.Tensor, int | None]],
        output: torch.Tensor,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> Step:
        new = [t for t, _ in tensors if isinstance(t, nn.Parameter) and id(t) not in self.counted]
        self.counted |= {id(t) for t in new}
        work, window = 0, None
        if name in ("conv2d", "linear"):
            weight = args[1] if len(args) > 1 else kwargs["weight"]
            work = output[0].numel() * weight[0].numel()
        if name == "conv2d":
            stride = args[3] if len(args) > 3 else kwargs.get("stride", 1)
            window = _window(tuple(weight.shape[2:]), stride)
        elif "pool2d" in name and "adaptive" not in name:
            f = args[1] if len(args) > 1 else kwargs["kernel_size"]
            stride = args[2] if len(args) > 2 else kwargs.get("stride")
            window = _window(f, f if stride is None else stride)
        shape, count = tuple(output.shape[1:]), sum(t.numel() for t in new)
        return Step(name, inputs, shape, window, count, work, tuple(self.blocks))


def _tensors(values: Iterable[Any]) -> Iterator[torch.Tensor]:
    """The tensors among `values`, also those in lists, such as the argument of torch.cat."""
    for value in values:
        if isinstance(value, torch.Tensor):
            yield value
        elif isinstance(value, (list, tuple)):
            yield from _tensors(value)


def _window(f: Any, stride: Any) -> tuple[int, int] | None:
    pairs = [tuple(v) if isinstance(v, (tuple, list)) else (v, v) for v in (f, stride)]
    if any(len(set(pair)) != 1 for pair in pairs):
        return None
    return int(pairs[0][0]), int(pairs[1][0])
