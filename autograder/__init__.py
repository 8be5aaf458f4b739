"""What an instructor runs: build the lessons, grade submissions, report the marks."""

import logging

# A library prints nothing of its own accord: the command adds a handler (autograder.log).
logging.getLogger("autograder").addHandler(logging.NullHandler())


def __getattr__(name: str) -> str:
    """Return the installed version as `__version__`, looked up when it is asked for."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import version  # takes 30 ms to import: most callers need none of it

    return version("nbgrader-autograder")
