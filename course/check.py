"""Assertions whose messages teach: they say what came, what was expected, and what to look at.

    that(condition, message)                    any claim
    equal(got, expected, what, hint)            numbers, words, tuples, lists, dictionaries
    shape(got, expected, what, hint)            the shape of an array or tensor
    close(got, expected, what, hint)            arrays and tensors, within rounding
    table(got, expected, what, hint)            data frames, cell by cell
    raises(error, call, *arguments, hint=)      what must not be accepted
    at_least(got, bound, what, hint)            what was learnt; so at_most. margins() has the room
    spread(got, variance, what, hint)           random numbers, by their mean and variance
    seed(number)                                before what is learnt: all dice that training throws

Each raises AssertionError with a message for the learner, and returns None. `what` names the
thing that was computed, best as the call itself: "output_size(7, 3, s=2)".

A test reaches the learner's work by name alone. Where it must act where the answer runs, it
does so through one of these, which return plain data or the learner's own object. Given something
that only stands for the learner's work, they act where that work is (see travels()):

    layer_shapes(model, x)                      what leaves each layer of a module
    parameter_counts(model)                     parameters of each layer that has any
    operations(call, *arguments)                names of the torch functions that a call used
    gradient(call, x, *arguments)               how a call's answer changes with its input
    silenced(model, x, layers)                  what a model answers without some of its parts
    state(model)                                parameters and buffers as plain arrays
    filled(model, weight, bias, scale)          a model whose parameters are all set to constants
    stack_gradients(make, arguments, ...)       how much gradient reaches each of many blocks
    optimizer(model, name, **settings)          an optimizer over a model's parameters
    trained(train_epoch, model, ...)            what epochs make of a copy of a model
    evaluated(evaluate, model, ...)             what an evaluation makes of a copy of a model
    inspected(look, model, layer, ...)          what a look into a copy of a model finds and leaves
    on_copies(call, modules, *arguments)        what a call returns, and makes of copies of modules
"""

from __future__ import annotations

import copy
import functools
import numbers
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ParamSpec, TypeVar

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.overrides import TorchFunctionMode

__all__ = [
    "at_least",
    "at_most",
    "close",
    "equal",
    "evaluated",
    "filled",
    "gradient",
    "inspected",
    "layer_shapes",
    "margins",
    "on_copies",
    "operations",
    "optimizer",
    "parameter_counts",
    "raises",
    "seed",
    "shape",
    "silenced",
    "spread",
    "stack_gradients",
    "state",
    "table",
    "that",
    "trained",
]

REL_TOL = 1e-5
ABS_TOL = 1e-6

_margins: list[tuple[str, float]] = []

P = ParamSpec("P")
R = TypeVar("R")


def travels(helper: Callable[P, R]) -> Callable[P, R]:
    """`helper`, done by the first of its arguments that has a method __course_check__.

    As NumPy's functions are by __array_function__: it is called as
    __course_check__(helper, arguments, named arguments), by whatever stands for an object that
    lives elsewhere, and returns what the helper returns there.
    """

    @functools.wraps(helper)
    def anywhere(*arguments: P.args, **named: P.kwargs) -> R:
        __tracebackhide__ = True
        for one in (*arguments, *named.values()):
            for each in one if isinstance(one, (list, tuple)) else (one,):
                if hasattr(type(each), "__course_check__"):
                    found: R = type(each).__course_check__(each, helper, arguments, named)
                    return found
        return helper(*arguments, **named)

    return anywhere


def that(condition: object, message: str) -> None:
    """Pass if `condition` is true, else fail with `message`."""
    __tracebackhide__ = True
    if not bool(condition):
        raise AssertionError(message)


def equal(got: object, expected: object, what: str, hint: str = "") -> None:
    """Pass if `got` is the number, word, tuple, list or dictionary `expected`.

    Numbers are compared by value: NumPy scalars, 0-d tensors and floats without a fraction are
    as good as ints. Tuples and lists of the same items are equal.
    """
    __tracebackhide__ = True
    expected = _plain(expected)
    that(_same(_plain(got), expected), _message(what, _words(got), _words(expected), hint))


