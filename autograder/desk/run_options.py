"""Options of the commands that run notebooks."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from autograder.limits import NAMES

Confine = Annotated[
    bool,
    typer.Option(
        "--confine/--no-confine", help="Refuse to grade where submissions cannot be confined."
    ),
]
Examiner = Annotated[
    Literal["auto", "always", "never"],
    typer.Option(
        help="Whether tests run in a kernel of their own: where the instructor's own answers earn"
        " their marks so, always (what cannot be run there goes to a person), or never.",
    ),
]
Jobs = Annotated[int, typer.Option(min=1, help="Notebooks at a time.")]
LimitOptions = Annotated[
    list[str] | None,
    typer.Option("--limit", help=f"NAME=VALUE, may be given again; there are {', '.join(NAMES)}."),
]
