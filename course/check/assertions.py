"""Assertions whose messages teach: what came, what was expected, and what to look at."""

from __future__ import annotations

import numbers
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import torch

REL_TOL = 1e-5
ABS_TOL = 1e-6

_margins: list[tuple[str, float]] = []


def that(condition: object, message: str) -> None:
    """Raise AssertionError with `message` unless `condition` is true."""
    __tracebackhide__ = True
    if not bool(condition):
        raise AssertionError(message)


def equal(got: object, expected: object, what: str, hint: str = "") -> None:
    """Raise AssertionError unless `got` equals the number, string, list, ... `expected`.

    Numbers are compared by value: NumPy scalars, 0-d tensors and floats without a fraction are
    as good as ints. Tuples and lists of the same items are equal. Dictionaries are compared by
    key.
    """
    __tracebackhide__ = True
    expected = _to_scalar(expected)
    if isinstance(expected, Mapping) and isinstance(got, Mapping) and got.keys() == expected.keys():
        for key in expected:
            equal(got[key], expected[key], f"{what}: {key!r}", hint)
    that(_same(_to_scalar(got), expected), _message(what, _repr(got), _repr(expected), hint))


def shape(got: object, expected: Sequence[int], what: str, hint: str = "") -> None:
    """Raise AssertionError unless `got` is an array or tensor of shape `expected`."""
    __tracebackhide__ = True
    that(
        isinstance(got, (np.ndarray, torch.Tensor)),
        f"{what} should be an array or tensor, it is {_repr(got)}.{_suffix(hint)}",
    )
    actual = tuple(got.shape)  # type: ignore[attr-defined]
    that(
        actual == tuple(expected),
        f"{what} has shape {actual}, {tuple(expected)} was expected.{_suffix(hint)}",
    )


def close(
    got: object,
    expected: object,
    what: str,
    hint: str = "",
    rtol: float = REL_TOL,
    atol: float = ABS_TOL,
) -> None:
    """Raise AssertionError unless `got` has the shape and, within rounding, the values `expected`.

    Both are arrays, tensors or what NumPy takes for one. Compared in float64:
    |got - expected| <= atol + rtol * |expected|. The message names the index of the largest error.
    """
    __tracebackhide__ = True
    that(
        not isinstance(got, (bool, np.bool_)) or isinstance(expected, (bool, np.bool_)),
        f"{what} should be a number, it is {got}.{_suffix(hint)}",
    )
    reference = _array(expected)
    actual = None if got is None else _array(got)
    that(actual is not None, f"{what} should hold numbers, it is {_repr(got)}.{_suffix(hint)}")
    assert actual is not None
    assert reference is not None
    that(
        actual.shape == reference.shape,
        f"{what} has shape {actual.shape}, {reference.shape} was expected.{_suffix(hint)}",
    )
    wrong = ~np.isclose(actual, reference, rtol=rtol, atol=atol)
    if not wrong.any():
        return
    index = tuple(int(i) for i in np.unravel_index(_argworst(actual, reference), wrong.shape))
    where = f" at {index}" if index else ""
    that(
        False,
        f"{what} is {actual[index]:.6g}{where}, {reference[index]:.6g} was expected"
        f" ({int(wrong.sum())} of {wrong.size} values differ).{_suffix(hint)}",
    )


def dtype(got: object, expected: torch.dtype, what: str, hint: str = "") -> None:
    """Raise AssertionError unless `got` is a tensor of the type `expected`: torch.float64."""
    __tracebackhide__ = True
    actual = f"of {got.dtype}" if isinstance(got, torch.Tensor) else f"a {type(got).__name__}"
    that(
        isinstance(got, torch.Tensor) and got.dtype == expected,
        f"{what} should be a tensor of {expected}, it is {actual}.{_suffix(hint)}",
    )


def table(got: object, expected: pd.DataFrame, what: str, hint: str = "") -> None:
    """Raise AssertionError unless the data frame `got` has the labels and numbers of `expected`.

    An empty cell (None, NaN or "") equals an empty cell. The message names the first wrong
    cells by row and column, never what they should be.
    """
    __tracebackhide__ = True
    that(isinstance(got, pd.DataFrame), f"{what} should be a data frame, it is {_repr(got)}.")
    assert isinstance(got, pd.DataFrame)
    for axis, labels, wanted in (
        ("rows", list(got.index), list(expected.index)),
        ("columns", list(got.columns), list(expected.columns)),
    ):
        that(labels == wanted, f"{what} has the {axis} {labels}, {wanted} were expected.")
    wrong = [
        f"{column} of {row}"
        for row in expected.index
        for column in expected.columns
        if not _same(_cell(got.loc[row, column]), _cell(expected.loc[row, column]))
    ]
    more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""
    that(not wrong, f"{what} is wrong in: {', '.join(wrong[:3])}{more}.{_suffix(hint)}")


def raises(
    error: type[Exception], call: Callable[..., object], *arguments: object, hint: str = ""
) -> None:
    """Raise AssertionError unless `call(*arguments)` raises `error`.

    NotImplementedError passes through: the exercise is not solved yet.
    """
    __tracebackhide__ = True
    expression = f"{getattr(call, '__name__', 'the call')}({', '.join(map(repr, arguments))})"
    try:
        result = call(*arguments)
    except error:
        return
    except NotImplementedError:
        raise
    except Exception as other:
        raise AssertionError(
            f"{expression} raised {type(other).__name__}, {error.__name__} was expected."
            f"{_suffix(hint)}"
        ) from None
    raise AssertionError(
        f"{expression} returned {_repr(result)}, it should raise {error.__name__}.{_suffix(hint)}"
    )


