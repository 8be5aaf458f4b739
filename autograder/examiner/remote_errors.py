"""Exceptions that cross from one kernel to the other: by class name and arguments, as data."""

from __future__ import annotations

import builtins
import linecache
import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from autograder.errors import CALL
from autograder.examiner.codec import CodecError, ExaminerLimit, Message, decode, encode

MAX_CHARACTERS = 10_000  # of the text of an exception
MAX_CLASSES = 20  # of its class and the bases of it
MAX_FRAMES = 5  # of the learner's cells
REMOTE = "_autograder_remote"  # attribute of an exception that came from the other kernel


def error_message(error: BaseException, number: Any, lines: bool) -> Message:
    """Return the message that reports an exception raised by the request `number`.

    `lines` is whether it names lines of cells that the exception passed through.
    """
    classes = [sendable(kind.__name__) for kind in type(error).__mro__[:-1]]
    plain = all(isinstance(each, (str, int, float, type(None))) for each in error.args)
    text = text_of(error)
    args = error.args if plain and len(text) < MAX_CHARACTERS else (text,)
    frames = sendable(frames_of(error)) if lines else ""
    meta = {"number": number, "classes": classes, "frames": frames}
    meta["limit"] = isinstance(error, ExaminerLimit)
    return Message("error", meta, [encode(list(map(sendable, args)))])


def sendable(value: Any) -> Any:
    """Return a value; of a text, what can be sent: half of a surrogate pair cannot."""
    return value.encode(errors="backslashreplace").decode() if isinstance(value, str) else value


def exception_from(message: Message) -> BaseException:
    """Return the exception that a message reports, as one of Python's own classes.

    Raise CodecError where the message is invalid.
    """
    classes, payloads = message.meta.get("classes"), message.payloads
    args = decode(payloads[0]) if len(payloads) == 1 else None
    if not isinstance(classes, list) or not isinstance(args, list):
        raise CodecError("an error has no class, or no arguments")
    error = rebuild(classes, args, message.meta.get("frames"), message.meta.get("limit") is True)
    error.__dict__[REMOTE] = True
    return error


def text_of(error: BaseException) -> str:
    """Return the text of an exception; empty where it has none that can be read."""
    try:
        return str(error)[:MAX_CHARACTERS]
    except Exception:  # str() of the learner's own class may raise anything
        return ""


def frames_of(error: BaseException) -> str:
    """Return the last lines of the learner's cells that an exception passed through."""
    lines = []
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if "ipykernel_" in name:
            text = linecache.getline(name, trace.tb_lineno).strip()
            lines.append(f"{trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}: {text}"[:200])
        trace = trace.tb_next
    return "\n".join(lines[-MAX_FRAMES:])


def rebuild(classes: list[Any], args: list[Any], frames: Any, limit: bool) -> BaseException:
    """Return an exception of the first of `classes` that is Python's own, named as the first.

    It is an ExaminerLimit too if `limit` is true.
    """
    names = [name for name in classes[:MAX_CLASSES] if isinstance(name, str)]
    builtin = [getattr(builtins, name, None) for name in names]
    known = [kind for kind in builtin if isinstance(kind, type) and issubclass(kind, Exception)]
    kind = known[0] if known else RuntimeError
    bases: tuple[type, ...] = (ExaminerLimit, kind) if limit else (kind,)
    if names and (limit or names[0] != kind.__name__) and names[0].isidentifier():
        kind = type(names[0][:100], bases, {"__module__": "builtins"})
    try:
        error: BaseException = kind(*args)
        str(error)
    except Exception:  # UnicodeDecodeError and the like take other arguments than they show
        error = ExaminerLimit(*args) if limit else RuntimeError(*args)
    if isinstance(frames, str) and frames:
        text = frames[:1000].encode(errors="replace").decode()  # half a character may be sent
        error.add_note(f"In your code:\n{text}")
    return error


class Arguments(reprlib.Repr):
    """Short texts of arguments: a few numbers and strings, of arrays and the like the shape."""

    def __init__(self) -> None:
        super().__init__()
        self.maxstring = self.maxother = 40
        self.maxlist = self.maxtuple = self.maxdict = self.maxset = self.maxfrozenset = 6

    def repr1(self, value: Any, level: int) -> str:
        """Return the text of one argument."""
        plain = (int, float, complex, str, bytes, type(None), list, tuple, dict, set, frozenset)
        if type(value) in (*plain, bool, range):
            return super().repr1(value, level)
        shape = getattr(value, "shape", None) if type(value).__module__ != "builtins" else None
        if isinstance(shape, tuple):
            return f"<{type(value).__name__} {tuple(shape)}>"
        return f"<{getattr(value, '__name__', type(value).__name__)}>"


def name_call(
    error: BaseException, name: str, args: Sequence[Any], kwargs: Mapping[str, Any]
) -> None:
    """Note in an exception of the learner's which call of a test raised it.

    A test that makes two hundred calls shows its own line alone: the learner needs the arguments.
    """
    if REMOTE not in vars(error) or isinstance(error, ExaminerLimit):
        return
    if any(note.startswith(CALL) for note in getattr(error, "__notes__", ())):
        return  # a call within this one
    text = Arguments().repr
    values = [*map(text, args), *(f"{key}={text(value)}" for key, value in kwargs.items())]
    error.add_note(f"{CALL}{name}({', '.join(values)})")
