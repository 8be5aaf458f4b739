"""Logging by the standard library, under the logger "autograder".

A library configures no handler: the command does, by configure().
"""

from __future__ import annotations

import logging

from rich.console import Console
from rich.logging import RichHandler

ROOT = "autograder"
# Their warnings repeat what the command itself says.
QUIET = ("distributed", "distributed.client", "autograder.nbclient", "autograder.nbgrader")


def configure(console: Console, verbose: bool) -> None:
    """Show messages on the console: warnings, or with `verbose` all of them.

    Called by the command, once: it owns its process.
    """
    handler = RichHandler(
        console=console, show_time=verbose, show_path=verbose, show_level=verbose, markup=False
    )
    handler.setLevel(logging.DEBUG if verbose else logging.WARNING)
    root = logging.getLogger(ROOT)
    root.setLevel(logging.DEBUG if verbose else logging.WARNING)
    root.addHandler(handler)
    if not verbose:
        for name in QUIET:  # by a filter, since distributed sets its levels when it is imported
            logging.getLogger(name).addFilter(lambda record: False)
