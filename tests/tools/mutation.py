"""Mutation testing: break one guard at a time, and list the mutants that no test detects.

    python tests/tools/mutation.py --module autograder/examiner/codec.py \
        --tests tests/examiner/test_codec.py --then tests/examiner --sample 60 --seed 1

copy tree and environment -> run the unchanged tests -> for each mutant: write, test, restore

`--tests` runs for every mutant, `--then` (slower tests) for those that survive it; both are
arguments of pytest. A mutant is killed if a test fails, or exceeds a time limit.

Mutants are written into a copy of the tree, installed in a copy of the virtual environment: the
programs and kernels that tests start run the mutant too. A sandbox without a guard can do harm: on
Linux (as root), tests see the machine read-only, and only their own processes.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from itertools import accumulate, pairwise
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
IGNORED = (".git", ".venv*", "build", "node_modules", ".*_cache", "__pycache__", ".hypothesis")
OPPOSITE = {ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">")}
Node = ast.expr | ast.stmt
SURVIVED, FAILED, TIMED_OUT = "survived", "failed", "timed out"
# Run with the copy as $1: it stays writable, all else but /tmp and /dev/shm becomes read-only.
ISOLATE = """
mount --bind "$1" "$1" && mount -o remount,bind,ro / && mount --bind "$1/tmp" /tmp \
  && mount --bind "$1/environment" "$1/environment" \
  && mount -o remount,bind,ro "$1/environment" \
  && mount -t tmpfs tmpfs /dev/shm && ip link set lo up && cd "$1/tree" && shift && exec "$@"