def shape(got: object, expected: Sequence[int], what: str, hint: str = "") -> None:
    """Pass if `got` is an array or tensor of shape `expected`."""
    __tracebackhide__ = True
    that(
        isinstance(got, (np.ndarray, torch.Tensor)),
        f"{what} should be an array or tensor, it is {_words(got)}.{_tail(hint)}",
    )
    found = tuple(got.shape)  # type: ignore[attr-defined]
    that(
        found == tuple(expected),
        f"{what} has shape {found}, {tuple(expected)} was expected.{_tail(hint)}",
    )


def close(
    got: object,
    expected: object,
    what: str,
    hint: str = "",
    rtol: float = REL_TOL,
    atol: float = ABS_TOL,
) -> None:
    """Pass if the array or tensor `got` has the shape and, within rounding, the values `expected`.

    Compared in float64: |got - expected| <= atol + rtol * |expected|. The message names the
    place of the largest error.
    """
    __tracebackhide__ = True
    reference = _array(expected)
    found = _array(got)
    that(found is not None, f"{what} should hold numbers, it is {_words(got)}.{_tail(hint)}")
    assert found is not None
    assert reference is not None
    that(
        found.shape == reference.shape,
        f"{what} has shape {found.shape}, {reference.shape} was expected.{_tail(hint)}",
    )
    wrong = ~np.isclose(found, reference, rtol=rtol, atol=atol)
    if not wrong.any():
        return
    place = tuple(int(i) for i in np.unravel_index(_worst(found, reference), wrong.shape))
    where = f" at {place}" if place else ""
    that(
        False,
        f"{what} is {found[place]:.6g}{where}, {reference[place]:.6g} was expected"
        f" ({int(wrong.sum())} of {wrong.size} values differ).{_tail(hint)}",
    )


def table(got: object, expected: pd.DataFrame, what: str, hint: str = "") -> None:
    """Pass if the data frame `got` has the rows, columns and numbers of `expected`.

    An empty cell (None, NaN or "") equals an empty cell. The message names the first wrong
    cells by row and column, never what they should be.
    """
    __tracebackhide__ = True
    that(isinstance(got, pd.DataFrame), f"{what} should be a data frame, it is {_words(got)}.")
    assert isinstance(got, pd.DataFrame)
    for axis, found, wanted in (
        ("rows", list(got.index), list(expected.index)),
        ("columns", list(got.columns), list(expected.columns)),
    ):
        that(found == wanted, f"{what} has the {axis} {found}, {wanted} were expected.")
    wrong = [
        f"{column} of {row}"
        for row in expected.index
        for column in expected.columns
        if not _same(_cell(got.loc[row, column]), _cell(expected.loc[row, column]))
    ]
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    that(not wrong, f"{what} is wrong in: {', '.join(wrong[:3])}{more}.{_tail(hint)}")


def raises(
    error: type[Exception], call: Callable[..., object], *arguments: object, hint: str = ""
) -> None:
    """Pass if `call(*arguments)` raises `error` (NotImplementedError passes through)."""
    __tracebackhide__ = True
    said = f"{getattr(call, '__name__', 'the call')}({', '.join(map(repr, arguments))})"
    try:
        result = call(*arguments)
    except error:
        return
    except NotImplementedError:
        raise
    except Exception as other:
        raise AssertionError(
            f"{said} raised {type(other).__name__}, {error.__name__} was expected.{_tail(hint)}"
        ) from None
    raise AssertionError(
        f"{said} returned {_words(result)}, it should raise {error.__name__}.{_tail(hint)}"
    )


def at_least(got: object, bound: float, what: str, hint: str = "") -> None:
    """Pass if the number `got`, which was learnt, is `bound` or more."""
    __tracebackhide__ = True
    _compare(got, bound, 1, f"at least {bound:g}", what, hint)


