"""Errors that are the user's to mend: one line each, exit status 2."""


class UsageError(Exception):
    """What was asked for cannot be done; the message says what is wrong and what to do."""