"""
UNSHARE = "unshare --mount --pid --uts --ipc --net --mount-proc --fork --kill-child"


class Mutant(NamedTuple):
    """A replacement of the bytes from `start` to `end` of a module."""

    line: int
    description: str
    start: int
    end: int
    text: str


class Result(NamedTuple):
    """The outcome of the tests for one mutant; `stage` is 1 for --tests, 2 for --then."""

    module: str
    line: int
    description: str
    outcome: str
    stage: int
    seconds: float


class Module:
    """The source of a module, and its mutants."""

    def __init__(self, source: bytes) -> None:
        self.source, self.tree = source, ast.parse(source)
        self.offsets = [0, *accumulate(map(len, source.splitlines(keepends=True)))]

    def span(self, node: Node) -> tuple[int, int]:
        """Return where the source of a node starts and ends."""
        assert node.end_lineno and node.end_col_offset is not None  # noqa: PT018
        start = self.offsets[node.lineno - 1] + node.col_offset
        return start, self.offsets[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: Node) -> str:
        """Return the source of a node as one line."""
        start, end = self.span(node)
        return textwrap.shorten(self.source[start:end].decode(), 90, placeholder="...")

    def mutants(self) -> list[Mutant]:
        """Return all mutants, ordered by line."""
        mutants = [*self.limits()]
        only = set()  # bodies of one statement: the mutant without the `if` is enough
        for node in ast.walk(self.tree):
            if isinstance(node, ast.If) and len(node.body) == 1 and not node.orelse:
                only.add(node.body[0])
            if isinstance(node, ast.comprehension):
                mutants += [self.replaced(t, "True", f"any: if {self.text(t)}") for t in node.ifs]
            if isinstance(node, (ast.expr, ast.stmt)) and node not in only:
                mutants += self.mutants_of(node)
        return sorted(mutants, key=lambda mutant: (mutant.line, mutant.start))

    def mutants_of(self, node: Node) -> Iterator[Mutant]:
        """Yield the mutants of one node, without those of its parts."""
        match node:
            case ast.If(test=test):
                yield self.replaced(test, "False", f"never: if {self.text(test)}")
            case ast.IfExp(test=test):
                yield self.replaced(test, "True", f"always: {self.text(node)}")
            case ast.Expr(value=ast.Call()) | ast.Raise():
                yield self.replaced(node, "pass", f"without: {self.text(node)}")
            case ast.Return(value=ast.Constant(value=bool(value))):
                yield self.replaced(node, f"return {not value}", f"{not value}, not {value}")
            case ast.Compare(left=left, ops=ops, comparators=rest):
                for op, one, two in zip(ops, [left, *rest], rest, strict=False):
                    if type(op) in OPPOSITE:
                        yield self.swapped(node, one, two, *OPPOSITE[type(op)])
            case ast.BoolOp(op=op, values=values):
                words = ("and", "or") if isinstance(op, ast.And) else ("or", "and")
                for one, two in pairwise(values):
                    yield self.swapped(node, one, two, *words)

    def replaced(self, node: Node, text: str, description: str) -> Mutant:
        return Mutant(node.lineno, description, *self.span(node), text)

    def swapped(self, node: Node, left: Node, right: Node, before: str, after: str) -> Mutant:
        """Return the mutant with another operator between two operands."""
        start, end = self.span(left)[1], self.span(right)[0]
        text = self.source[start:end].decode().replace(before, after, 1)
        description = f"{after}, not {before}, before {self.text(right)} in: {self.text(node)}"
        return Mutant(right.lineno, description, start, end, text)

    def limits(self) -> Iterator[Mutant]:
        """Yield the mutants of numbers that the module or one of its classes assigns."""
        classes = [node for node in self.tree.body if isinstance(node, ast.ClassDef)]
        for node in [*self.tree.body, *(inner for each in classes for inner in each.body)]:
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value:
                parts = [n for n in ast.walk(node.value) if not isinstance(n, ast.operator)]
                numbers = [n.value for n in parts if isinstance(n, ast.Constant)]
                plain = all(isinstance(n, (ast.Constant, ast.BinOp)) for n in parts)
                if plain and all(type(n) in (int, float) and n for n in numbers):
                    text = f"({self.text(node.value)}) * 1000"
                    yield self.replaced(node.value, text, f"times 1000: {self.text(node)}")


class Workspace:
    """A copy of the tree, and of the virtual environment that it is installed in."""

    def __init__(self, root: Path, scratch: Path) -> None:
        self.scratch, self.tree = scratch, scratch / "tree"
        shutil.copytree(root, self.tree, symlinks=True, ignore=shutil.ignore_patterns(*IGNORED))
        for name in ("tmp", "home"):
            (scratch / name).mkdir()
            (scratch / name).chmod(0o1777)
        # Hard links, since libraries take gigabytes. Files that name a path are written anew.
        self.environment = scratch / "environment"
        shutil.copytree(sys.prefix, self.environment, symlinks=True, copy_function=os.link)
        packages = next(self.environment.glob("lib/python*/site-packages"))
        programs = [
            p for p in (self.environment / "bin").iterdir() if p.is_file() and not p.is_symlink()
        ]
        editable = [*packages.glob("__editable__*"), *packages.glob("*.dist-info/direct_url.json")]
        for path in [*programs, *editable]:
            data, mode = path.read_bytes(), path.stat().st_mode
            for before, after in ((sys.prefix, self.environment), (str(ROOT), self.tree)):
                data = data.replace(os.fsencode(before), os.fsencode(after))
            path.unlink()
            path.write_bytes(data)
            path.chmod(mode)

    def run(self, tests: str, timeout: float | None = None) -> tuple[str, float, str]:
        """Run tests; return the outcome, the seconds it took, and pytest's output."""
        command = [str(self.environment / "bin" / "python"), "-m", "pytest", "-x", "-q"]
        command += ["-p", "no:cacheprovider", *shlex.split(tests)]
        if sys.platform == "linux":
            shell = ["sh", "-c", ISOLATE, "sh", str(self.scratch)]
            command = [*shlex.split(UNSHARE), *shell, *command]
        path = f"{self.environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
        env = {"PYTHONPATH": str(self.tree), "PATH": path, "HOME": str(self.scratch / "home")}
        began = time.monotonic()
        try:
            done = subprocess.run(
                command, cwd=self.tree, env=os.environ | env, timeout=timeout, capture_output=True
            )
        except subprocess.TimeoutExpired:
            return TIMED_OUT, time.monotonic() - began, ""
        outcome = FAILED if done.returncode else SURVIVED
        return outcome, time.monotonic() - began, done.stdout.decode(errors="replace")

    def judge(self, module: str, mutant: Mutant, stages: list[tuple[str, float]]) -> Result:
        """Run the tests of one stage after the other until one kills the mutant."""
        path = self.tree / module
        source, runs = path.read_bytes(), []
        path.write_bytes(source[: mutant.start] + mutant.text.encode() + source[mutant.end :])
        for tests, timeout in stages:
            runs.append(self.run(tests, timeout))
            if runs[-1][0] != SURVIVED:
                break
        path.write_bytes(source)
        seconds = round(sum(run[1] for run in runs), 1)
        return Result(module, mutant.line, mutant.description, runs[-1][0], len(runs), seconds)


