"""Which names a test cell needs that it does not make itself: read from its compiled code."""

from __future__ import annotations

import ast
import builtins
import dis
from collections.abc import Iterable, Iterator
from types import CodeType


def free_names(nodes: Iterable[ast.stmt], known: Iterable[str]) -> list[str]:
    """The names that the cell reads before it makes them, and that are not `known`, sorted.

    In functions and classes of the cell all that is global counts, unless the cell makes it.
    """
    code = compile(ast.Module([*nodes], []), "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    made: set[str] = set()
    read: set[str] = set()
    inner: set[str] = set()
    for step in dis.get_instructions(code):
        if step.opname in ("STORE_NAME", "STORE_GLOBAL"):
            made.add(step.argval)
        elif step.opname in ("LOAD_NAME", "LOAD_GLOBAL") and step.argval not in made:
            read.add(step.argval)
        elif isinstance(step.argval, CodeType):
            inner |= set(globals_of(step.argval))
    wanted = read | (inner - made)
    return sorted(wanted - set(known) - vars(builtins).keys())


def globals_of(code: CodeType) -> Iterator[str]:
    """The global names that a function, and what is defined within it, reads."""
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            yield step.argval
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from globals_of(constant)


def made_names(nodes: Iterable[ast.stmt]) -> set[str]:
    """The names that a cell makes."""
    code = compile(ast.Module([*nodes], []), "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    stores = ("STORE_NAME", "STORE_GLOBAL")
    return {step.argval for step in dis.get_instructions(code) if step.opname in stores}
