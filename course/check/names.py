"""Names of the notebook that stand for a test's own references."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from typing import Any

from IPython import get_ipython

_MISSING = object()
_in_use: dict[str, Any] = {}  # by name: what it stands for
_replaced: dict[str, Any] = {}  # by name: what it stood for before


@contextlib.contextmanager
def using(**references: object) -> Iterator[None]:
    """Let names of the notebook stand for references in this context: using(evaluate=accuracy).

    For tests of an exercise that needs another one: a mistake there then costs no points here.
    Where the answer runs in a kernel of its own, its names stand for calls of the references, which
    run here, and the shell passes them on (__course_names__). A reference is a function or data; a
    module that it returns consists of torch's own layers.
    """
    outer = dict(_in_use)
    try:
        _use({**outer, **references})
        yield
    finally:
        _use(outer)


def _use(references: dict[str, Any]) -> None:
    """Let names stand for `references`, and all others for what they stood for before."""
    names = vars(sys.modules["__main__"])
    for name, value in _replaced.items():
        names[name] = value
        if value is _MISSING:
            del names[name]
    _replaced.clear()
    _replaced.update({name: names.get(name, _MISSING) for name in references})
    names.update(references)
    _in_use.clear()
    _in_use.update(references)
    if hasattr(shell := get_ipython(), "__course_names__"):
        shell.__course_names__(references)
