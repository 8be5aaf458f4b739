"""What tests of other courses do with answers besides calling them, in one kernel and in two."""

from __future__ import annotations

import nbformat
import pytest

from autograder.examiner.released import instructor_text
from autograder.execution.cells import ENDED
from autograder.execution.execute import execute
from autograder.limits import Limits
from tests.support.notebooks import cell, text_of

ANSWER = """
import functools
import sys

rate = 3

def square(x):
    return x * x

def area(x):
    "The area."
    print("area of", x)
    print("warning", file=sys.stderr)
    return square(x)

def fails(x):
    print("before")
    raise ValueError(x)

def step(start, n=2, *rest, size=0.5, **more):
    return rate * start

@functools.wraps(square)
def decorated(x):
    return 2 * square(x)

def apply(function, x):
    return function(x)

def age():
    n = int(input("Your age? "))
    print("Next year", n + 1)
    return n

class Shape:
    "A shape."
    def scale(self, by=1):
        return by

class Disc(Shape):
    pass

def disc():
    return Disc()
"""
# The last line is the claim: it fails where the learner's work does not do what it says.
IDIOMS = {
    "a name is deleted": """
kept = square
del square
try:
    area(2)
except NameError:
    used = True
else:
    used = False
finally:
    square = kept
assert used and area(2) == 4
""",
    "a name stands for a function of the test": """
kept, square = square, lambda x: 7
bound = area(2)
square = kept
assert (bound, area(2)) == (7, 4)
""",
    "a name stands for data of the test": """
before, rate = rate, 10
assert (before, step(2)) == (3, 20)
""",
    "a function is passed for which a name stands, too": """
def twice(x):
    return 2 * x
kept, square = square, twice
before, earlier = area(3), rate
rate = rate + 1
doubled, square = apply(twice, 3), kept
assert (before, doubled, step(2), area(3)) == (6, 6, 2 * (earlier + 1), 9)
""",
    "a name is patched by its path": """
from unittest import mock
with mock.patch("__main__.square", return_value=7) as patched:
    bound = area(2)
assert (bound, area(2), patched.call_count) == (7, 4, 1)
""",
    "a function declares a global": """
def bind():
    global square
    square = lambda x: 7
square
bind()
assert area(2) == 7
""",
    "input is patched": """
from unittest import mock
with mock.patch("builtins.input", side_effect=["4", "5"]) as asked:
    replies = age(), age()
assert (replies, asked.call_count) == ((4, 5), 2)
""",
    "print is patched": """
from unittest import mock
with mock.patch("builtins.print") as printed, mock.patch("builtins.input", lambda text: "4"):
    age()
printed.assert_called_once_with("Next year", 5)
""",
    "output is captured": """
import contextlib, io
out, err = io.StringIO(), io.StringIO()
with contextlib.redirect_stdout(out):
    area(2)
    print("and", area(3))
with contextlib.redirect_stderr(err):
    area(2)
assert (out.getvalue(), err.getvalue()) == ("area of 2\\narea of 3\\nand 9\\n", "warning\\n")
""",
    "output before an exception is captured": """
import contextlib, io
with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(ValueError):
    fails(2)
assert out.getvalue() == "before\\n"
""",
    "a magic captures output": """%%capture captured
area(2)
""",
    "what the magic captured": 'assert captured.stdout == "area of 2\\n"',
    "signatures": """
import inspect
assert [str(inspect.signature(f)) for f in (step, Shape().scale)] == [
    "(start, n=2, *rest, size=0.5, **more)", "(by=1)"]
""",
    "docstrings": """
import inspect
assert (area.__doc__, inspect.getdoc(Shape), square.__doc__) == ("The area.", "A shape.", None)
""",
    "what a decorator wraps": """
assert decorated(3) == 18 and decorated.__wrapped__(3) == 9 and not hasattr(area, "__wrapped__")
""",
    "kinds of objects": """
assert isinstance(disc(), Shape) and isinstance(disc(), (int, Disc)) and not isinstance(3, Shape)
assert issubclass(Disc, Shape) and not issubclass(Shape, Disc)
""",
}


def outcomes(
    answer: str, tests: dict[str, str], one_kernel: bool = False, setup: str = ""
) -> dict[str, str]:
    """Return how each test ended, with its error; the instructor answers the same."""
    cells = [cell(setup, "setup", locked=True), cell(answer, "answer", solution=True)]
    cells += [
        cell(text.strip(), f"test-{k}", grade=True, locked=True)
        for k, text in enumerate(tests.values())
    ]
    resources = {"instructor": instructor_text(cells[:2], {})}
    done = execute(nbformat.v4.new_notebook(cells=cells), resources, Limits(), one_kernel)
    return {
        name: " ".join([test.metadata[ENDED], *map(text_of, test.outputs)])
        for name, test in zip(tests, done.cells[2:], strict=True)
    }


