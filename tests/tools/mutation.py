"""Mutation testing: break one guard at a time, and list the mutants that no test notices.

    python tests/tools/mutation.py --module autograder/examiner/codec.py \
        --tests tests/examiner/test_codec.py --then tests/examiner --sample 60 --seed 1

copy tree and environment -> run the tests as they are -> for each mutant: write, run, restore

`--tests` runs for every mutant; `--then`, for tests that take longer, for what survived them. Both
are what follows `pytest` on a command line. A mutant is killed if a test fails, or takes too long.

All of it happens in a copy of the tree, in a copy of the virtual environment in which the copy of
the tree is installed: command-line programs and the kernels that tests start are the mutant's too.
On Linux the tests see the machine read-only, and no process but their own: a sandbox with a guard
removed may do harm. Memory and the number of processes are not bounded here.
"""

from __future__ import annotations

import argparse
import ast
import itertools
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
NOT_COPIED = (".git", ".venv*", "build", "node_modules", "*_cache", "__pycache__", ".hypothesis")
FACTOR = 1000  # of a limit
OPPOSITE = {ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">")}
# First the copy stays writable, then all else is read-only. A network of its own has no more than
# a loopback device.
ALONE = """
mount --bind "$1" "$1" && mount -o remount,bind,ro / && mount --bind "$1/tmp" /tmp \
  && mount --bind "$1/environment" "$1/environment" \
  && mount -o remount,bind,ro "$1/environment" \
  && mount -t tmpfs tmpfs /dev/shm && ip link set lo up && cd "$1/tree" && shift && exec "$@"
"""


@dataclass(frozen=True)
class Mutant:
    """A replacement of the bytes from `start` to `end` of a module."""

    line: int
    description: str
    start: int
    end: int
    text: str

    def applied(self, source: bytes) -> bytes:
        """Return the mutated module."""
        return source[: self.start] + self.text.encode() + source[self.end :]


@dataclass(frozen=True)
class Result:
    """What the tests said of a mutant."""

    module: str
    line: int
    description: str
    outcome: str  # "survived", "failed" (a test did) or "timed out"
    stage: int  # 1: --tests, 2: --then
    seconds: float


