"""API pages from docstrings, which are read from the source: nothing is imported.

`course` as notebooks call it, and the classes of the grader that nbgrader, Jupyter and an
instructor's own configuration name.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

# In this order; after each module of the grader, what its users name.
COURSE = (
    *("course.check", "course.draw", "course.explore", "course.data", "course.scenes"),
    *("course.sections", "course.textures", "course.train", "course.trace", "course.predict"),
    *("course.recall", "course.coursework", "course.backbone", "course.pretrained"),
)
GRADER = {
    "autograder.execution.execute": ("execute",),
    "autograder.limits": ("Limits",),
    "autograder.sandbox.provisioner": ("ForkProvisioner",),
    "autograder.grading.collect": ("Collect",),
    "autograder.grading.archives": ("Extractor",),
    "autograder.grading.late": ("DeadlinePenalty",),
    "autograder.service.release": ("ReleaseFeedback",),
    "autograder.service.feedback": ("FeedbackExporter",),
}
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def course_page(root: Path) -> str:
    """Return the page of the package `course`."""
    modules = "\n\n".join(module_section(root, name) for name in COURSE)
    return (
        "# course: what notebooks call\n\n"
        "The functions that lessons import. None of them solves an exercise.\n\n" + modules
    )


def grader_page(root: Path) -> str:
    """Return the page of the grader's extension points."""
    modules = "\n\n".join(module_section(root, name, names) for name, names in GRADER.items())
    return (
        "# autograder: what configuration names\n\n"
        "Classes for `nbgrader_config.py` and Jupyter, and the function at the heart of grading. "
        "Other modules may change with any version; commands, options and files do not: "
        "[formats](formats.md).\n\n" + modules
    )


def module_section(root: Path, name: str, names: tuple[str, ...] = ()) -> str:
    """Return the section of a module: its docstring, and each public definition.

    `names` are those to list; by default those of its `__all__`, in their order.
    """
    tree = ast.parse(path_of(root, name).read_text(encoding="utf-8"))
    wanted = names or tuple(exported(tree))
    definitions = definitions_of(root, name, tree)
    sections = [f"## {name}", docstring_of(tree), f"```{{py:module}} {name}\n```"]
    sections += [described(definitions[each], each) for each in wanted if each in definitions]
    return "\n\n".join(sections)


def path_of(root: Path, module: str) -> Path:
    """Return the file of a module or package."""
    path = root.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def exported(tree: ast.Module) -> Iterator[str]:
    """Yield the names in `__all__`."""
    for node in tree.body:
        match node:
            case ast.Assign([ast.Name("__all__")], ast.List(names)):
                yield from (str(name.value) for name in names if isinstance(name, ast.Constant))


def definitions_of(root: Path, name: str, tree: ast.Module) -> dict[str, Definition]:
    """Return functions and classes of a module by name, also those that it imports from its own."""
    definitions: dict[str, Definition] = {}
    for node in tree.body:
        match node:
            case ast.ImportFrom(module=str(origin)) if origin.startswith(f"{name}."):
                imported = ast.parse(path_of(root, origin).read_text(encoding="utf-8"))
                names = {alias.name for alias in node.names}
                definitions |= {n.name: n for n in defined(imported) if n.name in names}
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                definitions[node.name] = node
    return definitions


def defined(tree: ast.Module | ast.ClassDef) -> Iterator[Definition]:
    """Yield the functions and classes in a body."""
    yield from (node for node in tree.body if isinstance(node, Definition))


def described(node: Definition, name: str) -> str:
    """Return a function or class as a directive, with its docstring and its public methods."""
    if not isinstance(node, ast.ClassDef):
        return directive("function", signature(name, node), docstring_of(node), ":::")
    members = [
        directive("method", signature(each.name, each, 1), docstring_of(each), ":::")
        for each in defined(node)
        if not isinstance(each, ast.ClassDef)
        and not each.name.startswith("_")
        and ast.get_docstring(each)
    ]
    head = name if not (start := constructor(node)) else signature(name, start, 1, returns=False)
    return directive("class", head, "\n\n".join([docstring_of(node), *members]), "::::")


def constructor(node: ast.ClassDef) -> ast.FunctionDef | None:
    """Return the constructor of a class."""
    functions = (each for each in defined(node) if isinstance(each, ast.FunctionDef))
    return next((each for each in functions if each.name == "__init__"), None)


def directive(kind: str, head: str, text: str, fence: str) -> str:
    """Return a directive of Sphinx's Python domain."""
    return f"{fence}{{py:{kind}}} {head}\n\n{text}\n{fence}"


def signature(
    name: str, node: ast.FunctionDef | ast.AsyncFunctionDef, skip: int = 0, returns: bool = True
) -> str:
    """Return name, arguments and result of a function on one line, without `self`."""
    result = f" -> {ast.unparse(node.returns)}" if returns and node.returns else ""
    return f"{name}({ast.unparse(without_first(node.args, skip))}){result}"


def without_first(arguments: ast.arguments, skip: int) -> ast.arguments:
    """Return arguments without the first ones, such as `self`."""
    return ast.arguments(**(vars(arguments) | {"args": arguments.args[skip:]}))


def docstring_of(node: ast.Module | Definition) -> str:
    """Return a docstring as Markdown: tables of two columns and examples as literal blocks."""
    text = ast.get_docstring(node) or ""
    return "\n\n".join(map(literal, re.split(r"\n\s*\n", text)))


def literal(paragraph: str) -> str:
    """Return a paragraph, as a block of code where its lines are aligned by hand."""
    lines = paragraph.splitlines()
    is_table = any(re.search(r"\S {2,}\S", line.strip()) for line in lines)
    if is_table or all(line.startswith("    ") for line in lines if line):
        return "```text\n" + textwrap.dedent(paragraph) + "\n```"
    return paragraph