def at_least(got: object, bound: float, what: str, hint: str = "") -> None:
    """Raise AssertionError unless the learnt number `got` is `bound` or more."""
    __tracebackhide__ = True
    _compare(got, bound, 1, f"at least {bound:g}", what, hint)


def at_most(got: object, bound: float, what: str, hint: str = "") -> None:
    """Raise AssertionError unless the learnt number `got` is `bound` or less."""
    __tracebackhide__ = True
    _compare(got, bound, -1, f"at most {bound:g}", what, hint)


def margins() -> list[tuple[str, float]]:
    """Return (what, margin) of each at_least() and at_most() so far; negative beyond the bound.

    Called by the proofs that repeat training from several seeds.
    """
    return list(_margins)


def spread(got: object, variance: float, what: str, hint: str = "", kurtosis: float = 3.0) -> None:
    """Raise AssertionError unless `got` has mean 0 and this variance, within 4 standard errors.

    kurtosis is the fourth moment over the squared variance of the distribution: 3 for a normal
    one, 1.8 for a uniform one. A correct sample fails once in some 8,000 times.
    """
    __tracebackhide__ = True
    sample = _array(got)
    that(sample is not None, f"{what} should hold numbers, it is {_repr(got)}.{_suffix(hint)}")
    assert sample is not None
    mean, square, n = float(sample.mean()), float((sample**2).mean()), sample.size
    that(
        # Of a sample that is too wide, the mean strays further: that is not its fault.
        abs(mean) <= 4 * np.sqrt(max(variance, float(sample.var())) / n),
        f"{what} has mean {mean:.3g}, 0 was expected.{_suffix(hint)}",
    )
    that(
        abs(square - variance) <= 4 * variance * np.sqrt((kurtosis - 1) / n),
        f"{what} has standard deviation {square**0.5:.4g}, {variance**0.5:.4g} was expected."
        f"{_suffix(hint)}",
    )


def _compare(got: object, bound: float, sign: int, wanted: str, what: str, hint: str) -> None:
    """Compare a learnt number with its bound, and record the margin."""
    __tracebackhide__ = True
    number: Any = _to_scalar(got)
    that(
        isinstance(number, numbers.Real) and not isinstance(number, bool),
        f"{what} should be a number, it is {_repr(got)}.{_suffix(hint)}",
    )
    margin = sign * (float(number) - bound)
    _margins.append((what, margin))
    that(margin >= 0, f"{what} is {float(number):.3g}, {wanted} was expected.{_suffix(hint)}")


def _array(value: object) -> np.ndarray[Any, np.dtype[np.float64]] | None:
    """`value` as an array of float64; None where it does not hold numbers."""
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        return None


def _to_scalar(value: object) -> object:
    """The number in a 0-d array or tensor; anything else as it is."""
    if isinstance(value, (np.ndarray, torch.Tensor)) and value.ndim == 0:
        return value.item()
    return value


def _same(got: object, expected: object) -> bool:
    """Whether `got` equals `expected`, whose type decides how they are compared."""
    if expected is None or isinstance(expected, str):
        return isinstance(got, type(expected)) and got == expected
    if isinstance(expected, bool):
        return isinstance(got, (bool, np.bool_)) and bool(got) is expected
    if isinstance(expected, numbers.Real):
        if isinstance(got, bool):
            return False
        return isinstance(got, numbers.Real) and float(got) == float(expected)
    if isinstance(expected, Mapping):
        return (
            isinstance(got, Mapping)
            and got.keys() == expected.keys()
            and all(_same(_to_scalar(got[key]), expected[key]) for key in expected)
        )
    if isinstance(expected, (tuple, list)):
        return (
            isinstance(got, (tuple, list, torch.Size))
            and len(got) == len(expected)
            and all(_same(_to_scalar(g), e) for g, e in zip(got, expected, strict=True))
        )
    raise TypeError(f"equal() does not compare {type(expected).__name__}")


def _cell(value: object) -> object:
    """The content of a table's cell: None where it is empty."""
    value = _to_scalar(value)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, float) and np.isnan(value):
        return None
    return None if value is pd.NA else value


def _argworst(actual: np.ndarray[Any, Any], reference: np.ndarray[Any, Any]) -> int:
    """The flat index of the largest error; NaN counts as the largest."""
    return int(np.nan_to_num(np.abs(actual - reference), nan=np.inf).argmax())


def _message(what: str, got: str, expected: str, hint: str) -> str:
    return f"{what} is {got}, {expected} was expected.{_suffix(hint)}"


def _suffix(hint: str) -> str:
    return f" {hint}" if hint else ""


def _repr(value: object, limit: int = 80) -> str:
    """`value` as a learner reads it: numbers as numbers, None as "nothing (None)"."""
    if value is None:
        return "nothing (None: is a return missing?)"
    scalar = _to_scalar(value)
    if isinstance(scalar, np.generic):
        scalar = scalar.item()
    text = repr(scalar)
    return text if len(text) <= limit else text[: limit - 3] + "..."
