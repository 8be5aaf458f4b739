"""What a call of the learner's work uses and leaves behind, where it runs."""

from __future__ import annotations

import ast
import copy
import linecache
import operator
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from course.check.assertions import that
from course.check.helpers import seed, travels

LIBRARIES = ("numpy", "scipy", "skimage", "torchvision")  # torch itself names what it runs
AUTOGRAD = ("requires_grad_", "__set__")  # what asks for gradients, by a method or an attribute
LOOPS = (ast.For, ast.AsyncFor, ast.While)
FILTERS = ("scipy.signal", "scipy.ndimage", "skimage")  # all that they do is what we do by hand


def by_hand(call: Callable[..., object], *arguments: object, without: str) -> None:
    """Raise AssertionError where `call(*arguments)` uses what it should write by hand.

    `without` has parts of the names of functions that torch, NumPy or another library has for it:
    "conv correlate unfold".
    """
    __tracebackhide__ = True
    name = getattr(call, "__name__", "the function")
    for used in operations(call, *arguments):
        what = "uses autograd" if used in AUTOGRAD else f"calls {used} of a library"
        that(
            not used.startswith(FILTERS) and not any(part in used for part in without.split()),
            f"{name} {what}: write it by hand, the library is only the referee.",
        )


@travels
def operations(call: Callable[..., object], *arguments: object) -> list[str]:
    """Return the names of the library functions that `call(*arguments)` used, in order.

    Tensor methods and torch.nn.functional count alike: "max_pool2d", "amax". What the call itself
    asks of NumPy and the like comes with the library: "numpy.pad", "scipy.signal.correlate2d".
    """
    names: list[str] = []

    def record(frame: FrameType, event: str, function: Any) -> None:
        if event == "c_call" and not is_library(frame):
            owner = getattr(function, "__self__", None)
            module = getattr(function, "__module__", None) or type(owner).__module__
            note(module, function.__name__)
        elif event == "call" and frame.f_back and not is_library(frame.f_back):
            note(frame.f_globals.get("__name__"), frame.f_code.co_name)

    def note(module: object, name: str) -> None:
        parts = str(module).split(".")
        if parts[0] in LIBRARIES and not name.startswith("_"):
            names.append(".".join([*parts[:2], name] if parts[0] == "scipy" else [parts[0], name]))

    before = sys.getprofile()
    with _FunctionRecorder(names):
        sys.setprofile(record)
        try:
            call(*arguments)
        finally:
            sys.setprofile(before)
    return names


def is_library(frame: FrameType) -> bool:
    """Return whether a frame runs code of a library that operations() names, or of torch."""
    root = str(frame.f_globals.get("__name__")).partition(".")[0]
    return root in LIBRARIES or root == "torch"


class _FunctionRecorder(TorchFunctionMode):
    """Records the name of each torch function that runs under it."""

    def __init__(self, names: list[str]) -> None:
        super().__init__()
        self.names = names

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.names.append(getattr(func, "__name__", str(func)))
        return func(*args, **(kwargs or {}))


@travels
def steps(call: Callable[..., object], *arguments: object) -> int:
    """Return how many steps of the notebook's own code `call(*arguments)` took, as bytecode.

    A loop in Python takes more of them for a larger input; a product of arrays does not.
    """
    count = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal count
        if frame.f_globals.get("__name__") != "__main__":
            return None
        frame.f_trace_opcodes = True
        count += event == "opcode"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call(*arguments)
    finally:
        sys.settrace(before)
    return count


@travels
def line_runs(call: Callable[..., object], *arguments: object) -> int:
    """Return how often `call(*arguments)` runs the notebook's statement that it runs most often.

    A statement runs once each time that it begins, over however many lines it is written; a
    comprehension or lambda is part of its statement. The heads of loops, `for` and `while`, do not
    count: they also run at the end.
    """
    counts: Counter[tuple[str, object]] = Counter()
    cells: dict[str, dict[int, ast.stmt]] = {}

    def enter(frame: FrameType, event: str, _: Any) -> Any:
        file, name = frame.f_code.co_filename, frame.f_code.co_name
        if frame.f_globals.get("__name__") != "__main__" or name.startswith("<"):
            return None
        if file not in cells:
            cells[file] = _statements("".join(linecache.getlines(file)))
        before: object = None

        def trace(frame: FrameType, event: str, _: Any) -> Any:
            nonlocal before
            if event == "line":
                now = cells[file].get(frame.f_lineno, frame.f_lineno)
                counts[file, now] += not isinstance(now, LOOPS) and _begins(now, before)
                before = now
            return trace

        return trace

    previous = sys.gettrace()
    sys.settrace(enter)
    try:
        call(*arguments)
    finally:
        sys.settrace(previous)
    return max(counts.values(), default=0)


def _statements(source: str) -> dict[int, ast.stmt]:
    """Return the innermost statement of each line, or the first that begins there.

    Empty where the text is no Python, such as a cell of a kernel that no longer has it.
    """
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        tree = compile(source, "cell", "exec", flags)
    except SyntaxError:
        return {}
    statements: dict[int, ast.stmt] = {}
    for node in ast.walk(tree):  # parents come before their children
        if isinstance(node, ast.stmt):
            for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                if line not in statements or statements[line].lineno < node.lineno:
                    statements[line] = node
    return statements


def _begins(now: object, before: object) -> bool:
    """Return whether a line of statement `now` begins it when `before` ran last in this frame.

    Python returns to the first line of a statement over several lines, and of a `with` at its end.
    """
    inside = (
        isinstance(now, ast.With | ast.AsyncWith | ast.Try)
        and isinstance(before, ast.stmt)
        and now.lineno <= before.lineno <= (now.end_lineno or now.lineno)
    )
    return now is not before and not inside


@travels
def shares_memory(call: Callable[..., Any], x: Any, *arguments: object) -> bool:
    """Return whether the result of `call(x, *arguments)` is `x`, or a view of it."""
    result = call(x, *arguments)
    return result is x or bool(np.shares_memory(np.asarray(result), np.asarray(x)))


@travels
def reuses_memory(call: Callable[..., Any], *arguments: object) -> bool:
    """Return whether two results of `call` share memory, so that the second overwrites the first.

    The two calls have equal arguments of their own.
    """
    first, second = (_array(call(*copy.deepcopy(arguments))) for _ in range(2))
    return bool(np.shares_memory(first, second))


def _array(value: Any) -> np.ndarray[Any, Any]:
    return np.asarray(value.detach() if isinstance(value, torch.Tensor) else value)


@travels
def variable(call: Callable[..., object], name: str) -> object:
    """Return the value of a name of the notebook where `call` runs."""
    return vars(sys.modules["__main__"])[name]


@travels
def reseeded(call: Callable[..., Any], *arguments: object) -> list[str]:
    """Return the global RNGs that `call(*arguments)` sets to a state of its own: "torch", ...

    Others that draw from them would get the same numbers after each call, or numbers that no seed
    repeats. A generator that the call returns is exhausted; the RNGs are looked at after its first
    item, too.
    """
    runs = []
    for number in (1, 2, 1):
        seed(number)
        result, drawn = call(*arguments), []
        items = iter(result) if isinstance(result, Iterable) else iter(())
        next(items, None)
        for _ in range(2):
            drawn.append((torch.rand(1).item(), np.random.rand(), random.random()))
            list(items)
        runs.append(list(zip(*drawn, strict=True)))
    names = ("torch", "NumPy", "random")
    return [
        name
        for name, one, other, again in zip(names, *runs, strict=True)
        if one != again or any(map(operator.eq, one, other))
    ]
