"""What is alike in two answers however they are written: the shapes of their expressions.

    source -> syntax tree -> each subtree as a text, in which names of the answer's own are numbered

Renaming, comments, layout and the order of statements change few shapes; a loop and a comprehension
share those of what they compute and run over. Names that come from elsewhere, attributes and
numbers stay: they are what tells answers apart.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache

MAX_CHARS = 30_000  # of an answer; what is beyond is not compared
MIN_PARTS, MAX_PARTS = 4, 150  # of a subtree: smaller ones are everywhere, larger ones in no other
MAX_WORD = 20  # characters of a string that is kept: a key or a mode, no message
RUN = 6  # tokens in a row, where an answer has no syntax tree
SKIPPED = frozenset(("ctx", "type_comment", "annotation", "returns", "kind", "type_params"))
# A NumPy repr or a formula gives them to everyone; three digits or more do not come by chance.
MIN_DIGITS = 3


def shapes_of(source: str, released: str = "") -> frozenset[str]:
    """Return the shapes of an answer that the released text of its cell has not."""
    return shapes(source) - (shapes(released) if released else frozenset())


@cache
def shapes(source: str) -> frozenset[str]:
    """Return the shapes of a text; of one that is not Python, its runs of tokens."""
    source = source[:MAX_CHARS]
    try:
        tree = ast.parse(source)
        return frozenset(in_tree(tree))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset(runs(source))


def in_tree(tree: ast.AST) -> Iterator[str]:
    """Yield the shapes of a syntax tree."""
    bound = own_names(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.expr | ast.stmt) or is_docstring(node):
            continue
        yield from shape(list(parts(node, bound)))
        if isinstance(node, ast.For):
            yield from shape(["iterate", *parts(node.target, bound), *parts(node.iter, bound)])
        for each in getattr(node, "generators", ()):
            yield from shape(["iterate", *parts(each.target, bound), *parts(each.iter, bound)])


def shape(words: list[str]) -> Iterator[str]:
    """Yield a subtree as a text, its own names numbered as they come, if it has the right size."""
    if MIN_PARTS <= len(words) <= MAX_PARTS:
        numbers: dict[str, str] = {}
        yield " ".join(
            numbers.setdefault(word, f"_{len(numbers)}") if word[0] == "$" else word
            for word in words
        )


def own_names(tree: ast.AST) -> frozenset[str]:
    """Return the names that an answer gives: variables, parameters, functions, classes."""
    names = set()
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
    return frozenset(names)


def parts(node: ast.AST, bound: frozenset[str], left: int = MAX_PARTS + 1) -> Iterator[str]:
    """Yield a subtree in words, depth first; of a large one, the first MAX_PARTS + 1."""
    stack: list[ast.AST | str] = [node]
    while stack and left:
        left -= 1
        top = stack.pop()
        if isinstance(top, str):
            yield top
            continue
        name, inner = described(top, bound)
        yield name
        stack.extend(reversed(inner))


def described(node: ast.AST, bound: frozenset[str]) -> tuple[str, list[ast.AST | str]]:
    """Return the word for a node, and what is in it."""
    match node:
        case ast.Name(id=name):
            return marked_name(name, bound), []
        case ast.arg(arg=name):
            return marked_name(name, bound), []
        case ast.Constant(value=value):
            is_message = isinstance(value, str) and (len(value) > MAX_WORD or " " in value)
            return "text" if is_message else repr(value)[:MAX_WORD].replace(" ", ""), []
        case ast.AugAssign(target=target, op=op, value=value):  # x += 1 is x = x + 1
            return "Assign", [target, "BinOp", target, op, value]
    inner: list[ast.AST | str] = []
    for field, value in ast.iter_fields(node):
        if field in SKIPPED or value is None:
            continue
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, ast.AST) and not is_docstring(each):
                inner.append(each)
            elif isinstance(each, str):
                inner.append(marked_name(each, bound) if field == "name" else each)
    return type(node).__name__, inner


def marked_name(name: str, bound: frozenset[str]) -> str:
    """Return a name; marked, where it is the answer's own."""
    return f"${name}" if name in bound else name


def is_docstring(node: ast.AST) -> bool:
    """Whether a statement is a text alone."""
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )


def runs(source: str) -> Iterator[str]:
    """Yield the runs of tokens in a text that is not Python."""
    words = list(tokens(source))
    for start in range(len(words) - RUN + 1):
        yield "tokens " + " ".join(words[start : start + RUN])


def tokens(source: str) -> Iterator[str]:
    """Yield the tokens of a text, as far as they can be read, without comments and layout."""
    quiet = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
    try:
        for token in tokenize.generate_tokens(io.StringIO(source).readline):
            if token.type not in quiet and token.string:
                yield token.string
    except (tokenize.TokenError, SyntaxError, ValueError):
        return


def unusual_numbers(source: str, released: str = "") -> frozenset[str]:
    """Return the numbers of an answer that do not come by chance, and were not released."""
    return frozenset(numbers_in(source[:MAX_CHARS])) - frozenset(numbers_in(released))


def numbers_in(source: str) -> Iterable[str]:
    """Yield the numbers of a text with MIN_DIGITS digits, zeros at either end aside."""
    for word in tokens(source):
        if word[0].isdigit() and len(word.replace(".", "").strip("0")) >= MIN_DIGITS:
            yield word


def lines_alike(source: str, other: str) -> frozenset[int]:
    """Return the numbers of the lines (from 0) of an answer on which a shape of another begins."""
    try:
        tree, shared = ast.parse(source[:MAX_CHARS]), shapes(other)
        bound = own_names(tree)
        return frozenset(
            node.lineno - 1
            for node in ast.walk(tree)
            if isinstance(node, ast.expr | ast.stmt) and not is_docstring(node)
            if any(each in shared for each in shape(list(parts(node, bound))))
        )
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        theirs = {line.strip() for line in other.splitlines()}
        return frozenset(
            number for number, line in enumerate(source.splitlines()) if line.strip() in theirs
        )
