"""Short cuts of the readers' tests: bytes in, rows out."""

from pathlib import Path

from classifier.readers import open_source, recognise
from classifier.records import Row


def rows(path: Path, data: bytes | str, wanted: str | None = None, column: str | None = None) -> list[Row]:
    """The rows of a file with these bytes."""
    path.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
    source = open_source(str(path))
    with source.stream:
        return list(recognise(source, wanted).read(source, column))


def texts(path: Path, data: bytes | str, wanted: str | None = None) -> list[str]:
    """The texts of the rows that can be scored."""
    return [row.text for row in rows(path, data, wanted) if not row.problem and not row.skipped]


def format_of(path: Path, data: bytes | str) -> str:
    """What a file with these bytes is recognised as."""
    path.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
    source = open_source(str(path))
    with source.stream:
        return recognise(source).name
