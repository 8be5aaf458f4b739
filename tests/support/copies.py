"""A class that answers from the bank, each student alone, and copies as students disguise them."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Mapping, Sequence

from autograder.authoring.answer_bank import Answer
from autograder.desk.similar import Exercise, Work


def honest_class(
    bank: Mapping[Exercise, Sequence[Answer]], size: int, rng: random.Random
) -> dict[Exercise, list[Work]]:
    """Return the work of a class, drawn from the bank: two of three answers are right."""
    works: dict[Exercise, list[Work]] = {exercise: [] for exercise in bank}
    for number in range(size):
        for exercise, answers in bank.items():
            right = [answer for answer in answers if answer.right]
            wrong = [answer for answer in answers if not answer.right] or right
            answer = rng.choice(right if rng.random() < 2 / 3 else wrong)
            student = f"student{number:02}"
            works[exercise].append(Work(student, answer.source, lost=answer.loses))
    return works


class Renamed(ast.NodeTransformer):
    """Gives every variable and parameter of an answer another name."""

    def __init__(self, tree: ast.AST) -> None:
        self.names: dict[str, str] = {}
        for node in ast.walk(tree):
            match node:
                case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                    self.names.setdefault(name, f"my_{len(self.names)}")

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self.names.get(node.arg, node.arg)
        return node


class Unrolled(ast.NodeTransformer):
    """Writes comprehensions as loops and loops that append as comprehensions."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        body: list[ast.stmt] = []
        for statement in node.body:
            body += unrolled(statement)
        node.body = body
        return node

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        match node.body:
            case [ast.Expr(ast.Call(ast.Attribute(value, "append"), [element]))]:
                each = ast.comprehension(node.target, node.iter, [], 0)
                made = ast.ListComp(element, [each])
                return ast.Expr(ast.Call(ast.Attribute(value, "extend", ast.Load()), [made], []))
            case [ast.AugAssign(target, op, value)] if isinstance(target, ast.Name):
                each = ast.comprehension(node.target, node.iter, [], 0)
                summed = ast.Call(
                    ast.Name("sum", ast.Load()), [ast.GeneratorExp(value, [each])], []
                )
                return ast.AugAssign(target, op, summed)
        return node


def unrolled(statement: ast.stmt) -> list[ast.stmt]:
    """Return a statement, a returned or assigned list comprehension as a loop that appends."""
    match statement:
        case (
            ast.Return(ast.ListComp(element, [each]))
            | ast.Assign(value=ast.ListComp(element, [each]))
        ) if not each.ifs:
            add = ast.Call(
                ast.Attribute(ast.Name("gathered", ast.Load()), "append", ast.Load()), [element], []
            )
            loop = ast.For(each.target, each.iter, [ast.Expr(add)], [])
            start = ast.Assign([ast.Name("gathered", ast.Store())], ast.List([], ast.Load()))
            statement.value = ast.Name("gathered", ast.Load())  # type: ignore[attr-defined]
            return [start, loop, statement]
    return [statement]


def renamed(source: str) -> str:
    """Return an answer with other names."""
    tree = ast.parse(source)
    return ast.unparse(ast.fix_missing_locations(Renamed(tree).visit(tree)))


def reordered(source: str) -> str:
    """Return an answer with simple statements in other places, and branches the other way round."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            simple = [n for n, each in enumerate(node.body) if isinstance(each, ast.Assign)]
            swapped = copy.copy(node.body)
            for place, other in zip(simple, reversed(simple), strict=True):
                node.body[place] = swapped[other]
        elif isinstance(node, ast.If) and node.orelse:
            node.test = ast.UnaryOp(ast.Not(), node.test)
            node.body, node.orelse = node.orelse, node.body
    return ast.unparse(ast.fix_missing_locations(tree))


def commented(source: str) -> str:
    """Return an answer with comments of another person and another layout."""
    lines = ast.unparse(ast.parse(source)).splitlines()
    return "\n\n".join(f"{line}  # step {number}" for number, line in enumerate(lines))


def looped(source: str) -> str:
    """Return an answer with loops for comprehensions and the reverse, and other names."""
    tree = Unrolled().visit(ast.parse(source))
    return renamed(ast.unparse(ast.fix_missing_locations(tree)))


DISGUISES = {"renamed": renamed, "reordered": reordered, "comments": commented, "loops": looped}


def plant(works: Mapping[Exercise, list[Work]], source: str, name: str, share: int) -> None:
    """Add a student who copies every exercise but each `share`th from another, in a disguise."""
    for number, (_, of_class) in enumerate(sorted(works.items())):
        (original,) = (work for work in of_class if work.student == source)
        if share and number % share == 0:
            (own,) = (work for work in of_class if work.student == "student00")
            of_class.append(Work(f"{name}-{source}", own.source, lost=own.lost))
        else:
            text = DISGUISES[name](original.source)
            of_class.append(Work(f"{name}-{source}", text, lost=original.lost))