def at_most(got: object, bound: float, what: str, hint: str = "") -> None:
    """Pass if the number `got`, which was learnt, is `bound` or less."""
    __tracebackhide__ = True
    _compare(got, bound, -1, f"at most {bound:g}", what, hint)


def margins() -> list[tuple[str, float]]:
    """(what, room) of each at_least() and at_most() so far: room is negative beyond the bound.

    Called by the proofs that repeat what trains from several seeds.
    """
    return list(_margins)


def spread(got: object, variance: float, what: str, hint: str = "", kurtosis: float = 3.0) -> None:
    """Pass if the numbers of `got` have mean 0 and this variance, within four standard errors.

    kurtosis is the fourth moment over the squared variance of what they are drawn from: 3 for a
    normal distribution, 1.8 for a uniform one. A sound draw fails once in some 8,000 times.
    """
    __tracebackhide__ = True
    found = _array(got)
    that(found is not None, f"{what} should hold numbers, it is {_words(got)}.{_tail(hint)}")
    assert found is not None
    mean, square, n = float(found.mean()), float((found**2).mean()), found.size
    that(
        abs(mean) <= 4 * np.sqrt(variance / n),
        f"{what} has mean {mean:.3g}, 0 was expected.{_tail(hint)}",
    )
    that(
        abs(square - variance) <= 4 * variance * np.sqrt((kurtosis - 1) / n),
        f"{what} has standard deviation {square**0.5:.4g}, {variance**0.5:.4g} was expected."
        f"{_tail(hint)}",
    )


@travels
def layer_shapes(model: nn.Module, x: torch.Tensor) -> list[tuple[str, tuple[int, ...]]]:
    """(class name, output shape) of each layer without children, in the order they ran on `x`."""
    seen: list[tuple[str, tuple[int, ...]]] = []

    def note(module: nn.Module, _: Any, output: Any) -> None:
        if isinstance(output, torch.Tensor):
            seen.append((_kind(module), tuple(output.shape)))

    leaves = [module for module in model.modules() if not any(module.children())]
    hooks = [module.register_forward_hook(note) for module in leaves]
    try:
        with torch.no_grad():
            model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return seen


def _kind(module: nn.Module) -> str:
    """The class of a layer, of torch's own where the learner's is derived from one: "Conv2d"."""
    kinds = [
        kind for kind in type(module).__mro__ if kind.__module__.startswith("torch.nn.modules")
    ]
    derived = kinds and kinds[0] not in (nn.Module, nn.Sequential)
    return kinds[0].__name__ if derived else type(module).__name__


def parameter_counts(model: nn.Module) -> list[tuple[str, int]]:
    """(class name, number of parameters) of each layer that has parameters, as registered."""
    return [
        (_kind(module), count)
        for module in model.modules()
        if (count := sum(p.numel() for p in module.parameters(recurse=False)))
    ]


@travels
def silenced(model: nn.Module, x: torch.Tensor, layers: Sequence[str]) -> np.ndarray[Any, Any]:
    """What `model` answers to `x`, in evaluation mode, while its named submodules give zeros.

    `layers` are names as in model.get_submodule(), all of them silenced at once; none leaves the
    model whole. The model itself is left alone. Fails, in words, for a name that it lacks.
    """
    model = copy.deepcopy(model).eval()
    known = dict(model.named_modules())
    for name in layers:
        that(name in known, f"{type(model).__name__} has no part named {name}.")
        known[name].register_forward_hook(lambda module, given, output: torch.zeros_like(output))
    with torch.no_grad():
        answer: np.ndarray[Any, Any] = model(x).cpu().numpy()
    return answer


@travels
def operations(call: Callable[..., object], *arguments: object) -> list[str]:
    """Names of the torch functions that `call(*arguments)` used, in order: "max_pool2d", "amax".

    Tensor methods and torch.nn.functional count alike. For exercises whose point is to write by
    hand what torch has ready.
    """
    with _Listener() as listener:
        call(*arguments)
    return listener.names


