"""Helpers that act on the learner's work where it runs, and return plain data."""

from __future__ import annotations

import copy
import functools
import random
from collections.abc import Callable, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np
import torch
from torch import nn

from course import compat
from course.check.assertions import that

P = ParamSpec("P")
R = TypeVar("R")


def travels(helper: Callable[P, R]) -> Callable[P, R]:
    """Return `helper`, dispatched to the first of its arguments that has __course_check__.

    The protocol is like NumPy's __array_function__. A proxy of an object that lives in another
    process is called as __course_check__(helper, arguments, keyword arguments), and returns what
    the helper returns there. The other process finds the helper by __module__ and __qualname__.
    """

    @functools.wraps(helper)
    def dispatch(*args: P.args, **kwargs: P.kwargs) -> R:
        __tracebackhide__ = True
        for argument in (*args, *kwargs.values()):
            for item in argument if isinstance(argument, (list, tuple)) else (argument,):
                if hasattr(type(item), "__course_check__"):
                    result: R = type(item).__course_check__(item, helper, args, kwargs)
                    return result
        return helper(*args, **kwargs)

    return dispatch


def seed(number: int) -> None:
    """Seed the random number generators of torch, NumPy and Python.

    With it, training gives the same result each time that an answer is graded, whichever of them
    the answer draws from. `number` is from 0 to 2**32 - 1.
    """
    torch.manual_seed(number)
    np.random.seed(number)
    random.seed(number)


@travels
def layer_shapes(model: nn.Module, x: torch.Tensor) -> list[tuple[str, tuple[int, ...]]]:
    """Return (class name, output shape) of each layer without children, in order of execution."""
    shapes: list[tuple[str, tuple[int, ...]]] = []

    def record(module: nn.Module, _: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor):
            shapes.append((_layer_class(module), tuple(output.shape)))

    leaves = [module for module in model.modules() if not any(module.children())]
    hooks = [module.register_forward_hook(record) for module in leaves]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return shapes


def parameter_counts(model: nn.Module) -> list[tuple[str, int]]:
    """Return (class name, number of parameters) of each layer that has any, as registered."""
    return [
        (_layer_class(module), count)
        for module in model.modules()
        if (count := sum(p.numel() for p in module.parameters(recurse=False)))
    ]


def _layer_class(module: nn.Module) -> str:
    """The class name of a layer: torch's own where the learner's class is derived: "Conv2d"."""
    bases = [
        base for base in type(module).__mro__ if base.__module__.startswith("torch.nn.modules")
    ]
    derived = bases and bases[0] not in (nn.Module, nn.Sequential)
    return bases[0].__name__ if derived else type(module).__name__


@travels
def silenced(model: nn.Module, x: torch.Tensor, layers: Sequence[str]) -> np.ndarray[Any, Any]:
    """Return the output of `model` on `x` while its named submodules give zeros.

    `layers` are names as in model.get_submodule(), all of them silenced at once; an empty list
    leaves the model whole. The model runs in evaluation mode, and itself is not changed. Raises
    AssertionError for a name that it lacks.
    """
    model = copy.deepcopy(model).eval()
    submodules = dict(model.named_modules())
    for name in layers:
        that(name in submodules, f"{type(model).__name__} has no part named {name}.")
        submodules[name].register_forward_hook(lambda _, args, output: torch.zeros_like(output))
    with torch.no_grad():
        output: np.ndarray[Any, Any] = model(x).cpu().numpy()
    return output


@travels
def gradient(
    call: Callable[..., torch.Tensor], x: torch.Tensor, *arguments: object
) -> np.ndarray[Any, Any] | None:
    """Return the gradient of the number `call(x, *arguments)` with respect to x.

    None where torch cannot differentiate the call. `x` is not changed.
    """
    x = x.detach().clone().requires_grad_()
    value = call(x, *arguments)
    if not (isinstance(value, torch.Tensor) and value.requires_grad):
        return None
    (result,) = torch.autograd.grad(value, x, allow_unused=True)
    return None if result is None else result.numpy()


def state(model: nn.Module) -> dict[str, np.ndarray[Any, Any]]:
    """Return copies of the parameters and buffers of `model` by name, as plain arrays."""
    return {name: value.detach().cpu().numpy().copy() for name, value in model.state_dict().items()}


@travels
def filled(
    model: nn.Module,
    weight: float,
    bias: float = 0.0,
    scale: float = 1.0,
    training: bool = False,
) -> nn.Module:
    """Return `model` itself, all its parameters set to constants, in evaluation mode by default.

    weight    of convolutions and dense layers
    bias      of all layers
    scale     the weight of a normalisation layer
    training  leave the model in training mode

    With constants the output can be known without a look inside: a kernel of ones adds up nine
    pixels, wherever the model keeps it.
    """
    with torch.no_grad():
        for module in model.modules():
            for name, parameter in module.named_parameters(recurse=False):
                norm = hasattr(module, "running_mean") and name == "weight"
                parameter.fill_(weight if parameter.dim() > 1 else scale if norm else bias)
    return model.train(training)


