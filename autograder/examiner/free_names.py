"""Names that a cell reads and does not define itself, from its compiled code."""

from __future__ import annotations

import ast
import builtins
import dis
from collections.abc import Iterable, Iterator
from types import CodeType

STORES = frozenset(("STORE_NAME", "STORE_GLOBAL"))
# Python 3.12 added the last one, for classes and annotations.
LOADS = frozenset(("LOAD_NAME", "LOAD_GLOBAL", "LOAD_FROM_DICT_OR_GLOBALS"))


def free_names(nodes: Iterable[ast.stmt], known: Iterable[str]) -> list[str]:
    """Return the names that a cell reads before it defines them, sorted, without those `known`.

    In the cell's functions and classes each global name counts, unless the cell defines it.
    """
    whole = compiled(nodes)
    read, defined = read_and_bound(whole)
    wanted = read | (inner_globals(whole) - defined)
    return sorted(wanted - set(known) - vars(builtins).keys())


def followed_names(nodes: Iterable[ast.stmt]) -> set[str]:
    """Return the names that a cell, or a function in it, reads before it binds them.

    A name that it only binds, in whatever function, is its own: the answers do not learn its value.
    """
    whole = compiled(nodes)
    read, bound = read_and_bound(whole)
    inner_read, inner_bound = set[str](), set[str]()
    for code in codes_in(whole):
        first, stored = read_and_bound(code)
        inner_read |= first
        inner_bound |= stored - first
    return read | (inner_read - inner_bound - bound)


def read_and_bound(code: CodeType) -> tuple[set[str], set[str]]:
    """Return the global names that code reads before it binds them, and those that it binds."""
    read, bound = set[str](), set[str]()
    for step in dis.get_instructions(code):
        if step.opname in STORES:
            bound.add(step.argval)
        elif step.opname in LOADS and step.argval not in bound:
            read.add(step.argval)
    return read, bound


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of what is defined within code, at any depth."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from codes_in(constant)


def inner_globals(code: CodeType) -> set[str]:
    """Return the global names that the functions and classes defined within code read."""
    return {name for inner in codes_in(code) for name in globals_of(inner)}


def globals_of(code: CodeType) -> Iterator[str]:
    """Yield the global names that code reads, without those of functions defined within it."""
    for step in dis.get_instructions(code):
        if step.opname in LOADS:
            yield step.argval


def defined_names(nodes: Iterable[ast.stmt]) -> set[str]:
    """Return the names that a cell defines."""
    return {step.argval for step in dis.get_instructions(compiled(nodes)) if step.opname in STORES}


def compiled(nodes: Iterable[ast.stmt]) -> CodeType:
    """Return the code of a cell."""
    code: CodeType = compile(
        ast.Module([*nodes], []), "<cell>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    )
    return code
