"""What a cell reads and changes, against what Python's own compiler makes of it."""

from __future__ import annotations

import ast
import dis
import inspect
import json
import time
import tokenize
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

from autograder.examiner.free_names import compiled
from autograder.examiner.released import bound_by, parsed
from autograder.grading.cell_names import names_of

STANDARD_LIBRARY = Path(json.__file__).parents[1]
OF_PYTHON = {"__doc__", "__annotations__", "__conditional_annotations__"}
COMPREHENSIONS = {"<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>"}
MODULES = [
    *("argparse", "ast", "asyncio.base_events", "bdb", "collections", "concurrent.futures.thread"),
    *(
        "contextlib",
        "copy",
        "csv",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "dis",
        "doctest",
    ),
    *("email.message", "enum", "fractions", "functools", "heapq", "http.client", "imaplib"),
    *(
        "importlib._bootstrap",
        "inspect",
        "json.decoder",
        "logging",
        "mailbox",
        "multiprocessing.pool",
    ),
    *(
        "nntplib",
        "optparse",
        "os",
        "pathlib",
        "pdb",
        "pickle",
        "pickletools",
        "platform",
        "plistlib",
    ),
    *("pydoc", "random", "re._parser", "sched", "shutil", "smtplib", "socket", "sqlite3.dbapi2"),
    *("ssl", "statistics", "string", "subprocess", "tarfile", "tempfile", "textwrap", "threading"),
    *(
        "tkinter",
        "tokenize",
        "traceback",
        "turtle",
        "types",
        "typing",
        "unittest.mock",
        "urllib.request",
    ),
    *(
        "uuid",
        "weakref",
        "xml.dom.minidom",
        "xml.etree.ElementTree",
        "zipfile",
        "zoneinfo._zoneinfo",
    ),
]


def sources() -> Iterator[tuple[str, str]]:
    """Yield names and texts of modules of the standard library: programs of all kinds."""
    for module in MODULES:
        path = STANDARD_LIBRARY / f"{module.replace('.', '/')}.py"
        path = path if path.exists() else path.with_suffix("") / "__init__.py"
        if path.exists():  # a version may lack one
            with tokenize.open(path) as file:
                yield module, file.read()


@pytest.mark.parametrize(("module", "source"), [pytest.param(*s, id=s[0]) for s in sources()])
def test_no_name_that_the_compiler_sees_is_missing(module: str, source: str) -> None:
    code, names = compiled(ast.parse(source).body), names_of(source)
    loads, stores = globals_in(code)
    assert stores - OF_PYTHON <= names.changed
    assert loads - OF_PYTHON <= names.read
    for inner in codes_in(code):
        loads, stores = globals_in(inner)
        read = names.read | names.read_later
        if inner.co_name in COMPREHENSIONS:  # what is around it may have bound a name before
            read |= names.changed
        assert loads <= read
        assert stores <= names.changed


def globals_in(code: CodeType) -> tuple[set[str], set[str]]:
    """Return the global names that a code loads before it stores them, and those that it stores.

    In a class they may be its own: there, only those that it knows to be global.
    """
    is_class = not code.co_flags & inspect.CO_OPTIMIZED and code.co_name != "<module>"
    loads: set[str] = set()
    stores: set[str] = set()
    for step in dis.get_instructions(code):
        if step.opname in ("STORE_NAME", "STORE_GLOBAL", "DELETE_NAME", "DELETE_GLOBAL"):
            if not is_class or step.opname.endswith("GLOBAL"):
                stores.add(step.argval)
        elif step.opname == "LOAD_GLOBAL" or (step.opname == "LOAD_NAME" and not is_class):
            loads |= {step.argval} - stores
    return loads, stores


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """Yield the codes of functions, classes and comprehensions, in any depth."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from codes_in(constant)


@pytest.mark.parametrize(
    "source",
    [
        "x = 1\n" + "%time x\n" * 501,
        "%time x\n" * 490 + "a = 1\n" * 3000,
        "f = " + "lambda: " * 250 + "[" + "a," * 12000 + "]",
        "total = 0" + " + 1" * 5000,
    ],
    ids=["many magics", "many magics in a long cell", "functions in functions", "a long sum"],
)
def test_what_takes_long_to_read_is_unclear_at_once(source: str) -> None:
    began = time.process_time()
    assert names_of(source).unclear
    assert {*bound_by(parsed(source))} <= {"f", "total"}
    assert time.process_time() - began < 2
