"""Messages of a kernel are refused where no kernel would send them so."""

from __future__ import annotations

from typing import Any

import pytest
from jupyter_client.session import Session

from autograder.sandbox.messages import CheckedSession, InvalidMessage

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
