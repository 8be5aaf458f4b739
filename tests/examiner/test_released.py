"""What the instructor's text defines, by name, as far as the cells of a notebook have run."""

from __future__ import annotations

import pytest

from autograder.examiner.released import InstructorText, ReleasedNames, bound_by, parsed
from autograder.examiner.released import instructor_text as text_of
from tests.support.any_course import answer, cell, graded_cell

IMPORTS = "import sys\nimport numpy as np\nsys.path.append('lib')\nnp.random.seed(0)\nx = 1"
ANSWER = "import math\ndef f():\n    return n"
HELPER = "def helper(a):\n    return a + n\n\nn = 3"


@pytest.fixture
def names() -> ReleasedNames:
    cells = [cell(IMPORTS), cell(HELPER), answer(ANSWER), graded_cell("n")]
    return ReleasedNames(text_of(cells, {}))


def test_nothing_is_defined_before_its_cell_has_run(names: ReleasedNames) -> None:
    assert names.as_data() == {
        "definitions": {},
        "fallbacks": {},
        "of_answers": {"math": "import math"},
        "globals_read": ["n"],
    }


def test_an_import_brings_the_settings_of_its_cell_along(names: ReleasedNames) -> None:
    names.add(IMPORTS)
    definitions = names.as_data()["definitions"]
    assert definitions.keys() == {"sys", "np"}
    assert "sys.path.append('lib')" in definitions["sys"]
    assert "x = 1" not in definitions["sys"]
    assert names.as_data()["fallbacks"]["x"] == "x = 1"


def test_a_name_that_a_learner_binds_is_the_learner_s(names: ReleasedNames) -> None:
    names.add(HELPER)
    assert "helper" in names.as_data()["definitions"]
    names.add("for n in range(3):\n    pass\nhelper = print")
    assert names.as_data() == {
        "definitions": {},
        "fallbacks": {},
        "of_answers": {"math": "import math"},
        "globals_read": ["n"],
    }


def test_a_changed_cell_defines_nothing(names: ReleasedNames) -> None:
    names.add(HELPER + "\nn = 4")
    assert names.as_data()["definitions"] == {}


@pytest.mark.parametrize("source", ["def f(:", "%%bash\nls", "x = '\x00'", "", "(" * 5000])
def test_what_cannot_be_parsed_defines_nothing(source: str) -> None:
    names = ReleasedNames(InstructorText(frozenset([source.strip()])))
    names.add(source)
    assert names.as_data()["definitions"] == {}


@pytest.mark.parametrize(
    ("source", "bound"),
    [
        ("a, (b, *c) = 1, (2, 3)", {"a", "b", "c"}),
        ("import x.y, z as w\nfrom p import q as r", {"x", "w", "r"}),
        ("with open('f') as f:\n    g = (h := 1)", {"f", "g", "h"}),
        ("def f(x):\n    y = 1", {"f"}),
        ("class C:\n    z = 1", {"C"}),
        ("from m import *", {"*"}),
        ("x.y = 1\nx[0] = 2", set()),
        ("%matplotlib inline\nv = 1", {"v"}),
    ],
)
def test_names_that_statements_bind(source: str, bound: set[str]) -> None:
    assert set(bound_by(parsed(source))) == bound