def table(results: list[Result]) -> str:
    """Return the figures of each module, and the survivors."""
    lines = [f"{'module':44} mutants  killed (timed out)  survived"]
    for module in dict.fromkeys(result.module for result in results):
        outcomes = [result.outcome for result in results if result.module == module]
        alive, late = outcomes.count(SURVIVED), outcomes.count(TIMED_OUT)
        lines.append(f"{module:44} {len(outcomes):7} {len(outcomes) - alive:7} {late:11} {alive:9}")
    survivors = [result for result in results if result.outcome == SURVIVED]
    return "\n".join([*lines, "", *(f"{r.module}:{r.line}  {r.description}" for r in survivors)])


def main() -> None:
    parser = argparse.ArgumentParser(description="Break one guard at a time.")
    parser.add_argument("--module", action="append", required=True, help="can be repeated")
    parser.add_argument("--tests", required=True, help='as for pytest: "tests/x -k name"')
    parser.add_argument("--then", help="slower tests, for mutants that survive --tests")
    parser.add_argument("--sample", type=int, help="number of mutants, of all modules together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="file for the results")
    parser.add_argument("--root", type=Path, default=ROOT, help="the tree that is copied")
    parser.add_argument("--scratch", type=Path, default=ROOT.parent / f"{ROOT.name}-mutation")
    parser.add_argument("--list", action="store_true", help="list the mutants, run no test")
    args = parser.parse_args()
    mutants = [(m, x) for m in args.module for x in Module((args.root / m).read_bytes()).mutants()]
    if args.sample and args.sample < len(mutants):
        chosen = random.Random(args.seed).sample(range(len(mutants)), args.sample)
        mutants = [mutants[k] for k in sorted(chosen)]
    if args.list:
        print("\n".join(f"{module}:{x.line}  {x.description}" for module, x in mutants))
        return
    workspace = Workspace(args.root, args.scratch)
    stages = []
    for tests in filter(None, (args.tests, args.then)):
        outcome, seconds, output = workspace.run(tests)
        if outcome != SURVIVED:
            sys.exit(f"the unchanged tests fail: {tests}\n{output[-3000:]}")
        stages.append((tests, 30 + 4 * seconds))
    results: list[Result] = []
    for k, (module, mutant) in enumerate(mutants, start=1):
        results.append(result := workspace.judge(module, mutant, stages))
        progress = f"{k}/{len(mutants)} {result.outcome:9} {result.seconds:5.0f} s"
        print(f"{progress}  {module}:{mutant.line}  {mutant.description}", flush=True)
        if args.json:
            args.json.write_text(json.dumps([r._asdict() for r in results], indent=1) + "\n")
    shutil.rmtree(args.scratch)
    print(f"\n{table(results)}")


if __name__ == "__main__":
    main()
