"""The trials of `make answers` and `make seeds`: what they run, and what they report."""

from __future__ import annotations

import nbformat
import pytest

from autograder.authoring.answer_bank import Answer
from tests.support.trials import SEEDS, Trial, reseeded, run, seeded_trials

ANSWER = Answer(True, "learn", "learns", "", frozenset())


def cell(source, grade_id=None, grade=True):
    new = nbformat.v4.new_code_cell(source)
    if grade_id:
        new.metadata["nbgrader"] = {
            "schema_version": 3,
            "grade_id": grade_id,
            "grade": grade,
            "solution": False,
            "locked": True,
            "points": 1,
        }
    return new


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=list(cells))


def test_seeds_are_moved_in_tests_that_train_and_nothing_else_is() -> None:
    lesson = notebook(
        cell("import torch\ntorch.manual_seed(1)"),
        cell("x = torch.Generator().manual_seed(2)", "test-exact"),
        cell("check.seed(3)\nrng = np.random.default_rng(3)\nf(30)", "test-learn"),
    )
    cut = reseeded(lesson, seed=2)
    assert [c.source for c in cut.cells] == [
        "import torch\ntorch.manual_seed(1)",
        "check.seed(2003)\nrng = np.random.default_rng(2003)\nf(30)",
    ]


@pytest.mark.parametrize(("got", "lost"), [("0.9", set()), ("0.5", {"test-learn"})])
def test_a_trial_reports_what_was_lost_and_the_margins(got, lost) -> None:
    lesson = notebook(
        cell("from course import check", "setup", grade=False),
        cell(f"check.at_least({got}, 0.75, 'the accuracy')", "test-learn"),
        cell("check.at_most(0.5, 1, 'the loss')", "hidden-learn"),
    )
    outcome = run(Trial("00", ANSWER, lesson, frozenset()))
    assert outcome.lost.keys() == lost
    assert outcome.holds is not bool(lost)
    (accuracy, loss) = outcome.margins
    assert accuracy == ["the accuracy", pytest.approx(float(got) - 0.75)]
    assert loss == ["the loss", pytest.approx(0.5)]


def test_right_answers_and_wrong_ones_caught_by_training_are_tried_from_each_seed() -> None:
    tried = list(seeded_trials("04_lenet"))
    by_answer = {str(trial.answer) for trial in tried}
    assert len(tried) == len(by_answer) * len(SEEDS)
    assert all(trial.answer.right or trial.expected for trial in tried)
    assert any("recipe" in answer for answer in by_answer)
    assert not any("max_pool" in answer for answer in by_answer)
