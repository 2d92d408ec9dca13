"""Plain text: a message a line."""

from collections.abc import Iterator

from ..records import Row
from . import objects
from .markup import root
from .rows import skipped
from .source import MAX_LINE, UNDECODABLE, Source, undecodable


def claims(source: Source) -> bool:
    """Whatever decodes and is neither JSON nor a document in markup: their lines are no messages."""
    text = source.head_text
    document = text.lstrip().startswith("<?xml") or root(text).lower() in ("!doctype", "html")
    return not source.magic and objects.layout(source) == "" and not document


def read(source: Source, column: str | None) -> Iterator[Row]:
    """Each line that is not empty is a message; there are no columns to choose from."""
    for number, line, whole in source.lines():
        if line.strip():
            problem = "" if whole else f"longer than {MAX_LINE} characters"
            problem = UNDECODABLE if undecodable(line) else problem
            text = "" if problem else line
            yield Row(number, text, {"text": line}, problem, skipped="" if problem else skipped(text, "in"))
