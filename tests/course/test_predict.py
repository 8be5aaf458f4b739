"""Predictions and the numbers of retrieval questions."""

from __future__ import annotations

import pytest

from course import predict, recall


@pytest.fixture(autouse=True)
def nothing_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(predict, "_kept", {})
    monkeypatch.setattr(predict, "_outcomes", {})


def test_the_run_says_what_was_expected(capsys: pytest.CaptureFixture[str]) -> None:
    predict.keep("edge", "positive", "positive", "negative")
    predict.keep("loss", 2)
    predict.compare("edge", "negative")
    predict.compare("loss", 2.302585)
    assert capsys.readouterr().out == (
        "edge: you expected positive, it was negative\nloss: you expected 2, it was 2.3\n"
    )


def test_the_table_lists_all_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    predict.keep("late", None)
    predict.keep("edge", None, "positive", "negative")
    predict.compare("edge", "negative")
    capsys.readouterr()
    predict.table()
    assert capsys.readouterr().out == (
        "late: you kept no prediction; not run yet\nedge: you kept no prediction, it was negative\n"
    )


@pytest.mark.parametrize(("guess", "choices"), [("plus", ("positive",)), ("2", ()), (True, ())])
def test_a_guess_is_a_choice_or_a_number(guess: object, choices: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="edge: "):
        predict.keep("edge", guess, *choices)


def test_numbers_depend_on_the_name_alone_and_lie_in_their_ranges() -> None:
    ranges = [(5, 9), (2, 4), (10, 10)]
    drawn = [tuple(recall.numbers(f"student {k}", *ranges)) for k in range(200)]
    assert recall.numbers(" Student 7 ", *ranges) == list(drawn[7])
    assert len(set(drawn)) == 15
    for name in ("", "  ", 3):
        with pytest.raises(ValueError, match="a name is a text"):
            recall.numbers(name)  # type: ignore[arg-type]


def test_the_mark_is_the_share_of_right_replies_and_says_why(
    capsys: pytest.CaptureFixture[str],
) -> None:
    expected = {"size": (4, "n - f + 1."), "sign": ("plus", "Brighter."), "sum": (0, "Flat.")}
    assert recall.mark({"size": 4.0, "sign": "plus", "sum": 0}, expected) == 1
    assert capsys.readouterr().out == ""
    assert recall.mark({"size": 6, "sign": "plus"}, expected) == 0.33
    assert capsys.readouterr().out == (
        "size: 6, 4 was expected. n - f + 1.\nsum: None, 0 was expected. Flat.\n"
    )
    with pytest.raises(AssertionError, match="should be a dictionary"):
        recall.mark([4], expected)