class Module:
    """A module's source, and its mutants."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        self.tree = ast.parse(source)
        lines = source.splitlines(keepends=True)
        self.offsets = [sum(map(len, lines[:k])) for k in range(len(lines))]

    def start(self, node: ast.expr | ast.stmt) -> int:
        return self.offsets[node.lineno - 1] + node.col_offset

    def end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno
        assert node.end_col_offset is not None
        return self.offsets[node.end_lineno - 1] + node.end_col_offset

    def text(self, node: ast.expr | ast.stmt) -> str:
        """Return the source of a node, in one line that is not too long."""
        words = " ".join(self.source[self.start(node) : self.end(node)].decode().split())
        return words if len(words) <= 90 else words[:87] + "..."

    def replace(self, node: ast.expr | ast.stmt, text: str, description: str) -> Mutant:
        return Mutant(node.lineno, description, self.start(node), self.end(node), text)

    def mutants(self) -> list[Mutant]:
        """Return every mutant, in order of lines."""
        found = [self.limit(node) for node in self.limits()]
        only = set()  # what an `if` does and nothing more: it is enough that it never does
        for node in ast.walk(self.tree):
            if isinstance(node, ast.If) and len(node.body) == 1 and not node.orelse:
                only.add(node.body[0])
            if isinstance(node, ast.comprehension):
                found += [self.replace(t, "True", f"any: if {self.text(t)}") for t in node.ifs]
            if isinstance(node, (ast.expr, ast.stmt)) and node not in only:
                found += self.mutants_of(node)
        return sorted(found, key=lambda mutant: (mutant.line, mutant.start))

    def mutants_of(self, node: ast.expr | ast.stmt) -> Iterator[Mutant]:
        """Yield the mutants of one node, without its parts."""
        match node:
            case ast.If(test=test):
                yield self.replace(test, "False", f"never: if {self.text(test)}")
            case ast.IfExp(test=test):
                yield self.replace(test, "True", f"always: {self.text(node)}")
            case ast.Expr(value=ast.Call()) | ast.Raise():
                yield self.replace(node, "pass", f"without: {self.text(node)}")
            case ast.Return(value=ast.Constant(value=bool(value))):
                yield self.replace(node, f"return {not value}", f"{not value}, not {value}")
            case ast.Compare(left=left, ops=ops, comparators=rest):
                for op, one, two in zip(ops, [left, *rest], rest, strict=False):
                    if type(op) in OPPOSITE:
                        yield self.between(node, one, two, *OPPOSITE[type(op)])
            case ast.BoolOp(op=op, values=values):
                words = ("and", "or") if isinstance(op, ast.And) else ("or", "and")
                for one, two in itertools.pairwise(values):
                    yield self.between(node, one, two, *words)

    def between(
        self, node: ast.expr, left: ast.expr, right: ast.expr, before: str, after: str
    ) -> Mutant:
        """Replace the operator between two operands."""
        start, end = self.end(left), self.start(right)
        text = self.source[start:end].decode().replace(before, after, 1)
        description = f"{after}, not {before}, before {self.text(right)} in: {self.text(node)}"
        return Mutant(right.lineno, description, start, end, text)

    def limits(self) -> Iterator[ast.Assign | ast.AnnAssign]:
        """Yield the assignments of a number to a constant, or to a field of a class."""
        classes = [node for node in self.tree.body if isinstance(node, ast.ClassDef)]
        for node in [*self.tree.body, *(inner for each in classes for inner in each.body)]:
            if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value:
                parts = [n for n in ast.walk(node.value) if not isinstance(n, ast.operator)]
                numbers = [n.value for n in parts if isinstance(n, ast.Constant)]
                plain = all(isinstance(n, (ast.Constant, ast.BinOp)) for n in parts)
                if plain and all(type(n) in (int, float) and n for n in numbers):
                    yield node

    def limit(self, node: ast.Assign | ast.AnnAssign) -> Mutant:
        assert node.value
        text = self.source[self.start(node.value) : self.end(node.value)].decode()
        return self.replace(
            node.value, f"({text}) * {FACTOR}", f"times {FACTOR}: {self.text(node)}"
        )


class Workplace:
    """A copy of the tree, and of the environment that it is installed in."""

    def __init__(self, root: Path, scratch: Path, alone: bool) -> None:
        self.scratch, self.tree, self.alone = scratch, scratch / "tree", alone
        self.environment = scratch / "environment"
        for name in ("tmp", "home"):
            (scratch / name).mkdir(parents=True)
        (scratch / "tmp").chmod(0o1777)
        ignored = shutil.ignore_patterns(*NOT_COPIED)
        shutil.copytree(root, self.tree, symlinks=True, ignore=ignored)
        # Links, for libraries take gigabytes. What names a place in the original is written anew.
        shutil.copytree(sys.prefix, self.environment, symlinks=True, copy_function=link)
        packages = next(self.environment.glob("lib/python*/site-packages"))
        programs = [p for p in (self.environment / "bin").iterdir() if not p.is_symlink()]
        editable = packages.glob("__editable__*")
        for path in [*programs, *editable, *packages.glob("*.dist-info/direct_url.json")]:
            self.rewrite(path, {sys.prefix: str(self.environment), str(ROOT): str(self.tree)})

    def rewrite(self, path: Path, places: dict[str, str]) -> None:
        """Replace places in a file that may be a link to the original."""
        try:
            text = old = path.read_text()
        except UnicodeDecodeError:
            return
        for before, after in places.items():
            text = text.replace(before, after)
        if text != old:
            mode = path.stat().st_mode
            path.unlink()
            path.write_text(text)
            path.chmod(mode)

    def run(self, tests: str, seconds: float | None = None) -> tuple[str, float, str]:
        """Run tests; return "survived", "failed" or "timed out", how long it took, and a report."""
        python = str(self.environment / "bin" / "python")
        command = [python, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
        command += shlex.split(tests)
        if self.alone:
            user = [] if os.getuid() == 0 else ["--user", "--map-root-user"]
            spaces = ["--mount", "--pid", "--uts", "--ipc", "--net", "--mount-proc"]
            command = [
                *("unshare", *user, *spaces, "--fork", "--kill-child"),
                *("sh", "-c", ALONE, "sh", str(self.scratch), *command),
            ]
        path = f"{self.environment / 'bin'}{os.pathsep}{os.environ['PATH']}"
        home = str(self.scratch / "home")
        env = os.environ | {"PYTHONPATH": str(self.tree), "PATH": path, "HOME": home}
        began = time.monotonic()
        try:
            done = subprocess.run(
                command, cwd=self.tree, env=env, timeout=seconds,
                capture_output=True, text=True, errors="replace", check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return "timed out", time.monotonic() - began, ""
        outcome = "failed" if done.returncode else "survived"
        return outcome, time.monotonic() - began, done.stdout + done.stderr

    def judge(self, module: str, mutant: Mutant, stages: list[tuple[str, float]]) -> Result:
        """Run the tests of each stage until one kills the mutant."""
        path = self.tree / module
        source = path.read_bytes()
        outcome, stage, took = "survived", 0, 0.0
        try:
            path.write_bytes(mutant.applied(source))
            for number, (tests, seconds) in enumerate(stages, start=1):
                stage = number
                outcome, more, _ = self.run(tests, seconds)
                took += more
                if outcome != "survived":
                    break
        finally:
            path.write_bytes(source)
        return Result(module, mutant.line, mutant.description, outcome, stage, round(took, 1))


def link(source: str, target: str) -> None:
    """Link a file, or copy it where it lies on another device."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


