"""The errors a user can act on: each says what, where, and what to type next. Caught only at the doors (cli, web, library callers).

`exit_code` is what the command line ends with; the kinds are the whole list, so a door needs no other knowledge.
"""


class ScamcallError(Exception):
    """Base of every error this package raises on purpose. The text is one line for the user, never a message's own text."""

    exit_code = 2


class InputError(ScamcallError):
    """The input or the command's words cannot be used: no such file, no such column, no known encoding."""


class LimitError(ScamcallError):
    """The input is larger than a stated limit, or could not be read within it."""

    exit_code = 3


class ModelError(ScamcallError):
    """The model's files are missing, damaged, or of another version."""

    exit_code = 4


class OutputError(ScamcallError):
    """The output could not be written; nothing half-written is left under its name."""

    exit_code = 5


class LockError(ScamcallError):
    """Another process is changing the same thing."""

    exit_code = 6
