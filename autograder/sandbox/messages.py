"""Messages that a kernel sends: untrusted input, checked as they arrive.

nbclient takes the content of a message as valid. What a submission forges is refused here, so that
any other exception under a running cell is a fault of the grader, never of the learner.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_client.session import Session

NoneType = type(None)


class InvalidMessage(Exception):
    """A message that no kernel sends by itself."""


def is_texts(value: Any) -> bool:
    """Return whether this is a list of texts."""
    return isinstance(value, list) and all(isinstance(line, str) for line in value)


def is_text(value: Any) -> bool:
    """Return whether this is a text."""
    return isinstance(value, str)


def is_table(value: Any) -> bool:
    """Return whether this is a dictionary with texts as keys."""
    return isinstance(value, dict) and all(isinstance(name, str) for name in value)


def is_count(value: Any) -> bool:
    """Return whether this can number a cell."""
    return type(value) in (int, NoneType)


Checks = dict[str, Callable[[Any], bool]]
ERROR: Checks = {"ename": is_text, "evalue": is_text, "traceback": is_texts}
DISPLAYED: Checks = {"data": is_table, "metadata": is_table}
# What is read of each kind of message, and must be there.
CONTENT: dict[str, Checks] = {
    "comm_close": {"data": is_table, "comm_id": is_text},
    "comm_msg": {"data": is_table, "comm_id": is_text},
    "comm_open": {"data": is_table, "comm_id": is_text, "target_name": is_text},
    "display_data": DISPLAYED,
    "error": ERROR,
    "execute_reply": {"status": is_text},
    "execute_result": {**DISPLAYED, "execution_count": is_count},
    "files_reply": {"names": is_texts, "left_out": is_texts},
    "kernel_info_reply": {"status": is_text},
    "status": {"execution_state": is_text},
    "stream": {"name": lambda name: name in ("stdout", "stderr"), "text": is_text},
    "update_display_data": DISPLAYED,
}


class CheckedSession(Session):
    """A session that raises InvalidMessage for what is no valid message."""

    def deserialize(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return a message. Called by jupyter_client's channels."""
        try:
            message: dict[str, Any] = super().deserialize(*args, **kwargs)
        except Exception as error:  # its bytes may be anything
            raise InvalidMessage(f"it cannot be read: {type(error).__name__}: {error}") from error
        if reason := fault_in(message):
            raise InvalidMessage(reason)
        return message


def fault_in(message: dict[str, Any]) -> str:
    """Return what is wrong with a message; empty if nothing is."""
    kind, content = message["msg_type"], message["content"]
    for part in ("header", "parent_header", "metadata", "content"):
        if not is_table(message[part]):
            return f"its {part} is no dictionary"
    if not is_text(kind) or not is_text(message["header"].get("msg_id")):
        return "it has no type, or no number"
    needed = CONTENT.get(kind, {})
    if kind == "execute_reply" and content.get("status") == "error":
        needed = {**needed, **ERROR}
    for name, is_valid in needed.items():
        if name not in content or not is_valid(content[name]):
            return f"{kind}: its {name} is missing or invalid"
    if not is_count(content.get("execution_count")):
        return f"{kind}: its execution_count is invalid"
    transient = content.get("transient")
    if transient is not None and not (
        is_table(transient) and isinstance(transient.get("display_id"), (str, NoneType))
    ):
        return f"{kind}: its transient is invalid"
    return ""