@travels
def stack_gradients(
    make: Callable[..., nn.Module],
    arguments: Sequence[object],
    depth: int,
    x: torch.Tensor,
    seed: int = 0,
) -> list[float]:
    """Return the RMS of the gradient in each of `depth` new modules run one after another on `x`.

    The modules are make(*arguments), in training mode; the gradient is that of a random weighted
    sum of the last module's output. The first number belongs to the first module.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        blocks = [make(*arguments).train() for _ in range(depth)]
        for block in blocks:
            x = block(x)
        (x * torch.randn(x.shape)).mean().backward()
    sizes = []
    for block in blocks:
        values = [p.grad if p.grad is not None else torch.zeros_like(p) for p in block.parameters()]
        flat = torch.cat([value.flatten() for value in values] or [torch.zeros(1)])
        sizes.append(float(flat.double().square().mean().sqrt()))
    return sizes


@travels
def optimizer(model: nn.Module, name: str, **settings: Any) -> torch.optim.Optimizer:
    """Return the optimizer `name` of torch.optim ("SGD", "AdamW") over `model`'s parameters."""
    result: torch.optim.Optimizer = getattr(torch.optim, name)(model.parameters(), **settings)
    return result


@travels
def trained(
    train_epoch: Callable[..., object],
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    batch_size: int | None,
    epochs: int,
    lr: float,
    momentum: float = 0.0,
) -> dict[str, Any]:
    """Return the result of training a copy of `model` with SGD for `epochs` epochs.

    `train_epoch` is called without a batch size where that is None. Each parameter of the copy
    comes with a gradient of ones, which the first step should forget.

    "returned", the return value of each epoch; "state", the copy's state(); "training", its mode
    afterwards. Neither `model` nor images and labels are changed, whatever the answer writes into
    what it is called with.
    """
    model, images, labels = copy.deepcopy((model, images, labels))
    _give_gradients(model)
    sgd = optimizer(model, "SGD", lr=lr, momentum=momentum)
    sizes = () if batch_size is None else (batch_size,)
    returned = [train_epoch(model, images, labels, sgd, *sizes) for _ in range(epochs)]
    return {"returned": returned, "state": state(model), "training": model.training}


def _give_gradients(model: nn.Module) -> None:
    """Give each parameter of `model` a gradient of ones, as an earlier backward() might."""
    for parameter in model.parameters():
        parameter.grad = torch.ones_like(parameter)


@travels
def evaluated(
    evaluate: Callable[..., object], model: nn.Module, images: torch.Tensor, labels: torch.Tensor
) -> dict[str, Any]:
    """Return the result of `evaluate` on a copy of `model`, and the state of the copy afterwards.

    "returned"; "state", the copy's state(); "training", its mode, and "modes", those of all layers;
    "graph", whether an output of it required gradients; "gradients", whether the gradient of ones
    with which each parameter came was changed; "trainable", whether all parameters require
    gradients; "enabled", whether torch still computes them; "inputs", whether images or labels were
    changed. Neither `model` nor images and labels are changed.
    """
    before, enabled = (images, labels), torch.is_grad_enabled()
    model, images, labels = copy.deepcopy((model, images, labels))
    _give_gradients(model)
    graph: list[bool] = []
    hook = model.register_forward_hook(lambda _, args, output: graph.append(output.requires_grad))
    returned = evaluate(model, images, labels)
    hook.remove()
    still_enabled = torch.is_grad_enabled()
    torch.set_grad_enabled(enabled)
    return {
        "returned": returned,
        "state": state(model),
        "training": model.training,
        "modes": {name: module.training for name, module in model.named_modules()},
        "graph": any(graph),
        "gradients": any(p.grad is None or bool((p.grad != 1).any()) for p in model.parameters()),
        "trainable": all(p.requires_grad for p in model.parameters()),
        "enabled": still_enabled or not enabled,
        "inputs": not all(map(torch.equal, before, (images, labels))),
    }


@travels
def inspected(
    look: Callable[..., object], model: nn.Module, layer: str | None, *arguments: object
) -> dict[str, Any]:
    """Return the result of `look(model, layer, *arguments)` on a copy, and the copy's state.

    layer  the name of the layer to look at, as in named_modules(); None for looks without one

    "returned", or None if it raised; "raised", the name of the exception, or ""; "state", the
    copy's state(); "training" and "trainable", the mode of each module and whether each parameter
    requires gradients, by name; "gradients", whether any parameter has one; "hooks", how many are
    registered. `model` is not changed. NotImplementedError passes through.
    """
    model = copy.deepcopy(model)
    layers = [] if layer is None else [model.get_submodule(layer)]
    returned, raised = None, ""
    try:
        returned = look(model, *layers, *arguments)
    except NotImplementedError:
        raise
    except Exception as error:  # the test asks which exception the learner's function raises
        raised = type(error).__name__
    return {
        "returned": returned,
        "raised": raised,
        "state": state(model),
        "training": {name: module.training for name, module in model.named_modules()},
        "trainable": {name: p.requires_grad for name, p in model.named_parameters()},
        "gradients": any(p.grad is not None for p in model.parameters()),
        "hooks": sum(compat.hook_count(module) for module in model.modules()),
    }


@travels
def on_copies(
    call: Callable[..., object], modules: Sequence[nn.Module], *arguments: object
) -> dict[str, Any]:
    """Return the result of `call(*modules, *arguments)` on copies, and the copies' states.

    "returned"; "states", the state() of each copy afterwards. The modules are not changed.
    """
    copies = [copy.deepcopy(module) for module in modules]
    returned = call(*copies, *arguments)
    return {"returned": returned, "states": [state(module) for module in copies]}
