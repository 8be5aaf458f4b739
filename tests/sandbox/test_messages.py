"""Messages of a kernel are refused where no kernel would send them so."""

from __future__ import annotations

from typing import Any

import pytest
from jupyter_client.session import Session

from autograder.grading.sanitize import Page, sanitized_data
from autograder.sandbox.messages import (
    KEPT_TYPES,
    MAX_DEPTH,
    MAX_PUNCTUATION,
    CheckedSession,
    InvalidMessage,
)

STREAM = {"name": "stdout", "text": "hi"}
ERROR = {"ename": "E", "evalue": "", "traceback": ["E"]}
SHOWN = {"data": {"text/plain": "1"}, "metadata": {}}


@pytest.fixture
def sessions() -> tuple[Session, CheckedSession]:
    """The session of a kernel, and of the grader: with one key."""
    return Session(key=b"k"), CheckedSession(key=b"k")


def received(sessions: tuple[Session, CheckedSession], message: dict[str, Any]) -> dict[str, Any]:
    """Return a message as the grader receives it."""
    kernel, grader = sessions
    _, frames = grader.feed_identities(kernel.serialize(message))
    return grader.deserialize(frames)


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("stream", STREAM),
        ("error", ERROR),
        ("execute_result", {**SHOWN, "execution_count": 3}),
        ("display_data", {**SHOWN, "transient": {"display_id": "a"}}),
        ("update_display_data", {**SHOWN, "transient": None}),
        ("status", {"execution_state": "idle"}),
        ("execute_reply", {"status": "ok", "execution_count": 1}),
        ("execute_reply", {"status": "error", **ERROR}),
        ("of_another_kind", {"anything": [1]}),
    ],
)
def test_what_kernels_send_arrives(
    kind: str, content: dict[str, Any], sessions: tuple[Session, CheckedSession]
) -> None:
    assert received(sessions, sessions[0].msg(kind, content))["content"] == content


def test_nested_content_is_refused_before_what_reads_it_recurses(
    sessions: tuple[Session, CheckedSession],
) -> None:
    nested: Any = []
    for _ in range(MAX_DEPTH - 3):
        nested = {"a": nested}
    content = {**SHOWN, "metadata": nested}
    assert received(sessions, sessions[0].msg("display_data", content))["content"] == content
    content = {**SHOWN, "metadata": {"b": [{"c": nested}]}}
    with pytest.raises(InvalidMessage, match="nested"):
        received(sessions, sessions[0].msg("display_data", content))


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("stream", {**STREAM, "text": 1}),
        ("stream", {**STREAM, "name": "stdin"}),
        ("stream", {}),
        ("error", {**ERROR, "traceback": "E"}),
        ("error", {**ERROR, "traceback": [1]}),
        ("execute_result", {**SHOWN, "execution_count": "3"}),
        ("execute_result", SHOWN),
        ("display_data", {**SHOWN, "data": []}),
        ("display_data", {**SHOWN, "transient": {"display_id": ["a"]}}),
        ("display_data", {**SHOWN, "transient": 3}),
        ("status", {}),
        ("execute_reply", {}),
        ("execute_reply", {"status": "error"}),
        ("comm_open", {"data": {}, "comm_id": "a"}),
        ("comm", {}),
        ("other_reply", {"status": "error"}),
        ("other_reply", {**ERROR, "status": "error", "ename": 1}),
        ("comm_anything", {"data": {}, "comm_id": "a"}),
        ("stream", {**STREAM, "execution_count": [1]}),
        ("files_reply", {"names": [1], "left_out": []}),
        (3, STREAM),
    ],
)
def test_what_no_kernel_sends_is_refused(
    kind: Any, content: Any, sessions: tuple[Session, CheckedSession]
) -> None:
    with pytest.raises(InvalidMessage):
        received(sessions, sessions[0].msg(kind, content))


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (
            {"text/plain": "5", "text/html": "<b>5</b>"},
            {"text/plain": "5", "text/html": "<b>5</b>"},
        ),
        ({"text/plain": 5}, {}),
        ({"text/plain": "5", "image/png": {}}, {"text/plain": "5"}),
        ({"text/plain": "5", "a/b": [1]}, {"text/plain": "5"}),
        ({"application/vnd.plotly.v1+json": {"data": []}, "text/html": "p"}, {"text/html": "p"}),
    ],
)
@pytest.mark.parametrize("kind", ["display_data", "update_display_data", "execute_result"])
def test_of_displayed_data_the_texts_are_kept_that_a_page_shows(
    kind: str, data: Any, kept: Any, sessions: tuple[Session, CheckedSession]
) -> None:
    message = sessions[0].msg(kind, {"data": data, "metadata": {}, "execution_count": 1})
    assert received(sessions, message)["content"]["data"] == kept


def test_the_sanitiser_keeps_no_other_type() -> None:
    types = {*KEPT_TYPES, "image/svg+xml", "text/x", "application/json", "application/javascript"}
    kept = {kind for kind in types if sanitized_data(kind, "ab", Page())}
    assert kept == KEPT_TYPES


def test_a_page_with_a_library_and_many_numbers_arrives(
    sessions: tuple[Session, CheckedSession],
) -> None:
    page = "{" * 50_000 + "[" * 55_000 + "," * 215_000 + "[1.25, 2.5], " * 100_000
    message = sessions[0].msg("display_data", {**SHOWN, "data": {"text/html": page}})
    assert received(sessions, message)["content"]["data"] == {"text/html": page}


@pytest.mark.parametrize("item", [{}, [], {"a": {}}, "a"])
@pytest.mark.parametrize("part", ["content", "metadata", "parent_header", "header"])
def test_very_many_parts_are_refused_before_they_are_read(
    part: str, item: Any, sessions: tuple[Session, CheckedSession]
) -> None:
    message = sessions[0].msg("display_data", SHOWN)
    message[part] = {**message[part], "items": [item] * MAX_PUNCTUATION}
    frames = sessions[1].feed_identities(sessions[0].serialize(message))[1]
    sessions[1].unpack = lambda _: pytest.fail("it is read")
    with pytest.raises(InvalidMessage, match="more than 1,000,000 brackets"):
        sessions[1].deserialize(frames)


@pytest.mark.parametrize("part", ["header", "parent_header", "metadata"])
def test_parts_that_are_no_dictionary_are_refused(
    part: str, sessions: tuple[Session, CheckedSession]
) -> None:
    message = sessions[0].msg("stream", STREAM)
    message[part] = [1]
    with pytest.raises(InvalidMessage):
        received(sessions, message)


def test_a_forged_signature_is_refused(sessions: tuple[Session, CheckedSession]) -> None:
    forged = Session(key=b"another")
    with pytest.raises(InvalidMessage, match="Signature"):
        received((forged, sessions[1]), forged.msg("stream", STREAM))