@pytest.mark.parametrize("one_kernel", [True, False])
def test_an_idiom_sees_what_the_answer_does(one_kernel: bool) -> None:
    idioms = IDIOMS
    if one_kernel:  # where what the test bound for good stays bound
        idioms = {k: v for k, v in IDIOMS.items() if k != "a function declares a global"}
    ends = outcomes(ANSWER, idioms, one_kernel)
    assert {name: end.split()[0] for name, end in ends.items()} == dict.fromkeys(ends, "ok")


OTHER_ANSWER = """
import functools
rate = 3
def square(x): return x * x
def area(x): return x * x
def fails(x): raise ValueError(x)
def step(start, n=3): return 3 * start
def decorated(x): return 2 * x * x
def apply(function, x): return x
def age():
    for _ in range(3): input("Your age? ")
    return 4
class Shape:
    def scale(self): return 1
class Disc: pass
def disc(): return Disc()
"""


def test_an_idiom_catches_an_answer_that_does_something_else() -> None:
    ends = outcomes(OTHER_ANSWER, IDIOMS)
    passed = [name for name, end in ends.items() if not end.startswith("error")]
    assert passed == ["a magic captures output"]  # which claims nothing


SECRETS = {  # each with a name of its own: what a test has bound is there in the next
    "bound, and not read before": "secret0 = 5\nassert peek('secret0') == secret0",
    "a function": "def secret1():\n    return 5\nassert peek('secret1') == 5",
    "read by one function, bound by another": "def read():\n    return secret2\ndef bind():\n"
    "    global secret2\n    secret2 = 5\nbind()\nassert peek('secret2') == read()",
    "output": "import contextlib, io\nwith contextlib.redirect_stdout(io.StringIO()):\n"
    "    print(5)\n    assert peek('rate') == 5",
}
PEEK = """
import sys
rate = secret0 = secret1 = secret2 = None
print(secret0)  # read where it runs before any test, not in a function
def peek(name):
    text, value = getattr(sys.stdout, "getvalue", str)(), globals()[name]
    return value() if callable(value) else value or text and int(text)
"""


def test_names_and_output_of_a_test_are_unknown_to_the_answer() -> None:
    setup = "def show():\n    print(secret0, secret1)"  # reads them, so that they are fetched
    ends = outcomes(PEEK, SECRETS, setup=setup)
    assert {name: end.split(":")[0] for name, end in ends.items()} == dict.fromkeys(
        SECRETS, "error AssertionError"
    )


SENDS_RAW = """
import gc
(endpoint,) = (one for one in gc.get_objects() if type(one).__name__ == "SubmissionEndpoint")
names = type(endpoint.transport).send.__globals__["pack"].__globals__
class Json:
    def __getattr__(self, name): return getattr(real, name)
    def dumps(self, value, **options): return real.dumps(value)  # half a character as an escape
real, names["json"] = names["json"], Json()
def say(): pass
endpoint.printed = lambda: {"printed": ["\\ud800", ""]}
"""
CAPTURE = "import contextlib, io\nout = io.TextIOWrapper(io.BytesIO(), 'utf-8')\n"
CAPTURE += "with contextlib.redirect_stdout(out):\n    say()"


def test_what_is_printed_is_no_fault_of_the_grader() -> None:
    ends = outcomes(SENDS_RAW, {"half a character": CAPTURE})
    assert ends["half a character"].startswith("crashed")
    full = "import sys\nclass Full:\n    def write(self, text):\n        raise OSError('full')\n"
    closed = CAPTURE.replace("    say()", "    out.close(); say()")
    ends = outcomes("def say(): print(1)", {"full": full + FULL, "closed": closed})
    assert [end.split(":")[0] for end in ends.values()] == ["error OSError", "error ValueError"]


FULL = "kept, sys.stdout = sys.stdout, Full()\ntry:\n    say()\nfinally:\n    sys.stdout = kept"


def test_what_a_test_bound_is_the_learner_s_again_in_the_next() -> None:
    tests = {"bind": IDIOMS["a function declares a global"], "next": "assert area(2) == 4"}
    assert outcomes(ANSWER, tests) == {"bind": "ok", "next": "ok"}


@pytest.mark.parametrize("one_kernel", [True, False])
def test_a_global_that_only_tests_define_is_the_answer_s_too(one_kernel: bool) -> None:
    answer = "def scaled(x):\n    return factor * x"
    tests = {
        "defines it": "factor = 3\nassert scaled(2) == 6\nfactor = 4\nassert scaled(2) == 8",
        "still knows it": "assert scaled(1) == 4",
    }
    assert outcomes(answer, tests, one_kernel) == dict.fromkeys(tests, "ok")


def test_what_cannot_be_sent_is_a_limit_and_no_mistake() -> None:
    tests = {"bind": "square\nsquare = open('/dev/null')\nassert area(2) == 4"}
    assert outcomes(ANSWER, tests) == {"bind": "ok"}  # and is noted, should the test fail