def table(results: list[Result]) -> str:
    """Return figures by module, then the survivors."""
    lines = [f"{'module':44} mutants  killed  survived"]
    for module in dict.fromkeys(result.module for result in results):
        own = [result for result in results if result.module == module]
        alive = sum(result.outcome == "survived" for result in own)
        lines.append(f"{module:44} {len(own):7} {len(own) - alive:7} {alive:9}")
    alive = [r for r in results if r.outcome == "survived"]
    return "\n".join([*lines, "", *(f"{r.module}:{r.line}  {r.description}" for r in alive)])


def main() -> None:
    parser = argparse.ArgumentParser(description="Break one guard at a time.")
    parser.add_argument("--module", action="append", required=True, help="may be repeated")
    parser.add_argument("--tests", required=True, help='as for pytest: "tests/x -k some"')
    parser.add_argument("--then", help="tests for what survives these")
    parser.add_argument("--sample", type=int, help="how many mutants of all modules together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where results are written")
    parser.add_argument("--root", type=Path, default=ROOT, help="the tree that is copied")
    parser.add_argument("--scratch", type=Path, default=ROOT.parent / f"{ROOT.name}-mutation")
    parser.add_argument("--not-alone", action="store_true", help="let tests change the machine")
    parser.add_argument("--list", action="store_true", help="list the mutants, run nothing")
    args = parser.parse_args()
    found = [
        (name, mutant)
        for name in args.module
        for mutant in Module((args.root / name).read_bytes()).mutants()
    ]
    if args.sample and args.sample < len(found):
        chosen = random.Random(args.seed).sample(range(len(found)), args.sample)
        found = [found[k] for k in sorted(chosen)]
    if args.list:
        print("\n".join(f"{name}:{mutant.line}  {mutant.description}" for name, mutant in found))
        return
    place = Workplace(args.root, args.scratch, alone=not args.not_alone)
    stages = []
    for tests in filter(None, (args.tests, args.then)):
        outcome, seconds, report = place.run(tests)
        if outcome != "survived":
            sys.exit(f"without any change the tests fail: {tests}\n{report[-3000:]}")
        stages.append((tests, 20 + 3 * seconds))
        print(f"{seconds:.0f} s: {tests}", flush=True)
    results = []
    for k, (name, mutant) in enumerate(found, start=1):
        results.append(result := place.judge(name, mutant, stages))
        said = f"{k}/{len(found)} {result.outcome:9} {result.seconds:5.0f} s"
        print(f"{said}  {name}:{mutant.line}  {mutant.description}", flush=True)
        if args.json:
            args.json.write_text(json.dumps([asdict(r) for r in results], indent=1) + "\n")
    shutil.rmtree(args.scratch)
    print(f"\n{table(results)}")


if __name__ == "__main__":
    main()
