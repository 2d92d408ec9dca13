"""The formats that can be read. To add one: a module with `claims` and `read`, and its line in READERS."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ..errors import InputError
from ..records import Row
from . import plain, tables
from .source import Source, open_source


@dataclass(frozen=True)
class Reader:
    """One format. `claims` looks at the beginning only; `read` gives the rows, with the text column named by the user or None."""

    name: str
    claims: Callable[[Source], bool]
    read: Callable[[Source, str | None], Iterator[Row]]


READERS = (
    Reader("xlsx", tables.claims_xlsx, tables.read_xlsx),
    Reader("jsonl", tables.claims_jsonl, tables.read_jsonl),
    Reader("csv", tables.claims_csv, tables.read_csv),
)
FALLBACK = Reader("text", plain.claims, plain.read)


def recognise(source: Source) -> Reader:
    """The one format that claims a source; plain text where none does. Raises InputError naming both where two do."""
    found = [r for r in READERS if (r.name == "xlsx") == source.head.startswith(b"PK\x03\x04") and r.claims(source)]
    if len(found) > 1:
        raise InputError(f"{source.name}: claimed by {' and '.join(r.name for r in found)}")
    if not found and source.head.startswith(b"PK\x03\x04"):
        raise InputError(f"{source.name}: a ZIP container but no XLSX workbook; unpack it first")
    if not found:
        FALLBACK.claims(source)
    return found[0] if found else FALLBACK


__all__ = ["FALLBACK", "READERS", "Reader", "Source", "open_source", "recognise"]