@travels
def gradient(
    call: Callable[..., torch.Tensor], x: torch.Tensor, *arguments: object
) -> np.ndarray[Any, Any] | None:
    """The gradient of the number `call(x, *arguments)` with respect to x, as a plain array.

    None where torch cannot differentiate the call. `x` is left alone.
    """
    x = x.detach().clone().requires_grad_()
    value = call(x, *arguments)
    if not (isinstance(value, torch.Tensor) and value.requires_grad):
        return None
    (found,) = torch.autograd.grad(value, x, allow_unused=True)
    return None if found is None else found.numpy()


class _Listener(TorchFunctionMode):
    """Notes the name of each torch function that runs under it."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.names.append(getattr(func, "__name__", str(func)))
        return func(*args, **(kwargs or {}))


def state(model: nn.Module) -> dict[str, np.ndarray[Any, Any]]:
    """Parameters and buffers of `model` by name, as plain arrays that no longer change with it."""
    return {name: value.detach().cpu().numpy().copy() for name, value in model.state_dict().items()}


@travels
def filled(
    model: nn.Module,
    weight: float,
    bias: float = 0.0,
    scale: float = 1.0,
    training: bool = False,
) -> nn.Module:
    """`model` itself, in evaluation mode unless `training`, all its parameters set to constants.

    weight  of convolutions and dense layers; bias of all layers; scale: the weight of a norm.

    With constants an answer can be known without a look inside: a kernel of ones adds up nine
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
    """The gradient's size (RMS) in each of `depth` fresh modules run one after another on `x`.

    The modules are make(*arguments), in training mode; the gradient is that of a random sum of
    what leaves the last of them. The first number belongs to the first module.
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


def seed(number: int) -> None:
    """Set the dice of torch, NumPy and Python, whichever an answer's training throws.

    The same answer is then trained alike each time it is marked. `number` is from 0 to 2**32 - 1.
    """
    torch.manual_seed(number)
    np.random.seed(number)
    random.seed(number)


@travels
def optimizer(model: nn.Module, name: str, **settings: Any) -> torch.optim.Optimizer:
    """The optimizer `name` of torch.optim ("SGD", "AdamW") over the parameters of `model`."""
    made: torch.optim.Optimizer = getattr(torch.optim, name)(model.parameters(), **settings)
    return made


@travels
def trained(
    train_epoch: Callable[..., object],
    model: nn.Module,
    images: torch.Tensor,
    labels: torch.Tensor,
    batch_size: int,
    epochs: int,
    lr: float,
) -> dict[str, Any]:
    """What `train_epoch` makes of a copy of `model` in `epochs` epochs of plain SGD, as plain data.

    "returned", what each epoch returned; "state", the copy's state(); `model` is left alone.
    """
    model = copy.deepcopy(model)
    sgd = optimizer(model, "SGD", lr=lr)
    returned = [train_epoch(model, images, labels, sgd, batch_size) for _ in range(epochs)]
    return {"returned": returned, "state": state(model)}


@travels
def evaluated(
    evaluate: Callable[..., object], model: nn.Module, images: torch.Tensor, labels: torch.Tensor
) -> dict[str, Any]:
    """What `evaluate` says of a copy of `model` and makes of it, as plain data.

    "returned"; "state", the copy's state(); "training", its mode; "gradients", whether it was
    left with any. `model` is left alone.
    """
    model = copy.deepcopy(model)
    returned = evaluate(model, images, labels)
    return {
        "returned": returned,
        "state": state(model),
        "training": model.training,
        "gradients": any(p.grad is not None for p in model.parameters()),
    }


@travels
def inspected(
    look: Callable[..., object], model: nn.Module, layer: str | None, *arguments: object
) -> dict[str, Any]:
    """What `look(model, layer, *arguments)` finds in a copy of `model` and leaves, as plain data.

    layer  the name of the layer to look at, as in named_modules(); None for looks without one

    "returned", or None if it raised; "raised", the name of what it raised, or ""; "state", the
    copy's state(); "training" and "trainable", the mode of each module and whether each parameter
    takes gradients, by name; "gradients", whether it was left with any; "hooks", how many.
    `model` is left alone. NotImplementedError passes through.
    """
    model = copy.deepcopy(model)
    layers = [] if layer is None else [model.get_submodule(layer)]
    returned, raised = None, ""
    try:
        returned = look(model, *layers, *arguments)
    except NotImplementedError:
        raise
    except Exception as error:  # what the learner's function raises is what is asked for
        raised = type(error).__name__
    return {
        "returned": returned,
        "raised": raised,
        "state": state(model),
        "training": {name: module.training for name, module in model.named_modules()},
        "trainable": {name: p.requires_grad for name, p in model.named_parameters()},
        "gradients": any(p.grad is not None for p in model.parameters()),
        "hooks": sum(
            len(module._forward_hooks)
            + len(module._forward_pre_hooks)
            + len(module._backward_hooks)
            for module in model.modules()
        ),
    }


@travels
def on_copies(
    call: Callable[..., object], modules: Sequence[nn.Module], *arguments: object
) -> dict[str, Any]:
    """What `call(*modules, *arguments)` returns, and what it makes of copies of the modules.

    "returned"; "states", the state() of each copy afterwards. The modules are left alone.
    """
    copies = [copy.deepcopy(module) for module in modules]
    returned = call(*copies, *arguments)
    return {"returned": returned, "states": [state(module) for module in copies]}


def _compare(got: object, bound: float, sign: int, wanted: str, what: str, hint: str) -> None:
    __tracebackhide__ = True
    number: Any = _plain(got)
    that(
        isinstance(number, numbers.Real) and not isinstance(number, bool),
        f"{what} should be a number, it is {_words(got)}.{_tail(hint)}",
    )
    room = sign * (float(number) - bound)
    _margins.append((what, room))
    that(room >= 0, f"{what} is {float(number):.3g}, {wanted} was expected.{_tail(hint)}")


def _array(value: object) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return None


def _plain(value: object) -> object:
    """A 0-d array or tensor as the number it holds."""
    if isinstance(value, (np.ndarray, torch.Tensor)) and value.ndim == 0:
        return value.item()
    return value


def _same(got: object, expected: object) -> bool:
    if expected is None or isinstance(expected, str):
        return isinstance(got, type(expected)) and got == expected
    if isinstance(expected, bool):
        return isinstance(got, (bool, np.bool_)) and bool(got) is expected
    if isinstance(expected, numbers.Real):
        return isinstance(got, numbers.Real) and float(got) == float(expected)
    if isinstance(expected, Mapping):
        return (
            isinstance(got, Mapping)
            and got.keys() == expected.keys()
            and all(_same(_plain(got[key]), expected[key]) for key in expected)
        )
    if isinstance(expected, (tuple, list)):
        return (
            isinstance(got, (tuple, list, torch.Size))
            and len(got) == len(expected)
            and all(_same(_plain(g), e) for g, e in zip(got, expected, strict=True))
        )
    raise TypeError(f"equal() does not compare {type(expected).__name__}")


def _cell(value: object) -> object:
    """A table's cell: None where it is empty."""
    value = _plain(value)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, float) and np.isnan(value):
        return None
    return None if value is pd.NA else value


def _worst(found: np.ndarray[Any, Any], reference: np.ndarray[Any, Any]) -> int:
    return int(np.nan_to_num(np.abs(found - reference), nan=np.inf).argmax())


def _message(what: str, got: str, expected: str, hint: str) -> str:
    return f"{what} is {got}, {expected} was expected.{_tail(hint)}"


def _tail(hint: str) -> str:
    return f" {hint}" if hint else ""


def _words(value: object, limit: int = 80) -> str:
    """`value` as a learner reads it: numbers as numbers, None as 'nothing (None)'."""
    if value is None:
        return "nothing (None: is a return missing?)"
    plain = _plain(value)
    if isinstance(plain, np.generic):
        plain = plain.item()
    text = repr(plain)
    return text if len(text) <= limit else text[: limit - 3] + "..."
