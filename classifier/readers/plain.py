"""Plain text: a message a line."""

from collections.abc import Iterator

from ..records import Row
from .source import MAX_LINE, Source, undecodable


def claims(source: Source) -> bool:
    """Whatever decodes and is no other format."""
    return bool(source.encoding)


def read(source: Source, column: str | None) -> Iterator[Row]:
    """Each line that is not empty is a message; there are no columns to choose from."""
    for number, line, whole in source.lines():
        line = line.lstrip("\ufeff") if number == 1 else line
        if line.strip():
            problem = "" if whole else f"longer than {MAX_LINE} characters"
            problem = "bytes that are no characters in the file's encoding" if undecodable(line) else problem
            yield Row(number, "" if problem else line, {"text": line}, problem)
