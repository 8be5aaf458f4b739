"""Messages that a kernel sends: untrusted input, checked as they arrive.

nbclient takes the content of a message as valid. What a submission forges is refused here, so that
any other exception under a running cell is a fault of the grader, never of the learner.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jupyter_client.session import Session

NoneType = type(None)
MAX_DEPTH = 100  # of lists and dictionaries in the content of a message: what takes it is recursive
# Brackets and commas of one message, also those in its texts. What json makes of each takes up to
# 130 bytes, of "{}" in a list 36. A page with plotly.js and 200,000 numbers has 700,000.
MAX_PUNCTUATION = 1_000_000
# What is kept of displayed data, as texts alone: what the sanitiser keeps, and no other type.
TEXTS = ("text/plain", "text/html", "text/markdown", "text/latex")
PICTURES = ("image/png", "image/jpeg", "image/gif")
KEPT_TYPES = frozenset((*TEXTS, *PICTURES))


class InvalidMessage(Exception):
    """A message that no kernel sends by itself."""


def is_deep(value: Any) -> bool:
    """Return whether lists and dictionaries are nested in each other deeper than MAX_DEPTH."""
    level = [value]
    for _ in range(MAX_DEPTH):
        items = [each.values() if isinstance(each, dict) else each for each in level]
        level = [each for group in items for each in group if isinstance(each, (dict, list))]
        if not level:
            return False
    return True


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
DISPLAYS = ("display_data", "execute_result", "update_display_data")
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

    def deserialize(self, msg_list: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Return the message of these frames. Called by jupyter_client's channels."""
        # Buffers follow, which are not parsed.
        if sum(punctuation_in(part) for part in msg_list[:5]) > MAX_PUNCTUATION:
            raise InvalidMessage(f"it has more than {MAX_PUNCTUATION:,} brackets and commas")
        try:
            message: dict[str, Any] = super().deserialize(msg_list, *args, **kwargs)
        except Exception as error:  # its bytes may be anything
            raise InvalidMessage(f"it cannot be read: {type(error).__name__}: {error}") from error
        if reason := fault_in(message):
            raise InvalidMessage(reason)
        if message["msg_type"] in DISPLAYS:
            message["content"]["data"] = kept_data(message["content"]["data"])
        return message


def punctuation_in(part: bytes) -> int:
    """Return how many dictionaries, lists and items the bytes of a message can be read as."""
    return part.count(b"{") + part.count(b"[") + part.count(b",")


def kept_data(data: dict[str, Any]) -> dict[str, str]:
    """Return displayed data without what nothing here shows, or nbformat would refuse.

    A library may display a number as a text, or data of a type of its own: no fault of its cell.
    """
    return {
        kind: value for kind, value in data.items() if kind in KEPT_TYPES and isinstance(value, str)
    }


def fault_in(message: dict[str, Any]) -> str:
    """Return what is wrong with a message; empty if nothing is."""
    kind, content = message["msg_type"], message["content"]
    for part in ("header", "parent_header", "metadata", "content"):
        if not is_table(message[part]):
            return f"its {part} is no dictionary"
    if is_deep(content):
        return f"its content is nested more than {MAX_DEPTH} times"
    if not is_text(kind) or not is_text(message["header"].get("msg_id")):
        return "it has no type, or no number"
    if kind.startswith("comm") and kind not in (*CONTENT, "comm_info_reply"):
        return f"{kind}: there is no such message"  # nbclient reads it as one of a comm
    needed = CONTENT.get(kind, {})
    if kind.endswith("_reply") and content.get("status") == "error":
        needed = {**needed, **ERROR}  # nbclient reads any reply to a cell as execute_reply
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
