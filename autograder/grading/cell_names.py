"""The names of a notebook that a cell reads, and those that it changes, from its text alone.

It says rather too much than too little: a name that is bound in one branch only counts as read
after it.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from autograder.examiner.released import tree_of

# What reaches names without naming them.
REFLECTION = frozenset(("exec", "eval", "globals", "locals", "vars", "dir", "get_ipython", "In"))
REFLECTION |= frozenset(("Out", "__import__"))
HISTORY = re.compile(r"_+(\d+|i+\d*|ih|oh|dh)?")  # names of IPython: what earlier cells put out
ATTRIBUTES = frozenset(("_getframe", "currentframe", "f_globals", "f_locals", "__globals__"))
ATTRIBUTES |= frozenset(("user_ns", "__main__"))
QUERIES = frozenset(("query", "eval"))  # pandas: a text that names variables
CHANGES = frozenset(("append", "pop", "extend", "insert", "remove", "clear", "sort", "reverse"))
CHANGES |= frozenset(("update", "setdefault", "popitem", "add", "discard"))  # torch's end with "_"
HARMLESS_MAGICS = frozenset(("matplotlib", "config"))
MAX_NESTED = 10  # functions in each other: each is read once for itself and once for those around

Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


@dataclass
class CellNames:
    """What a cell reads, and what it binds, deletes or changes in place.

    `read_later` are the names that its functions read, whenever they are called; `called` those of
    which it calls a method for its effect; `imported` the modules and what is imported from them;
    `defined` functions and classes; `kept` what its functions keep from call to call, or
    change of what they are called with.
    `unclear` says why the rest may be incomplete, and is empty where it is not.
    """

    read: set[str] = field(default_factory=set)
    read_later: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)
    defined: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    unclear: str = ""


def names_of(source: str) -> CellNames:
    """Return the names of a code cell."""
    reader = Reader()
    try:
        reader.visit(tree_of(source))
    except Exception:  # IPython raises RuntimeError and others for text that is no code
        return CellNames(unclear="cannot be parsed")
    return reader.names


class Reader(ast.NodeVisitor):
    """Reads the statements of a cell in their order.

    `bound` are the names that the cell, or the class that is read, has surely bound so far, `new`
    those of them since the branch began; `scopes` are the names of the functions around. None is
    copied: a submission may have very many.
    """

    def __init__(self) -> None:
        self.names = CellNames()
        self.bound: set[str] = set()
        self.new: set[str] = set()
        self.scopes: list[set[str]] = []
        self.arguments: list[set[str]] = []  # of the functions around, and parts of them
        self.in_function = self.in_class = False

    @contextlib.contextmanager
    def branch(self, *targets: ast.AST | None) -> Iterator[None]:
        """Forget, at the end, what was bound since: it may not be run, or not to its end."""
        before, self.new = self.new, set()
        for name in (name for target in targets if target for name in stores(target)):
            self.note_bound(name)
        yield
        self.bound -= self.new
        self.new = before

    @contextlib.contextmanager
    def scope(self, local: Iterable[str]) -> Iterator[None]:
        """Read the inside of a function or of a comprehension."""
        before = self.in_function, self.in_class
        self.scopes.append(set(local))
        yield
        self.scopes.pop()
        self.in_function, self.in_class = before

    def is_local(self, name: str) -> bool:
        """Return whether a name is one of a function or comprehension around."""
        return any(name in scope for scope in self.scopes)

    def change_argument(self, node: ast.AST) -> None:
        """Note that a function changes what it is called with, where `node` is part of that."""
        name = root_of(node, through_calls=False)
        if any(name in of_function for of_function in self.arguments):
            self.names.kept.add(f"its argument {name}")

    def note_part(self, targets: Iterable[ast.AST], value: ast.AST) -> None:
        """Note names of parts of an argument: part = argument[0], for part in argument."""
        name = root_of(value, through_calls=False)
        if any(name in of_function for of_function in self.arguments):
            self.arguments[-1] |= {part for target in targets for part in stores(target)}

    def note_bound(self, name: str) -> None:
        """Note a name that is surely bound until the branch ends."""
        if name not in self.bound:
            self.bound.add(name)
            self.new.add(name)

    def read(self, name: str) -> None:
        """Note a name that is read."""
        if self.is_local(name) or (name in self.bound and not self.in_function):
            return
        if name in REFLECTION or HISTORY.fullmatch(name):
            self.names.unclear = f"uses {name}"
        (self.names.read_later if self.in_function else self.names.read).add(name)

    def change(self, name: str | None) -> None:
        """Note a name that is bound, deleted or changed in place."""
        if name is not None and not self.in_class and not self.is_local(name):
            self.names.changed.add(name)
            if self.in_function:
                self.names.kept.add(name)

    def bind(self, name: str) -> None:
        """Note a name that is surely bound from here on."""
        self.change(name)
        if not self.in_function:
            self.note_bound(name)

    def visit_all(self, nodes: Iterable[ast.AST | None]) -> None:
        """Read nodes in their order."""
        for node in nodes:
            if node is not None:
                self.visit(node)

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.change(node.id)
            return
        self.read(node.id)
        if isinstance(node.ctx, ast.Del):
            self.change(node.id)
            self.bound.discard(node.id)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        is_sys_modules = node.attr == "modules" and root_of(node) == "sys"
        if node.attr in ATTRIBUTES or is_sys_modules:
            self.names.unclear = f"uses {node.attr}"
        self.visit_Subscript(node)

    def visit_Subscript(self, node: ast.Subscript | ast.Attribute) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.change(root_of(node))
            if isinstance(node, ast.Subscript):
                self.change_argument(node)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit_all([node.value, *node.targets])
        names = [name for target in node.targets for name in stores(target)]
        for name in names:
            self.bind(name)
        self.note_part(node.targets, node.value)
        if self.in_class and is_display(node.value):
            self.names.kept |= {*names}
        if any(isinstance(part, ast.Lambda) for part in ast.walk(node.value)):
            self.names.defined |= {*names}

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self.visit_all([node.annotation, node.value, node.target])
        if node.value and isinstance(node.target, ast.Name):
            self.bind(node.target.id)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.read(node.target.id)
            self.change_argument(node.target)
        self.visit_all([node.value, node.target])

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name in ("*", "__main__"):
                self.names.unclear = f"imports {alias.name}"
            name = alias.asname or alias.name.partition(".")[0]
            self.bind(name)
            self.names.imported.add(name)

    visit_ImportFrom = visit_Import

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self.names.kept |= {*node.names}

    visit_Nonlocal = visit_Global

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
            root = root_of(node.value.func)
            if root and not self.is_local(root) and not hasattr(builtins, root):
                self.names.called.add(root)
                if self.in_function:
                    self.names.kept.add(root)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        if is_harmless_magic(node):
            return
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        in_place = name.endswith("_") and not name.endswith("__") and name != "requires_grad_"
        if isinstance(node.func, ast.Attribute) and (name in CHANGES or in_place):
            self.change_argument(node.func)
        if name in ("setattr", "delattr") and node.args:
            self.change(root_of(node.args[0]))
        if name in QUERIES and node.args:
            self.names.unclear = f"calls {name}"
        self.generic_visit(node)

    def visit_For(self, node: ast.For | ast.AsyncFor) -> None:
        self.visit(node.iter)
        self.note_part([node.target], node.iter)
        with self.branch(node.target):
            self.visit_all([node.target, *node.body])
        with self.branch():
            self.visit_all(node.orelse)

    visit_AsyncFor = visit_For

    def visit_If(self, node: ast.If | ast.While) -> None:
        self.visit(node.test)
        for part in (node.body, node.orelse):
            with self.branch():
                self.visit_all(part)

    visit_While = visit_If

    def visit_Try(self, node: ast.Try | ast.TryStar) -> None:
        for part in (node.body, node.handlers, node.orelse, node.finalbody):
            with self.branch():
                self.visit_all(part)

    visit_TryStar = visit_Try

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self.visit_all([node.type])
        with self.branch():
            if node.name:
                self.bind(node.name)
            self.visit_all(node.body)

    def visit_With(self, node: ast.With | ast.AsyncWith) -> None:
        targets = [item.optional_vars for item in node.items]
        self.visit_all([*(item.context_expr for item in node.items), *targets])
        with self.branch(*targets):
            self.visit_all(node.body)

    visit_AsyncWith = visit_With

    def visit_match_case(self, node: ast.match_case) -> None:
        with self.branch():
            self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self.change(node.name)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self.change(node.rest)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self.visit_all([*node.decorator_list, node.returns])
        self.visit_function(node, node.body)
        self.bind(node.name)
        self.names.defined.add(node.name)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self.visit_function(node, [node.body])

    def visit_function(self, node: Function, body: Sequence[ast.AST]) -> None:
        """Read a function: its body runs at any time."""
        if len(self.arguments) >= MAX_NESTED:
            raise ValueError("functions are nested too deeply")
        args = node.args
        every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
        parameters = [arg for arg in every if arg]
        self.visit_all([*args.defaults, *args.kw_defaults, *(arg.annotation for arg in parameters)])
        if any(map(is_display, [*args.defaults, *args.kw_defaults])):
            self.names.kept |= {arg.arg for arg in parameters}
        local = {arg.arg for arg in parameters} | {name for part in body for name in stores(part)}
        instance = (
            parameters[:1] if self.in_class else []
        )  # self: a demonstration has its own object
        self.arguments.append({arg.arg for arg in parameters if arg not in instance})
        with self.scope(local - declared_global(body)):
            self.in_function, self.in_class = True, False
            self.visit_all(body)
        self.arguments.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self.visit_all([*node.decorator_list, *node.bases, *node.keywords])
        with self.branch(), self.scope(()):
            self.in_class = True
            self.visit_all(node.body)
        self.bind(node.name)
        self.names.defined.add(node.name)

    def visit_comprehension_of(self, node: Comprehension) -> None:
        """Read a comprehension: its first iterable outside, the rest with its own names."""
        first, *others = node.generators
        self.visit(first.iter)
        with self.scope(name for each in node.generators for name in stores(each.target)):
            self.visit_all([first.target, *first.ifs, *others])
            parts = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
            self.visit_all(parts)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_comprehension_of


def stores(node: ast.AST) -> Iterator[str]:
    """Yield the names that a node binds in its scope."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        yield node.name
        return
    if isinstance(node, ast.Lambda):
        return
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store | ast.Del):
        yield node.id
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.partition(".")[0] for alias in node.names)
    elif isinstance(node, ast.ExceptHandler | ast.MatchAs | ast.MatchStar) and node.name:
        yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest
    for child in ast.iter_child_nodes(node):
        if not (isinstance(node, ast.comprehension) and child is node.target):
            yield from stores(child)


def is_display(node: ast.AST | None) -> bool:
    """Return whether an expression makes a container that can be changed."""
    return isinstance(
        node, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp
    )


def declared_global(body: Iterable[ast.AST]) -> set[str]:
    """Return the names that a function declares as global or nonlocal."""
    nodes = (node for part in body for node in ast.walk(part))
    return {
        name for node in nodes if isinstance(node, ast.Global | ast.Nonlocal) for name in node.names
    }


def root_of(node: ast.AST, through_calls: bool = True) -> str | None:
    """Return the name in which an expression such as net.layers[0].weight begins."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        if isinstance(node, ast.Call) and not through_calls:
            return None
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def is_harmless_magic(node: ast.Call) -> bool:
    """Return whether this is a magic that reads no name, such as %matplotlib."""
    if not isinstance(node.func, ast.Attribute) or node.func.attr != "run_line_magic":
        return False
    magic = node.args[0] if node.args else None
    return isinstance(magic, ast.Constant) and magic.value in HARMLESS_MAGICS
